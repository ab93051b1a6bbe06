//! What a race took: medians, and ratios to ours. Others on the machine make both slower, so
//! only what ran next to each other is divided.

use std::fmt::Write;

use serde_json::{Value, json};

use super::tool::Case;

/// The times of all tools in all cases, in seconds.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// One a case and tool, in the order they ran first. Ours is the first of a case.
    rows: Vec<Row>,
    /// Tools that did not run to the end, and why.
    absent: Vec<(&'static str, String)>,
}

#[derive(Debug)]
struct Row {
    case: Case,
    tool: &'static str,
    /// One a round.
    seconds: Vec<f64>,
}

impl Tally {
    /// Adds the time of a round.
    pub(super) fn add(&mut self, case: Case, tool: &'static str, seconds: f64) {
        match self.rows.iter_mut().find(|row| row.case == case && row.tool == tool) {
            Some(row) => row.seconds.push(seconds),
            None => self.rows.push(Row { case, tool, seconds: vec![seconds] }),
        }
    }

    /// Notes why a tool does not race, or no longer.
    pub(super) fn miss(&mut self, tool: &'static str, why: String) {
        self.absent.push((tool, why));
    }

    /// Returns the results as a table, with what is absent below.
    pub(super) fn text(&self) -> String {
        let mut out =
            format!("{:<10} {:<11} {:>9} {:>8}  {}\n", "case", "tool", "median", "ratio", "rounds");
        for row in &self.rows {
            let rounds: Vec<String> = row.seconds.iter().map(|one| format!("{one:.2}")).collect();
            let _ = writeln!(
                out,
                "{:<10} {:<11} {:>7.2} s {:>8.2}  {}",
                row.case.name(),
                row.tool,
                median(&row.seconds),
                self.ratio(row),
                rounds.join(" ")
            );
        }
        for (tool, why) in &self.absent {
            let _ = writeln!(out, "{tool}: {why}");
        }
        out
    }

    /// Returns the results as JSON.
    pub(super) fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "case": row.case.name(),
                "tool": row.tool,
                "seconds": row.seconds,
                "median": median(&row.seconds),
                "ratio": self.ratio(row),
            })
        });
        let absent =
            self.absent.iter().map(|(tool, reason)| json!({ "tool": tool, "reason": reason }));
        json!({ "results": rows.collect::<Vec<_>>(), "absent": absent.collect::<Vec<_>>() })
    }

    /// Returns how many times as long as ours a tool took in the same rounds, in the median.
    fn ratio(&self, row: &Row) -> f64 {
        let ours = self.rows.iter().find(|first| first.case == row.case);
        let ours = ours.map_or(&row.seconds, |first| &first.seconds);
        let ratios: Vec<f64> = row.seconds.iter().zip(ours).map(|(one, our)| one / our).collect();
        median(&ratios)
    }
}

/// Returns the middle of `values`, or the mean of the two in the middle; 0 of none.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::{Case, Tally, median};

    #[test]
    fn ratios_are_of_the_same_round() {
        let mut tally = Tally::default();
        // The machine is twice as slow in the second round, and slower still in the third.
        for (ours, theirs) in [(1.0, 3.0), (2.0, 6.0), (8.0, 16.0)] {
            tally.add(Case::Changed, "goldsmith", ours);
            tally.add(Case::Changed, "mkosi", theirs);
        }
        tally.miss("buildah", "is not here: install buildah".to_owned());
        assert_eq!(
            tally.text(),
            "case       tool           median    ratio  rounds\n\
             changed    goldsmith      2.00 s     1.00  1.00 2.00 8.00\n\
             changed    mkosi          6.00 s     3.00  3.00 6.00 16.00\n\
             buildah: is not here: install buildah\n"
        );
        assert_eq!(
            tally.json(),
            serde_json::json!({
                "results": [
                    {
                        "case": "changed",
                        "tool": "goldsmith",
                        "seconds": [1.0, 2.0, 8.0],
                        "median": 2.0,
                        "ratio": 1.0,
                    },
                    {
                        "case": "changed",
                        "tool": "mkosi",
                        "seconds": [3.0, 6.0, 16.0],
                        "median": 6.0,
                        "ratio": 3.0,
                    },
                ],
                "absent": [{ "tool": "buildah", "reason": "is not here: install buildah" }],
            })
        );
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
    }
}
