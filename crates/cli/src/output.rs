//! The only place that prints.
//!
//! What was asked for goes to standard output; everything said about it goes
//! to standard error, so that a pipe gets the one without the other.

use std::fmt;
use std::io::{self, Write as _};

use serde::Serialize;

use crate::arguments::{Format, Global};
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;

/// Prints.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
    colours_err: bool,
}

/// How a piece of text is to look where colours are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Dim,
    Bad,
}

impl Output {
    /// Returns what prints as the arguments and the terminals want it.
    pub(crate) fn new(global: &Global, environment: &Environment) -> Self {
        Self { format: global.output, quiet: global.quiet, colours_err: environment.colours_err }
    }

    /// Returns how results are to be printed.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Says whether JSON was asked for.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Says whether JUnit XML was asked for.
    pub(crate) fn is_junit(&self) -> bool {
        self.format == Format::Junit
    }

    /// Says whether silence was asked for.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints text that was asked for.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(CliError::Output)
    }

    /// Prints a value that was asked for, as JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value)
            .expect("what is printed has text keys and plain values");
        self.text(&format!("{text}\n"))
    }

    /// Says something by the way, unless silence was asked for.
    pub(crate) fn note(&self, text: fmt::Arguments<'_>) {
        if !self.quiet {
            say(&format!("{text}\n"));
        }
    }

    /// Says something that must not be missed.
    pub(crate) fn warning(&self, text: &str) {
        say(text);
    }

    /// Shows what an answer is expected to.
    pub(crate) fn prompt(&self, text: &str) {
        say(text);
    }

    /// Asks for a yes or no on the terminal.
    pub(crate) fn ask(&self, question: &str) -> io::Result<bool> {
        self.prompt(&format!("{question} [y/N] "));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Tells which results could not be handed over; returns the exit of what
    /// came to `exit`, which counts before the loss of its results.
    pub(crate) fn conclude(
        &self,
        exit: Exit,
        handed_over: impl IntoIterator<Item = Result<(), CliError>>,
    ) -> Exit {
        handed_over.into_iter().filter_map(Result::err).fold(exit, |exit, error| {
            self.error(&error);
            if exit == Exit::Done { error.exit() } else { exit }
        })
    }

    /// Tells why the command failed.
    pub(crate) fn error(&self, error: &CliError) {
        let text = error.render();
        say(&match text.strip_prefix("error:") {
            Some(rest) => format!("{}{rest}", painted("error:", Style::Bad, self.colours_err)),
            None => text,
        });
    }
}

/// Returns `text` with the terminal's codes for `style` around it.
pub(crate) fn painted(text: &str, style: Style, colours: bool) -> String {
    let code = match style {
        Style::Dim => "2",
        Style::Bad => "1;31",
        Style::Plain => return text.to_owned(),
    };
    if colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Writes to standard error. Where that is closed nobody listens, which is
/// no reason to stop the work.
pub(crate) fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
