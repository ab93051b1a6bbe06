//! `ReadFile`: puts the text of files out for later steps.

use channel::Stream;
use document::ReadFile;

use super::{ActionError, Bench, Done, FileError, output_name};
use crate::files::read;
use crate::lines::Lines;
use crate::tail::OUTPUT_LIMIT;

pub(crate) fn perform(list: &[ReadFile], bench: &mut Bench<'_>) -> Result<Done, ActionError> {
    let limit = bench.limit();
    let mut outputs = Vec::new();
    for (index, inputs) in list.iter().enumerate() {
        let path = bench.machine.path(&inputs.path);
        // Half a text would be worse for a later step than none.
        let bytes = read(&path, OUTPUT_LIMIT, &limit)?;
        let decoded = inputs.encoding.decode(&bytes);
        let text = decoded.map_err(|source| FileError::Text { path, source })?;
        if inputs.print_file_content {
            let mut lines = Lines::new(bench.mask.clone());
            let tell = &mut |line: &str| bench.say(Stream::Stdout, line);
            lines.push(text.as_bytes(), tell);
            lines.finish(tell);
        }
        outputs.push((output_name("content", index), text));
    }
    Ok(Done { outputs, ..Done::default() })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use document::Encoding;

    use super::super::Told;
    use super::*;
    use crate::Machine;
    use crate::clock::Deadline;
    use crate::mask::Mask;

    #[test]
    fn long_lines_are_told_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine { folder: folder.path().to_owned(), ..Machine::default() };
        let text = format!("{}\r\nend", "x".repeat(20_000));
        fs::write(folder.path().join("a"), &text).unwrap();
        let mut told = Vec::new();
        let mut bench = Bench {
            machine: &machine,
            deadline: Deadline::after(None),
            mask: &Mask::default(),
            tell: &mut |it| match it {
                Told::Line(_, line) => told.push(line.len()),
                Told::Nested(event) => panic!("{event:?}"),
            },
            requests: &[],
            resume: None,
        };
        let inputs =
            ReadFile { path: "a".into(), encoding: Encoding::Utf8, print_file_content: true };
        let done = perform(&[inputs], &mut bench).unwrap();
        assert_eq!(done.outputs, [("content".to_owned(), text)]);
        assert_eq!(told, [8192, 8192, 3616, 3]);
    }
}
