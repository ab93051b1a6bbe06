//! Asking before something is gone for good.

use crate::error::CliError;
use crate::home::Home;
use crate::output::Output;

/// Asks on the terminal whether `described` shall be deleted; fails if not, or without a terminal.
pub(crate) fn confirm(
    what: &str,
    described: &str,
    home: &Home,
    out: &Output,
) -> Result<(), CliError> {
    if !home.environment().asks {
        return Err(CliError::Unconfirmed { what: what.to_owned() });
    }
    let agreed = out.ask(&format!("Delete {described}?")).map_err(CliError::Ask)?;
    if agreed { Ok(()) } else { Err(CliError::Declined) }
}
