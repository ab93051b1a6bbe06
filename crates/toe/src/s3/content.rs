//! What an upload sends: the bytes of a file, as many each time as it says.

use std::fs::File;
use std::io::{self, Read, Seek};

use document::Algorithm;

use crate::digest;
use crate::limit::Limit;

/// The content of a file, as long as it is when this is made.
pub(super) struct Content<'a> {
    file: &'a File,
    pub(super) length: u64,
    /// The digest of that many bytes.
    pub(super) sha256: String,
}

impl<'a> Content<'a> {
    /// Looks at `file` and reads it once, as long as `limit` lets it.
    pub(super) fn of(file: &'a File, limit: &Limit) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let mut content = Self { file, length, sha256: String::new() };
        content.sha256 = digest::of(&mut content.reader(limit)?, Algorithm::Sha256)?;
        Ok(content)
    }

    /// Reads the content from its beginning. A second reader moves the first.
    pub(super) fn reader(&self, limit: &Limit) -> io::Result<impl Read + use<>> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(limit.reader(Exactly { source: file, left: self.length }))
    }
}

/// Reads a number of bytes and fails if there are fewer: who was told how many
/// to expect would wait for the rest.
struct Exactly<R> {
    source: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.by_ref().take(self.left).read(buffer)?;
        if read == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use super::*;
    use crate::clock::Deadline;

    #[test]
    fn files_are_read_as_long_as_they_were() {
        let limit = Limit::new(Deadline::after(None), &Arc::default());
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abc").unwrap();
        let content = Content::of(&file, &limit).unwrap();
        assert!(content.sha256.starts_with("ba7816bf8f01cfea"), "{}", content.sha256);
        let read = || io::read_to_string(content.reader(&limit).unwrap());
        (&file).write_all(b"d").unwrap();
        assert_eq!((read().unwrap(), read().unwrap()), ("abc".into(), "abc".into()));
        file.set_len(2).unwrap();
        assert_eq!(read().unwrap_err().to_string(), "the file became shorter");
    }
}
