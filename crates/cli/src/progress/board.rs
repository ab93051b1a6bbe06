//! What people see of a build at a moment; knows no terminal and no clock.

use std::time::Duration;

use factory::{Cause, Failure, Notice, PlannedStep};

use crate::output::Style;
use crate::text;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Nothing; the report tells of failures.
    Quiet,
    /// A line for each step.
    Steps,
    /// Every line of components too.
    Lines,
}

/// A notice of the factory, or what else there is to show.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Begun { image: String, run: String, steps: Vec<PlannedStep> },
    Started { step: usize },
    Line { label: String, text: String },
    Progress { done: u64, total: u64 },
    Ended { step: usize, took: Duration, outcome: String, ending: Ending },
    Note(String),
    End,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Done,
    Failed,
    Cancelled,
    /// It failed, which does not count.
    Ignored,
    /// It was not to be done.
    Skipped,
}

impl Ending {
    fn of(failure: Option<&Failure>) -> Self {
        match failure.map(|failure| failure.cause) {
            None => Self::Done,
            Some(Cause::Cancelled) => Self::Cancelled,
            Some(Cause::Component | Cause::Test | Cause::Factory | Cause::Lacking) => Self::Failed,
        }
    }
}

impl Event {
    /// Returns the event for a notice.
    pub(crate) fn of(notice: &Notice<'_>) -> Self {
        match notice {
            Notice::Begun { image, run, steps } => Self::Begun {
                image: (*image).to_owned(),
                run: (*run).to_owned(),
                steps: steps.to_vec(),
            },
            Notice::StepStarted { step } => Self::Started { step: *step },
            Notice::Line(line) => Self::Line { label: line.label.clone(), text: line.text.clone() },
            Notice::Progress { done, total, .. } => Self::Progress { done: *done, total: *total },
            Notice::StepEnded { step, took, outcome, failure } => Self::Ended {
                step: *step,
                took: *took,
                outcome: (*outcome).to_owned(),
                ending: Ending::of(*failure),
            },
        }
    }
}

/// A line to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) text: String,
    pub(crate) style: Style,
}

/// A build as people see it.
#[derive(Debug)]
pub(crate) struct Board {
    detail: Detail,
    steps: Vec<PlannedStep>,
    width: usize,
    current: Option<Current>,
}

/// The step at work.
#[derive(Debug)]
struct Current {
    step: usize,
    since: Duration,
    last_line: String,
    progress: Option<(u64, u64)>,
}

impl Board {
    /// Returns a board with nothing on it.
    pub(crate) fn new(detail: Detail) -> Self {
        Self { detail, steps: Vec::new(), width: 0, current: None }
    }

    /// Takes note of an event at `now`, counted from any fixed moment, and
    /// returns the rows that stay on the screen.
    ///
    /// Where lines are redrawn in place, the start of a step is no row: the
    /// step is seen at work.
    pub(crate) fn take(&mut self, event: Event, now: Duration, redraws: bool) -> Vec<Row> {
        let quiet = self.detail == Detail::Quiet;
        match event {
            Event::Begun { image, run, steps } => {
                // Longer labels push their times to the right, one by one.
                const WIDEST: usize = 40;
                let lengths = steps.iter().map(|step| step.label.chars().count());
                self.width = lengths.max().unwrap_or(0).min(WIDEST);
                self.steps = steps;
                if quiet { vec![] } else { vec![plain(format!("{image} ({run})"))] }
            }
            Event::Started { step } => {
                self.current =
                    Some(Current { step, since: now, last_line: String::new(), progress: None });
                if quiet || redraws {
                    return vec![];
                }
                let mut row = format!("{}  started", self.head(step));
                if let Some(usually) = self.steps.get(step).and_then(|step| step.estimate) {
                    row.push_str(&format!(", usually {}", text::about(usually)));
                }
                if let Some(left) = self.left(step, Duration::ZERO) {
                    row.push_str(&format!(", {left}"));
                }
                vec![plain(row)]
            }
            Event::Line { label, text } => {
                let rows = match self.detail {
                    Detail::Lines => vec![plain(format!("  {label} | {text}"))],
                    Detail::Quiet | Detail::Steps => vec![],
                };
                if let Some(current) = &mut self.current {
                    current.last_line = text;
                }
                rows
            }
            Event::Progress { done, total } => {
                if let Some(current) = &mut self.current {
                    current.progress = Some((done, total));
                }
                vec![]
            }
            Event::Ended { step, took, outcome, ending } => {
                self.current = None;
                if quiet {
                    return vec![];
                }
                let (word, style) = match ending {
                    Ending::Done => ("ok", Style::Plain),
                    Ending::Failed => ("FAILED", Style::Bad),
                    Ending::Cancelled => ("ended", Style::Plain),
                    Ending::Ignored => ("ignored", Style::Plain),
                    Ending::Skipped => ("skipped", Style::Dim),
                };
                let row = format!(
                    "{}  {word:<7}  {:>11}  {outcome}",
                    self.head(step),
                    text::duration(took)
                );
                vec![Row { text: row.trim_end().to_owned(), style }]
            }
            Event::Note(_) if quiet => vec![],
            Event::Note(text) => vec![plain(text)],
            Event::End => vec![],
        }
    }

