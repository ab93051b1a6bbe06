//! How many tests passed and failed, in words.

use channel::Status;
use factory::Case;

/// Returns the counts of those of `cases` that are tests, as in `2 passed, 0
/// failed, 1 skipped`.
pub(crate) fn of(cases: &[Case]) -> String {
    let count = |statuses: &[Status]| {
        cases.iter().filter(|case| case.phase == "test" && statuses.contains(&case.status)).count()
    };
    let (passed, failed) = (count(&[Status::Success]), count(&[Status::Failed]));
    let (ignored, skipped) = (count(&[Status::IgnoredFailure]), count(&[Status::Skipped]));
    if passed + failed + ignored + skipped == 0 {
        return "none".to_owned();
    }
    let mut told = format!("{passed} passed, {failed} failed, {skipped} skipped");
    if ignored > 0 {
        told.push_str(&format!(", {ignored} failed and were ignored"));
    }
    told
}
