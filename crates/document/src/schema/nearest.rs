//! Finds the name that was probably meant.

/// Returns the name of `known` nearest to `given`, if one is near enough.
///
/// Near means: at most a third of its letters inserted, left out, replaced or
/// swapped. Case does not count.
pub(crate) fn nearest<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Names are short; a long text is no misspelling and is not worth the time.
    if given.len() > 64 {
        return None;
    }
    let distance = |name: &str| distance(&given.to_lowercase(), &name.to_lowercase());
    let candidates = known.into_iter().map(|name| (distance(name), name));
    let (distance, name) = candidates.min_by_key(|(distance, _)| *distance)?;
    let near = (given.chars().count().max(name.len()) / 3).clamp(1, 4);
    (distance <= near && !given.is_empty()).then_some(name)
}

/// Returns the number of edits between two texts; swapped neighbours count once.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let differs = usize::from(left[i - 1] != right[j - 1]);
            let mut edits =
                (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + differs);
            let swapped =
                i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if swapped {
                edits = edits.min(rows[i - 2][j - 2] + 1);
            }
            row.push(edits);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_find_their_name() {
        let known = ["ExecuteBash", "ExecuteBinary", "CreateFile", "CreateFolder", "name"];
        let meant = |given| nearest(given, known);
        assert_eq!(meant("ExecutBash"), Some("ExecuteBash"));
        assert_eq!(meant("executebash"), Some("ExecuteBash"));
        assert_eq!(meant("CraeteFile"), Some("CreateFile"));
        assert_eq!(meant("nmae"), Some("name"));
        assert_eq!(meant("frobnicate"), None);
        assert_eq!(meant(""), None);
        assert_eq!(meant(&"x".repeat(10_000)), None);
        assert_eq!(nearest("a", []), None);
    }
}