    /// Returns the rows that are redrawn in place, as they are at `now`.
    pub(crate) fn live(&self, now: Duration) -> Vec<Row> {
        let Some(current) = &self.current else { return vec![] };
        if self.detail == Detail::Quiet {
            return vec![];
        }
        let elapsed = now.saturating_sub(current.since);
        let done = match current.progress {
            Some((done, total)) if total > 0 => {
                format!("{} %", done.saturating_mul(100) / total)
            }
            Some(_) | None => String::new(),
        };
        let mut row =
            format!("{}  {done:<7}  {:>11}", self.head(current.step), text::duration(elapsed));
        if let Some(left) = self.left(current.step, elapsed) {
            row.push_str(&format!("  {left}"));
        }
        let mut rows = vec![plain(row)];
        if !current.last_line.is_empty() && self.detail != Detail::Lines {
            rows.push(Row { text: format!("    {}", current.last_line), style: Style::Dim });
        }
        rows
    }

    fn head(&self, step: usize) -> String {
        let label = self.steps.get(step).map_or("", |step| &step.label);
        format!("  {label:<width$}", width = self.width)
    }

    /// Returns how long the build will still take: at least, where steps are to
    /// come that were never done before.
    fn left(&self, step: usize, elapsed: Duration) -> Option<String> {
        let (this, to_come) = self.steps.get(step..)?.split_first()?;
        let this = this.estimate.map(|estimate| estimate.saturating_sub(elapsed));
        let estimates = || std::iter::once(this).chain(to_come.iter().map(|step| step.estimate));
        let known: Duration = estimates().flatten().sum();
        if estimates().all(|estimate| estimate.is_some()) {
            return Some(format!("~{} left", text::about(known)));
        }
        // Of nothing known, nothing can be said.
        (!known.is_zero()).then(|| format!("~{} or more left", text::about(known)))
    }
}

