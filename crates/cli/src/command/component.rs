//! `goldsmith component`: documents without an image around them.

mod chaining;
mod config;
mod document;
mod object;
mod order;
mod place;
mod platform;
mod prepare;
mod run;
mod state;
mod story;
mod stream;
mod trial;
mod validate;
mod work;

use clap::Subcommand;

use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::output::Output;

pub(crate) use document::DocumentProblems;
pub(crate) use object::LogBucketFailure;
pub(crate) use order::OrderError;
pub(crate) use place::PlaceError;
pub(crate) use state::StateError;

/// Check component documents, and run them
///
/// Takes the arguments of AWS's runner (awstoe), prints its JSON on standard
/// output and leaves its log folder; everything else that is said goes to
/// standard error.
#[derive(Debug, clap::Args)]
pub(crate) struct Component {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Validate(validate::Validate),
    Run(Box<run::Run>),
}

impl Component {
    /// Carries it out; `home` is asked for only where a data folder is needed.
    pub(crate) async fn run(
        self,
        environment: &Environment,
        home: impl Fn() -> Result<Home, CliError>,
        out: &mut Output,
    ) -> Result<Exit, CliError> {
        match self.what {
            What::Validate(validate) => validate.run(environment, out),
            What::Run(run) => Ok(run.run(environment, home, out).await),
        }
    }
}
