//! What an execution needs to know of the machine it is on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::s3;

/// How documents are executed on this machine.
#[derive(Debug, Clone, Default)]
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
    /// How S3 is reached.
    pub s3: s3::Settings,
    /// The texts of components, by ARN, that documents may execute.
    pub components: BTreeMap<String, String>,
    /// The folder that holds the logs of the execution, if there is one.
    pub logs: Option<PathBuf>,
}

impl Machine {
    /// Returns where `path` of a document leads.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(Path::new(path))
    }
}
