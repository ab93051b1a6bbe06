//! `goldsmith gc`: frees the space of what nothing refers to.

use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::output::Output;
use crate::text;

/// Free the space of deleted images and of what crashes left behind
///
/// Fails at once, and removes nothing, while a build is publishing.
#[derive(Debug, clap::Args)]
pub(crate) struct Gc {}

impl Gc {
    pub(crate) async fn run(self, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
        let factory = home.factory(out).await?;
        let swept = factory.collect_garbage().await?;
        if out.is_json() {
            out.json(&serde_json::json!({ "removed": swept.removed, "freedBytes": swept.freed }))?;
        } else {
            let freed = text::size(swept.freed);
            out.text(&format!("removed {} blobs, freed {freed}\n", swept.removed))?;
        }
        Ok(Exit::Done)
    }
}
