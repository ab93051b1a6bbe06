//! What the process was started with: user, variables and terminals, read once.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;

/// The surroundings of the process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    /// Whether root runs it.
    pub(crate) root: bool,
    /// `HOME`.
    pub(crate) home: Option<PathBuf>,
    /// `XDG_DATA_HOME`.
    pub(crate) data_home: Option<PathBuf>,
    /// `GOLDSMITH_AGENT`.
    pub(crate) agent: Option<PathBuf>,
    /// `PATH`.
    pub(crate) path: Option<OsString>,
    /// The program's own file.
    pub(crate) executable: Option<PathBuf>,
    /// Every variable.
    pub(crate) variables: Vec<(OsString, OsString)>,
    /// Whether standard input is a terminal.
    pub(crate) asks: bool,
    /// Whether standard error is a terminal on which lines can be redrawn.
    pub(crate) redraws: bool,
    /// Whether standard error may be coloured.
    pub(crate) colours_err: bool,
}

impl Environment {
    /// Returns this process's surroundings.
    #[expect(clippy::disallowed_methods, reason = "the environment is read here and passed down")]
    pub(crate) fn of_this_process() -> Self {
        let able = variable("TERM").is_some_and(|term| term != "dumb");
        let colours = able && variable("NO_COLOR").is_none_or(|value| value.is_empty());
        let err = std::io::stderr().is_terminal();
        Self {
            root: rustix::process::geteuid().is_root(),
            home: path("HOME"),
            data_home: path("XDG_DATA_HOME"),
            agent: path("GOLDSMITH_AGENT"),
            path: variable("PATH"),
            executable: std::env::current_exe().ok(),
            variables: std::env::vars_os().collect(),
            asks: std::io::stdin().is_terminal(),
            redraws: err && able,
            colours_err: err && colours,
        }
    }

    /// Returns the text of a variable.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let (_, value) = self.variables.iter().find(|(known, _)| known == name)?;
        value.to_str().map(str::to_owned)
    }
}

#[expect(clippy::disallowed_methods, reason = "the environment is read here and passed down")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Returns a variable that names a path; an empty one counts as none.
fn path(name: &str) -> Option<PathBuf> {
    variable(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
