//! `goldsmith man`: the manual pages.

use std::fs;
use std::path::PathBuf;

use clap::CommandFactory as _;

use crate::arguments::Arguments;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Write the manual pages into a folder
///
/// One page for goldsmith and one for each command, such as goldsmith-build.1.
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// The folder; made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    pub(crate) fn run(self, out: &mut Output) -> Result<Exit, CliError> {
        fs::create_dir_all(&self.folder)
            .and_then(|()| clap_mangen::generate_to(Arguments::command(), &self.folder))
            .map_err(|source| CliError::Write { path: self.folder.clone(), source })?;
        out.note(format_args!("the manual pages are in {}", self.folder.display()));
        Ok(Exit::Done)
    }
}
