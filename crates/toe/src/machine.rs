//! What an execution needs to know of the machine it is on.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::aws;
use crate::clock::Deadline;
use crate::limit::Limit;
use crate::process::PATH;

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
    /// Variables that programs get besides those of every service, or in
    /// place of these.
    pub variables: BTreeMap<OsString, OsString>,
    /// Set by another thread when the execution shall end early: the program
    /// at work is killed, its step fails, and nothing more runs.
    pub stop: Arc<AtomicBool>,
    /// How S3 is reached.
    pub s3: aws::Settings,
    /// The folder that holds the logs of the execution, if there is one.
    pub logs: Option<PathBuf>,
}

impl Machine {
    /// Returns where `path` of a document leads.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(Path::new(path))
    }

    /// Returns the folders in which programs are sought, as in `PATH`.
    pub(crate) fn search_path(&self) -> &OsStr {
        self.variables.get(OsStr::new("PATH")).map_or(OsStr::new(PATH), OsString::as_os_str)
    }

    /// Waits for `delay`; says whether the execution may go on then, which it
    /// may not once it shall end.
    pub fn pause(&self, delay: Duration) -> bool {
        Limit::new(Deadline::after(None), &self.stop).pause(delay).is_ok()
    }

    /// Says whether the execution shall end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}
