//! Measurements: `cargo xtask bench` races other tools, `cargo xtask bench api` and
//! `cargo xtask bench component` hold limits.

mod api;
mod component;
mod race;

use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    let task: Vec<String> = std::env::args().skip(1).collect();
    // The race removes trees in cells, which are this program again.
    if let Some(code) = cell::main(&task) {
        return code;
    }
    let task: Vec<&str> = task.iter().map(String::as_str).collect();
    let done = match task[..] {
        ["api"] => api::bench(),
        ["component"] => component::bench(),
        [] => race::bench(&[]),
        [first, ..] if first.starts_with("--") => race::bench(&task),
        _ => Err(io::Error::other("expected api, component or the options of a race")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a benchmark reports to whoever runs it")]
fn report(error: &io::Error) {
    eprintln!("bench: {error}");
    let mut cause = error.get_ref().and_then(|inner| inner.source());
    while let Some(inner) = cause {
        eprintln!("  because {inner}");
        cause = inner.source();
    }
}
