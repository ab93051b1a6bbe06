//! `goldsmith delete`: takes an image out of the catalogue.

use store::{Db, ami, image};

use crate::clock::now_micros;
use crate::confirm::confirm;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::output::Output;
use crate::reference::{self, Among, FindError, ImageReference, title};

/// Delete an image: its AMIs and snapshots in every region
///
/// The build's record and its log stay. The space is free after `goldsmith gc`.
#[derive(Debug, clap::Args)]
#[command(after_help = reference::FORMS)]
pub(crate) struct Delete {
    /// The image
    image: ImageReference,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Delete {
    pub(crate) async fn run(self, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
        let db = home.catalogue().await?;
        let run = reference::find(db.as_ref(), &self.image, Among::All).await??;
        let title = title(&run);
        let db: Db = db.ok_or_else(|| FindError::None(title.clone()))?;
        let amis = ami::of_run(&db, run.id).await?;
        let amis: Vec<String> = amis.iter().map(|entry| entry.ami.id.to_string()).collect();
        if !self.yes {
            confirm(&title, &described(&title, &amis), home, out)?;
        }
        let deleted = image::delete(&db, run.id, now_micros()).await?;
        if out.is_json() {
            let snapshots = deleted.snapshots.iter().map(|entry| entry.snapshot.id.to_string());
            out.json(&serde_json::json!({
                "image": title,
                "amis": amis,
                "snapshots": snapshots.collect::<Vec<_>>(),
            }))?;
        } else {
            out.text(&format!("deleted {}\n", described(&title, &amis)))?;
            out.note(format_args!("`goldsmith gc` frees the space"));
        }
        Ok(Exit::Done)
    }
}

fn described(title: &str, amis: &[String]) -> String {
    match amis {
        [] => title.to_owned(),
        _ => format!("{title} with {}", amis.join(", ")),
    }
}
