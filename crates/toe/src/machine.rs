//! What an execution needs to know of the machine it is on.

use std::path::{Path, PathBuf};

/// How documents are executed on this machine.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Where scripts are kept while they run, readable to nobody else; made
    /// when absent.
    pub scratch: PathBuf,
    /// The working directory of programs, to which relative paths refer.
    pub folder: PathBuf,
    /// Whether orphans become children of this process (it is process 1 or a
    /// subreaper), so that it has to wait for them.
    ///
    /// Nothing else in the process may then start programs while a document
    /// is executed.
    pub adopts_orphans: bool,
}

impl Machine {
    /// Returns where `path` of a document leads.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(Path::new(path))
    }
}
