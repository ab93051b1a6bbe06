//! The command line: options of all commands, and the list of commands.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::command::{
    account, build, completion, component, delete, doctor, env, export, gc, images, key, logs, man,
    parameter, run, schema, serve, show,
};
use crate::exit::Exit;

/// Build, test and publish golden machine images
///
/// Goldsmith reads a project, a goldsmith.yaml with component documents beside
/// it, builds a bootable disk image of it, tests that very image in a virtual
/// machine, and publishes it as AMIs. Projects and documents are written as
/// for EC2 Image Builder.
#[derive(Debug, Parser)]
#[command(name = "goldsmith", version, after_help = Exit::help(), max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Keep and find images, logs and bases here [default: /var/lib/goldsmith
    /// for root, else goldsmith in XDG_DATA_HOME or ~/.local/share]
    #[arg(long, value_name = "DIR", env = "GOLDSMITH_DATA_DIR", hide_env_values = true)]
    #[arg(global = true)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print results as text or json; of builds and components also as junit
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true)]
    #[arg(hide_possible_values = true)]
    pub(crate) output: Format,
    /// Say nothing but results and errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Show every line that components write
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    Junit,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Build(build::Build),
    Component(component::Component),
    Images(images::Images),
    Show(show::Show),
    Logs(logs::Logs),
    Run(run::Run),
    Export(export::Export),
    Delete(delete::Delete),
    Gc(gc::Gc),
    Account(account::Accounts),
    Key(key::Keys),
    Serve(serve::Serve),
    Env(env::Env),
    Parameter(parameter::Parameters),
    Doctor(doctor::Doctor),
    Schema(schema::Schema),
    Completion(completion::Completion),
    Man(man::Man),
}

impl Command {
    /// Says whether it only lists what there is: then nothing is lost where the
    /// reader of the output goes away.
    pub(crate) fn lists(&self) -> bool {
        match self {
            Self::Images(_)
            | Self::Show(_)
            | Self::Logs(_)
            | Self::Env(_)
            | Self::Schema(_)
            | Self::Completion(_)
            | Self::Man(_) => true,
            Self::Account(accounts) => accounts.lists(),
            Self::Key(keys) => keys.lists(),
            Self::Parameter(parameters) => parameters.lists(),
            Self::Build(_)
            | Self::Component(_)
            | Self::Run(_)
            | Self::Export(_)
            | Self::Delete(_)
            | Self::Gc(_)
            | Self::Serve(_)
            | Self::Doctor(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
