//! `ExecuteBinary`: runs one program without a shell.

use document::ExecuteBinary;

use super::{ActionError, Bench, Done, settle};
use crate::process::Program;

pub(crate) fn perform(inputs: &ExecuteBinary, bench: &mut Bench<'_>) -> Result<Done, ActionError> {
    let program = Program {
        name: inputs.path.clone(),
        arguments: inputs.arguments.clone(),
        environment: &[],
    };
    settle(bench.run(&program)?)
}
