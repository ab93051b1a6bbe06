//! `ReadFile`: puts the text of files out for later steps.

use std::fs;
use std::path::Path;

use channel::Stream;
use document::ReadFile;

use super::{ActionError, Bench, Done, FileError, output_name};
use crate::files::require;
use crate::tail::OUTPUT_LIMIT;

pub(crate) fn perform(list: &[ReadFile], bench: &mut Bench<'_>) -> Result<Done, ActionError> {
    let mut outputs = Vec::new();
    for (index, inputs) in list.iter().enumerate() {
        let text = read(inputs, &bench.machine.path(&inputs.path))?;
        if inputs.print_file_content {
            text.lines().for_each(|line| bench.say(Stream::Stdout, line));
        }
        outputs.push((output_name("content", index), text));
    }
    Ok(Done { outputs, ..Done::default() })
}

fn read(inputs: &ReadFile, path: &Path) -> Result<String, FileError> {
    // Half a text would be worse for a later step than none.
    if require(path)?.len() > OUTPUT_LIMIT as u64 {
        return Err(FileError::TooLarge { path: path.to_owned(), limit: OUTPUT_LIMIT });
    }
    let bytes = fs::read(path).map_err(FileError::io("read", path))?;
    let decoded = inputs.encoding.decode(&bytes);
    decoded.map_err(|source| FileError::Text { path: path.to_owned(), source })
}
