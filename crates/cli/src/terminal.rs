//! Gives the terminal back as it was, whatever a program did to it.

use std::io::{self, IsTerminal as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The terminal's settings; restored when dropped.
#[derive(Debug)]
pub(crate) struct Terminal(Option<Termios>);

impl Terminal {
    /// Stops showing what is typed at the terminal at standard input.
    pub(crate) fn without_echo() -> io::Result<Self> {
        let stdin = io::stdin();
        let settings = tcgetattr(&stdin)?;
        let mut silent = settings.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Now, &silent)?;
        Ok(Self(Some(settings)))
    }

    /// Remembers the settings of the terminal at standard input, if it is one.
    pub(crate) fn remember() -> Self {
        let stdin = io::stdin();
        Self(if stdin.is_terminal() { tcgetattr(&stdin).ok() } else { None })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(settings) = &self.0 {
            // A terminal that is gone needs no settings.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, settings);
        }
    }
}
