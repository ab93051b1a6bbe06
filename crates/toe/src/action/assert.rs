//! `Assert`: fails the step unless a condition holds.

use document::Condition;

use super::{ActionError, Done};
use crate::Machine;

pub(crate) fn perform(condition: &Condition, machine: &Machine) -> Result<Done, ActionError> {
    if condition.evaluate(machine)? { Ok(Done::default()) } else { Err(ActionError::NotHeld) }
}
