//! What is known of a base, kept beside its tree.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cell::Volume;
use name::Digest;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::Os;

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
#[error("failed to keep the receipt {}", path.display())]
pub struct ReceiptError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Receipt {
    /// Returns the receipt of the base that was made for `key`, if it is at hand.
    pub fn find(data: &Path, key: &Digest) -> Option<Self> {
        let text = fs::read_to_string(place(data, key)).ok()?;
        let receipt: Self = serde_json::from_str(&text).ok()?;
        data.join(&receipt.tree).is_dir().then_some(receipt)
    }

    /// Keeps the receipt for `key`. It is written last of all, under a name
    /// that no other process has first, and once all before it is on the disk:
    /// a base with a receipt is whole.
    pub(crate) fn keep(&self, data: &Path, key: &Digest) -> Result<(), ReceiptError> {
        let path = place(data, key);
        let text = serde_json::to_string_pretty(self).expect("receipts hold only what JSON can");
        let keep = || {
            let mut partial = NamedTempFile::new_in(data.join("bases"))?;
            partial.write_all(text.as_bytes())?;
            rustix::fs::syncfs(&partial)?;
            partial.persist(&path)?;
            Ok(())
        };
        keep().map_err(|source| ReceiptError { path: path.clone(), source })
    }
}

fn place(data: &Path, key: &Digest) -> PathBuf {
    data.join("bases").join(format!("{}.json", key.hex()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_keep_one_receipt_at_once() {
        let data = tempfile::tempdir().unwrap();
        let key = Digest::of(b"key");
        let receipt = Receipt {
            digest: key,
            tree: "bases/tree".into(),
            os: Os::parse(""),
            epoch: 1,
            boot: Boot::Tree,
        };
        fs::create_dir_all(data.path().join(&receipt.tree)).unwrap();
        std::thread::scope(|scope| {
            let keep = || (0..20).try_for_each(|_| receipt.keep(data.path(), &key));
            let keepers: Vec<_> = (0..4).map(|_| scope.spawn(keep)).collect();
            keepers.into_iter().for_each(|keeper| keeper.join().unwrap().unwrap());
        });
        assert_eq!(Receipt::find(data.path(), &key), Some(receipt));
        assert_eq!(fs::read_dir(data.path().join("bases")).unwrap().count(), 2);
    }
}
