//! What is known of a base, kept beside its tree.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cell::Volume;
use name::Digest;
use serde::{Deserialize, Serialize};

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

    /// Keeps the receipt for `key`. It is written last of all, under another
    /// name first: a base with a receipt is whole.
    pub(crate) fn keep(&self, data: &Path, key: &Digest) -> Result<(), ReceiptError> {
        let path = place(data, key);
        let partial = path.with_extension("partial");
        let text = serde_json::to_string_pretty(self).expect("receipts hold only what JSON can");
        fs::write(&partial, text)
            .and_then(|()| fs::rename(&partial, &path))
            .map_err(|source| ReceiptError { path, source })
    }
}

fn place(data: &Path, key: &Digest) -> PathBuf {
    data.join("bases").join(format!("{}.json", key.hex()))
}
