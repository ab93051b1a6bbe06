//! What is known of a base, kept beside its tree.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cell::Volume;
use name::Digest;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::Os;

/// Where the bases are, below the data folder.
pub const FOLDER: &str = "bases";

/// Sees the making of a base while it happens, and may stop it.
pub trait Watch: Sync {
    /// Takes a line of what the tools say.
    fn line(&self, line: &str);

    /// Says whether to give up.
    fn cancelled(&self) -> bool;
}

/// A base that is at hand. Paths are relative to the data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The digest of the archive or disk image that the tree was unpacked from.
    pub digest: Digest,
    /// The folder of the tree.
    pub tree: PathBuf,
    /// What the tree says it is.
    pub os: Os,
    /// The time that builds on it take for "now", in seconds since 1970.
    pub epoch: i64,
    /// How images made of it boot.
    pub boot: Boot,
    /// What it was made of; not known of those of earlier versions.
    #[serde(default)]
    pub made_of: Option<MadeOf>,
}

/// What a base was made of, which is where it can be had again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MadeOf {
    /// An archive of packages.
    Archive,
    /// A disk image that somebody brought.
    Disk,
    /// An image of ours, by the digest of its snapshot.
    Image,
}

/// Where an image's partitions and boot loader come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Boot {
    /// The tree carries Debian's signed boot loader; the disk is made anew.
    Tree,
    /// A disk image, of which only the tree's file systems are replaced.
    Disk {
        /// The raw image.
        disk: PathBuf,
        /// The partitions that the tree came from, the root first.
        volumes: Vec<Volume>,
    },
}

/// A base's receipt could not be kept or found.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action} the receipt {}", path.display())]
pub struct ReceiptError {
    action: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Receipt {
    /// Returns the receipt of the base that was made for `key`, if it is at hand.
    ///
    /// A text that is no receipt is none: its base is made again.
    pub fn find(data: &Path, key: &Digest) -> Result<Option<Self>, ReceiptError> {
        let path = place(data, key);
        let find = || -> io::Result<Option<Self>> {
            match serde_json::from_slice::<Self>(&fs::read(&path)?) {
                Ok(found) if fs::metadata(data.join(&found.tree))?.is_dir() => Ok(Some(found)),
                Ok(_) | Err(_) => Ok(None),
            }
        };
        match find() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found.map_err(|source| ReceiptError { action: "read", path, source }),
        }
    }

    /// Returns the receipts of all bases with the paths they are kept at, both relative to the
    /// data folder.
    pub fn all(data: &Path) -> io::Result<Vec<(PathBuf, Self)>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(data.join(FOLDER))? {
            let path = Path::new(FOLDER).join(entry?.file_name());
            if path.extension() != Some("json".as_ref()) {
                continue;
            }
            // A text that is no receipt is none, as above.
            if let Ok(receipt) = serde_json::from_slice(&fs::read(data.join(&path))?) {
                all.push((path, receipt));
            }
        }
        Ok(all)
    }

    /// Keeps the receipt for `key`. It is written last of all, under a name
    /// that no other process has first, and once all before it is on the disk:
    /// a base with a receipt is whole.
    pub(crate) fn keep(&self, data: &Path, key: &Digest) -> Result<(), ReceiptError> {
        let path = place(data, key);
        let text = serde_json::to_string_pretty(self).expect("receipts hold only what JSON can");
        let keep = || {
            let mut partial = NamedTempFile::new_in(data.join(FOLDER))?;
            partial.write_all(text.as_bytes())?;
            rustix::fs::syncfs(&partial)?;
            partial.persist(&path)?;
            Ok(())
        };
        keep().map_err(|source| ReceiptError { action: "keep", path: path.clone(), source })
    }
}

fn place(data: &Path, key: &Digest) -> PathBuf {
    data.join(FOLDER).join(format!("{}.json", key.hex()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(digest: Digest) -> Receipt {
        Receipt {
            digest,
            tree: "bases/tree".into(),
            os: Os::parse(""),
            epoch: 1,
            boot: Boot::Tree,
            made_of: Some(MadeOf::Archive),
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_absent() {
        let data = tempfile::tempdir().unwrap();
        let data = data.path();
        let key = Digest::of(b"key");
        let find = || Receipt::find(data, &key).map_err(|error| error.to_string());
        assert_eq!(find(), Ok(None));
        fs::create_dir(data.join(FOLDER)).unwrap();
        receipt(key).keep(data, &key).unwrap();
        assert_eq!(find(), Ok(None), "without a tree");
        fs::create_dir(data.join("bases/tree")).unwrap();
        assert_eq!(find(), Ok(Some(receipt(key))));

        let path = place(data, &key);
        fs::write(&path, b"torn \xff").unwrap();
        assert_eq!(find(), Ok(None));
        assert_eq!(Receipt::all(data).unwrap(), []);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(find(), Err(format!("failed to read the receipt {}", path.display())));
    }

    #[test]
    fn many_keep_one_receipt_at_once() {
        let data = tempfile::tempdir().unwrap();
        let key = Digest::of(b"key");
        let receipt = receipt(key);
        fs::create_dir_all(data.path().join(&receipt.tree)).unwrap();
        std::thread::scope(|scope| {
            let keep = || (0..20).try_for_each(|_| receipt.keep(data.path(), &key));
            let keepers: Vec<_> = (0..4).map(|_| scope.spawn(keep)).collect();
            keepers.into_iter().for_each(|keeper| keeper.join().unwrap().unwrap());
        });
        assert_eq!(Receipt::find(data.path(), &key).unwrap(), Some(receipt));
        assert_eq!(fs::read_dir(data.path().join("bases")).unwrap().count(), 2);
    }
}
