//! `goldsmith`, the command: parses arguments, chooses implementations, and
//! hands over to one file per command.

mod apt;
mod arguments;
mod cancel;
mod clock;
mod command;
mod confirm;
mod environment;
mod error;
mod exit;
mod home;
mod identity;
mod junit;
mod keys;
mod machines;
mod needs;
mod output;
mod progress;
mod published;
mod reference;
mod tally;
mod terminal;
mod text;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::Arguments;
use environment::Environment;
use output::Output;

fn main() -> ExitCode {
    let args: Vec<String> =
        std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    // Before anything else: a cell's process must not have threads.
    if let Some(code) = cell::main(&args) {
        return code;
    }
    let arguments = Arguments::parse();
    let environment = Environment::of_this_process();
    if environment.root {
        // Root's cells are other users, and read what is made for them.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    }
    let mut out = Output::new(&arguments.global, &environment);
    match command::run(arguments, environment, &mut out) {
        Ok(exit) => exit.into(),
        Err(error) => {
            out.error(&error);
            error.exit().into()
        }
    }
}
