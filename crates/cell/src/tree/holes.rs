//! Where a file has data, and its content without the holes between.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use disk::sparse::{Content, whole_grains};
use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

/// Returns where the next data lies from `at` on, or `None` if a hole is all
/// that follows.
pub(super) fn next_data(file: &File, at: u64) -> io::Result<Option<u64>> {
    match seek(file, SeekFrom::Data(at)) {
        Ok(data) => Ok(Some(data)),
        Err(Errno::NXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns where the data at `at` ends.
pub(super) fn next_hole(file: &File, at: u64) -> io::Result<u64> {
    Ok(seek(file, SeekFrom::Hole(at))?)
}

/// The content of a file of a tree.
pub(super) struct Sparse {
    file: File,
    at: u64,
}

impl Sparse {
    /// Opens the file at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, at: 0 })
    }
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(buffer, self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}

impl Content for Sparse {
    fn skip_hole(&mut self) -> io::Result<u64> {
        let data = match next_data(&self.file, self.at)? {
            Some(data) => data,
            None => self.file.metadata()?.len(),
        };
        let length = whole_grains(data.saturating_sub(self.at));
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use disk::sparse::copy_content;

    use super::*;

    /// Copies a file of `length` bytes with a byte at each of `places`, and
    /// returns how much was read.
    #[track_caller]
    fn check(length: u64, places: &[u64], most: u64) {
        struct Counting(Sparse, u64);

        impl Read for Counting {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let length = self.0.read(buffer)?;
                self.1 += length as u64;
                Ok(length)
            }
        }

        impl Content for Counting {
            fn skip_hole(&mut self) -> io::Result<u64> {
                self.0.skip_hole()
            }
        }

        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        let file = File::create(&from).unwrap();
        file.set_len(length).unwrap();
        for place in places {
            file.write_all_at(&[7], *place).unwrap();
        }
        let mut content = Counting(Sparse::open(&from).unwrap(), 0);
        let copied = copy_content(&mut content, File::create(&to).unwrap()).unwrap();
        assert_eq!(copied, length);
        let copy = File::open(&to).unwrap();
        assert_eq!(copy.metadata().unwrap().len(), length);
        for place in places {
            let mut around = [1; 3];
            copy.read_exact_at(&mut around, *place - 1).unwrap();
            assert_eq!(around, [0, 7, 0]);
        }
        assert!(content.1 <= most, "{} bytes were read", content.1);
    }

    #[test]
    fn holes_are_copied_but_not_read() {
        const TIB: u64 = 1 << 40;
        const MIB: u64 = 1 << 20;
        check(0, &[], 0);
        check(4 * TIB, &[], 0);
        check(4 * TIB + 5, &[], 5);
        check(4 * TIB + 5, &[MIB + 1, TIB + 70_000, 3 * TIB + 1], MIB);
        check(MIB, &[1, MIB / 2 + 1, MIB - 2], MIB);
    }
}