fn plain(text: String) -> Row {
    Row { text, style: Style::Plain }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn begun(estimates: [Option<u64>; 3]) -> Event {
        let labels = ["base debian-server-12", "build nginx", "create image"];
        let steps = labels.into_iter().zip(estimates).map(|(label, estimate)| PlannedStep {
            label: label.to_owned(),
            estimate: estimate.map(Duration::from_secs),
        });
        Event::Begun {
            image: "arn:…:image/web/1.0.0/1".to_owned(),
            run: "run-0123".to_owned(),
            steps: steps.collect(),
        }
    }

    fn ended(step: usize, millis: u64, outcome: &str, ending: Ending) -> Event {
        let took = Duration::from_millis(millis);
        Event::Ended { step, took, outcome: outcome.to_owned(), ending }
    }

    fn line(text: &str) -> Event {
        Event::Line { label: "build nginx".to_owned(), text: text.to_owned() }
    }

    /// A build that fails in its second step, an event every two seconds.
    fn story(estimates: [Option<u64>; 3]) -> Vec<Event> {
        vec![
            begun(estimates),
            Event::Started { step: 0 },
            ended(0, 31_234, "Debian GNU/Linux 12 (bookworm), made", Ending::Done),
            Event::Started { step: 1 },
            line("Setting up nginx (1.22.1-9) ..."),
            Event::Progress { done: 3, total: 4 },
            ended(1, 4_000, "", Ending::Failed),
        ]
    }

    /// Shows the rows that stay after each event and, marked `~`, the live ones.
    #[track_caller]
    fn check(detail: Detail, redraws: bool, story: Vec<Event>, expected: Expect) {
        let mut board = Board::new(detail);
        let mut shown = String::new();
        for (n, event) in (0..).zip(story) {
            let now = Duration::from_secs(2 * n);
            for row in board.take(event, now, redraws) {
                shown.push_str(&format!("{}\n", row.text));
            }
            for row in board.live(now + Duration::from_millis(1500)).iter().filter(|_| redraws) {
                shown.push_str(&format!("~{}\n", row.text));
            }
        }
        expected.assert_eq(&shown);
    }

    #[test]
    fn without_a_terminal_steps_start_and_end() {
        check(
            Detail::Steps,
            false,
            story([None, Some(12), None]),
            expect![[r#"
                arn:…:image/web/1.0.0/1 (run-0123)
                  base debian-server-12  started, ~12 s or more left
                  base debian-server-12  ok            31.2 s  Debian GNU/Linux 12 (bookworm), made
                  build nginx            started, usually 12 s, ~12 s or more left
                  build nginx            FAILED         4.0 s
            "#]],
        );
    }

    #[test]
    fn a_first_build_has_no_estimate() {
        check(
            Detail::Steps,
            true,
            story([None, None, None]),
            expect![[r#"
            arn:…:image/web/1.0.0/1 (run-0123)
            ~  base debian-server-12                 1.5 s
              base debian-server-12  ok            31.2 s  Debian GNU/Linux 12 (bookworm), made
            ~  build nginx                           1.5 s
            ~  build nginx                           3.5 s
            ~    Setting up nginx (1.22.1-9) ...
            ~  build nginx            75 %           5.5 s
            ~    Setting up nginx (1.22.1-9) ...
              build nginx            FAILED         4.0 s
        "#]],
        );
    }

    #[test]
    fn a_later_build_knows_what_is_left() {
        check(
            Detail::Steps,
            true,
            story([Some(30), Some(12), Some(200)]),
            expect![[r#"
            arn:…:image/web/1.0.0/1 (run-0123)
            ~  base debian-server-12                 1.5 s  ~4 min left
              base debian-server-12  ok            31.2 s  Debian GNU/Linux 12 (bookworm), made
            ~  build nginx                           1.5 s  ~4 min left
            ~  build nginx                           3.5 s  ~3 min left
            ~    Setting up nginx (1.22.1-9) ...
            ~  build nginx            75 %           5.5 s  ~3 min left
            ~    Setting up nginx (1.22.1-9) ...
              build nginx            FAILED         4.0 s
        "#]],
        );
    }

    #[test]
    fn a_step_that_is_new_leaves_the_rest_known() {
        check(
            Detail::Steps,
            true,
            story([Some(30), None, Some(200)]),
            expect![[r#"
            arn:…:image/web/1.0.0/1 (run-0123)
            ~  base debian-server-12                 1.5 s  ~4 min or more left
              base debian-server-12  ok            31.2 s  Debian GNU/Linux 12 (bookworm), made
            ~  build nginx                           1.5 s  ~3 min or more left
            ~  build nginx                           3.5 s  ~3 min or more left
            ~    Setting up nginx (1.22.1-9) ...
            ~  build nginx            75 %           5.5 s  ~3 min or more left
            ~    Setting up nginx (1.22.1-9) ...
              build nginx            FAILED         4.0 s
        "#]],
        );
        check(
            Detail::Steps,
            false,
            story([Some(30), None, Some(200)]),
            expect![[r#"
            arn:…:image/web/1.0.0/1 (run-0123)
              base debian-server-12  started, usually 30 s, ~4 min or more left
              base debian-server-12  ok            31.2 s  Debian GNU/Linux 12 (bookworm), made
              build nginx            started, ~3 min or more left
              build nginx            FAILED         4.0 s
        "#]],
        );
    }

    #[test]
    fn every_line_is_told_on_request() {
        check(
            Detail::Lines,
            true,
            story([None, None, None]),
            expect![[r#"
            arn:…:image/web/1.0.0/1 (run-0123)
            ~  base debian-server-12                 1.5 s
              base debian-server-12  ok            31.2 s  Debian GNU/Linux 12 (bookworm), made
            ~  build nginx                           1.5 s
              build nginx | Setting up nginx (1.22.1-9) ...
            ~  build nginx                           3.5 s
            ~  build nginx            75 %           5.5 s
              build nginx            FAILED         4.0 s
        "#]],
        );
    }

    #[test]
    fn silence_is_silence() {
        check(Detail::Quiet, false, story([None, None, None]), expect![""]);
    }
}
