//! `Assert`: fails the step unless a condition holds.

use document::Condition;

use super::{ActionError, Bench, Done};
use crate::probe::Senses;

pub(crate) fn perform(condition: &Condition, bench: &Bench<'_>) -> Result<Done, ActionError> {
    let senses = Senses { machine: bench.machine, limit: bench.limit() };
    if senses.holds(condition)? { Ok(Done::default()) } else { Err(ActionError::NotHeld) }
}
