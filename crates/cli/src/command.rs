//! The commands, one file each, and how they are started.

pub(crate) mod account;
pub(crate) mod build;
pub(crate) mod completion;
pub(crate) mod component;
pub(crate) mod delete;
pub(crate) mod doctor;
pub(crate) mod env;
pub(crate) mod export;
pub(crate) mod gc;
pub(crate) mod images;
pub(crate) mod key;
pub(crate) mod logs;
pub(crate) mod man;
pub(crate) mod parameter;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod show;

use crate::arguments::{Arguments, Command, Format};
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::output::Output;

/// Carries out what the arguments ask for.
pub(crate) fn run(
    Arguments { global, command }: Arguments,
    environment: Environment,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(CliError::Runtime)?;
    let takes_junit = matches!(command, Command::Build(_) | Command::Component(_));
    if global.output == Format::Junit && !takes_junit {
        return Err(CliError::NoJunit);
    }
    let lists = command.lists();
    let home = || Home::new(global.data_dir.clone(), environment.clone());
    let result = runtime.block_on(async {
        match command {
            Command::Build(build) => Ok(build.run(&home()?, global.verbose, out).await),
            Command::Component(component) => component.run(&environment, home, out).await,
            Command::Images(images) => images.run(&home()?, out).await,
            Command::Show(show) => show.run(&home()?, out).await,
            Command::Logs(logs) => logs.run(&home()?, out).await,
            Command::Run(run) => run.run(&home()?, out).await,
            Command::Export(export) => export.run(&home()?, out).await,
            Command::Delete(delete) => delete.run(&home()?, out).await,
            Command::Gc(gc) => gc.run(&home()?, out).await,
            Command::Account(accounts) => accounts.run(&home()?, out).await,
            Command::Key(keys) => keys.run(&home()?, out).await,
            Command::Serve(serve) => serve.run(&home()?, out).await,
            Command::Env(env) => env.run(&home()?, out).await,
            Command::Parameter(parameters) => parameters.run(&home()?, out).await,
            Command::Doctor(doctor) => doctor.run(&home()?, out),
            Command::Schema(schema) => schema.run(out),
            Command::Completion(completion) => completion.run(out),
            Command::Man(man) => man.run(out),
        }
    });
    // A machine that was told to end does so with this process.
    runtime.shutdown_background();
    match result {
        // Whoever reads the list has seen enough, as `head` has.
        Err(error) if lists && error.is_closed_pipe() => Ok(Exit::Done),
        result => result,
    }
}
