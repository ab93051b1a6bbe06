//! What outlives a restart of this machine: which documents run, and how far
//! they are.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use channel::Resume;
use name::{Account, Digest};
use serde::{Deserialize, Serialize};
use toe::Record;

use super::document::Document;
use super::object::LogBucket;
use super::order::Order;
use super::stream::LogTarget;

const FILE: &str = "state.json";

/// An execution that waits for a restart.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct State {
    /// The documents with the digests of their texts and their parameters.
    pub(crate) documents: Vec<KeptDocument>,
    /// The phases that were asked for.
    pub(crate) phases: Option<Vec<String>>,
    /// The account that must own the buckets of documents.
    #[serde(default)]
    pub(crate) document_owner: Option<Account>,
    /// Where the log folder is stored in the end, besides.
    #[serde(default)]
    pub(crate) log_bucket: Option<LogBucket>,
    /// Where lines go in CloudWatch Logs, besides.
    #[serde(default)]
    pub(crate) log_target: Option<LogTarget>,
    /// The log folder.
    pub(crate) log_folder: PathBuf,
    /// What happened so far; holds the execution's id.
    pub(crate) record: Record,
    /// The document at work, from 0.
    pub(crate) document: usize,
    /// Where it goes on.
    pub(crate) resume: Resume,
    /// The boot that the restart is to end.
    pub(crate) boot: String,
}

/// A document of an execution that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptDocument {
    pub(crate) path: String,
    pub(crate) digest: Digest,
    pub(crate) parameters: Vec<(String, String)>,
}

/// An execution cannot go on, or cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error("failed to keep the state in {}", path.display())]
    Keep {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to read the state in {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{what} changed since the execution in {} asked for a restart", path.display())]
    Changed { what: String, path: PathBuf },
}

impl State {
    /// Returns the file in `folder` that holds an execution.
    fn path(folder: &Path) -> PathBuf {
        folder.join(FILE)
    }

    /// Returns the execution that waits in `folder`, if one does.
    pub(crate) fn find(folder: &Path) -> Result<Option<Self>, StateError> {
        let path = folder.join(FILE);
        let read = |source| StateError::Read { path: path.clone(), source };
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| read(error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(read(error)),
        }
    }

    /// Keeps the execution in `folder`, readable to nobody else.
    pub(crate) fn keep(&self, folder: &Path) -> Result<(), StateError> {
        let path = folder.join(FILE);
        let partial = folder.join(format!(".{FILE}.partial"));
        let bytes = serde_json::to_vec(self).expect("states hold text keys and plain values");
        let written = DirBuilder::new().recursive(true).mode(0o700).create(folder).and_then(|()| {
            let mut options = OpenOptions::new();
            let mut file =
                options.write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
            file.write_all(&bytes)?;
            // What a restart follows has to be on the disk.
            file.sync_all()?;
            fs::rename(&partial, &path)
        });
        written.map_err(|source| StateError::Keep { path, source })
    }

    /// Forgets the execution in `folder`.
    pub(crate) fn forget(folder: &Path) -> Result<(), StateError> {
        let path = folder.join(FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StateError::Keep { path, source: error })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Makes `order` that of the execution, which it must not contradict.
    pub(crate) fn complete(&self, order: &mut Order) -> Result<(), StateError> {
        let waiting = self.documents.iter();
        let documents: Vec<_> =
            waiting.map(|one| (one.path.clone(), one.parameters.clone())).collect();
        let agrees = (order.documents.is_empty() || order.documents == documents)
            && (order.phases.is_none() || order.phases == self.phases);
        if !agrees {
            let what = "what is asked for".to_owned();
            let folder = order.state_directory.clone().unwrap_or_default();
            return Err(StateError::Changed { what, path: Self::path(&folder) });
        }
        order.documents = documents;
        order.phases = self.phases.clone();
        let document_owner = order.document_owner.take();
        order.document_owner = document_owner.or_else(|| self.document_owner.clone());
        order.log_bucket = order.log_bucket.take().or_else(|| self.log_bucket.clone());
        order.log_target = order.log_target.take().or_else(|| self.log_target.clone());
        Ok(())
    }

    /// Fails unless `documents` are those of the execution, which waits in
    /// `folder`.
    pub(crate) fn check(&self, documents: &[Document], folder: &Path) -> Result<(), StateError> {
        for (kept, document) in self.documents.iter().zip(documents) {
            if kept.digest != Digest::of(document.text.as_bytes()) {
                let what = format!("the document {}", kept.path);
                return Err(StateError::Changed { what, path: folder.join(FILE) });
            }
        }
        Ok(())
    }
}

/// Returns what tells one boot of this machine from the next.
pub(crate) fn boot() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}
