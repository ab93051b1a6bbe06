//! What is kept in memory of an inode: names and attributes, of which a disk
//! can claim to have any number.

use std::collections::BTreeMap;

use super::error::{ReadErrorKind, corrupt};

/// The most names that are kept at once: those of a directory, and of the ones
/// above it.
pub(crate) const MOST_NAMES: usize = 1 << 20;
/// The largest directory that is read, in bytes, wherever it says how large it
/// is: a million names of usual length.
pub(crate) const LARGEST_DIRECTORY: u64 = 64 << 20;
/// The longest name, in bytes, as in Linux.
const LONGEST_NAME: usize = 255;
/// The most bytes that an inode's attributes have; ext4 holds fewer.
const MOST_ATTRIBUTES: usize = 1 << 20;

/// The names in a directory, and what they are names of.
#[derive(Debug)]
pub(crate) struct Names<I>(Vec<(Vec<u8>, I)>);

impl<I> Names<I> {
    /// Returns no names.
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a name, which must be one.
    pub(crate) fn push(&mut self, name: &[u8], id: I) -> Result<(), ReadErrorKind> {
        if matches!(name, b"" | b"." | b"..")
            || name.len() > LONGEST_NAME
            || name.contains(&b'/')
            || name.contains(&0)
        {
            return Err(corrupt("a name in a directory"));
        }
        if self.0.len() == MOST_NAMES {
            return Err(too_many_names());
        }
        self.0.push((name.to_vec(), id));
        Ok(())
    }

    /// Keeps the names of those that `is_kept` says.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(&I) -> bool) {
        self.0.retain(|(_, id)| is_kept(id));
    }

    /// Returns them in the order they were added in.
    pub(crate) fn into_vec(self) -> Vec<(Vec<u8>, I)> {
        self.0
    }
}

/// Returns the error for more names than are kept.
pub(crate) fn too_many_names() -> ReadErrorKind {
    ReadErrorKind::Unsupported { what: "a directory of more than a million names" }
}

/// Attributes by full name.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    length: usize,
}

impl Attributes {
    /// Adds an attribute.
    pub(crate) fn insert(&mut self, name: Vec<u8>, value: Vec<u8>) -> Result<(), ReadErrorKind> {
        self.length += name.len() + value.len();
        if self.length > MOST_ATTRIBUTES {
            return Err(ReadErrorKind::Unsupported { what: "more than 1 MiB of attributes" });
        }
        self.values.insert(name, value);
        Ok(())
    }

    /// Returns them all.
    pub(crate) fn into_map(self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_an_inode_are_bounded_however_they_are_cut() {
        for length in [1, 1000, 60_000] {
            let mut attributes = Attributes::default();
            let mut kept = 0;
            // One name: what is replaced counts as well.
            while attributes.insert(b"user.x".to_vec(), vec![0; length]).is_ok() {
                kept += length + 6;
            }
            assert!((MOST_ATTRIBUTES - 60_006..=MOST_ATTRIBUTES).contains(&kept), "{kept}");
        }
    }

    #[test]
    fn names_are_names_and_bounded() {
        let mut names = Names::new();
        for bad in [&b""[..], b".", b"..", b"a/b", b"a\0", &[b'x'; 256]] {
            assert!(names.push(bad, ()).is_err(), "{bad:?}");
        }
        for good in [&b"..."[..], b" ", &[0xff; 255]] {
            names.push(good, ()).unwrap();
        }
        for _ in 3..MOST_NAMES {
            names.push(b"x", ()).unwrap();
        }
        let error = names.push(b"x", ()).unwrap_err().to_string();
        assert_eq!(error, "a directory of more than a million names cannot be read");
    }
}
