//! `goldsmith completion`: scripts that complete commands in shells.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Print a script that completes commands in a shell
///
/// For bash: goldsmith completion bash > ~/.local/share/bash-completion/completions/goldsmith
#[derive(Debug, clap::Args)]
pub(crate) struct Completion {
    /// The shell
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(self, out: &mut Output) -> Result<Exit, CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "goldsmith", &mut script);
        out.text(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}
