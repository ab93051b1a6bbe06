//! `goldsmith gc`: frees the space of what nothing refers to.

use factory::Bases;

use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::output::Output;
use crate::text;

/// Free the space of deleted images and of what crashes left behind
///
/// Bases that were made of deleted images go as well, unless a build is under way. Fails at once,
/// and removes nothing, while a build is publishing.
#[derive(Debug, clap::Args)]
pub(crate) struct Gc {
    /// Remove all bases: whatever needs one makes, or imports, it again
    #[arg(long)]
    bases: bool,
}

impl Gc {
    pub(crate) async fn run(self, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
        let factory = home.factory(out).await?;
        let which = if self.bases { Bases::All } else { Bases::OfDeletedImages };
        let bases = match factory.remove_bases(which).await {
            // Only the next time, then.
            Err(error) if error.is_busy() && !self.bases => 0,
            removed => removed?,
        };
        // After that: a snapshot that cannot be read keeps bases from nobody.
        let swept = factory.collect_garbage().await?;
        if out.is_json() {
            out.json(&serde_json::json!({
                "removed": swept.removed,
                "freedBytes": swept.freed,
                "basesRemoved": bases,
            }))?;
        } else {
            let freed = text::size(swept.freed);
            let told = format!("removed {} blobs, freed {freed}", swept.removed);
            let and = if bases == 0 { String::new() } else { format!("; removed {bases} bases") };
            out.text(&format!("{told}{and}\n"))?;
        }
        Ok(Exit::Done)
    }
}
