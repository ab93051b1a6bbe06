//! `goldsmith export`: an image as a file for a hypervisor.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::Arc;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use publish::{Existing, Format};

use crate::cancel::on_signals;
use crate::clock::instant;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::output::Output;
use crate::progress::{Detail, Ending, Look, Progress};
use crate::published::Published;
use crate::reference::{self, ImageReference};
use crate::text;

/// Write an image's disk to a file, in the format of a hypervisor
///
/// raw is the disk itself, as a sparse file; qcow2 is QEMU's and Proxmox's
/// format, vmdk VMware's (stream-optimised, as AWS's import takes it), vhd
/// Hyper-V's and Azure's. The file appears whole or not at all.
#[derive(Debug, clap::Args)]
#[command(after_help = reference::FORMS)]
pub(crate) struct Export {
    /// The AMI, or an image: then that of its first region
    ami: ImageReference,
    /// The file to write
    file: PathBuf,
    /// The format of the disk
    #[arg(long, short, value_parser = PossibleValuesParser::new(Format::ALL.map(Format::as_str))
        .map(|name| Format::from_str(&name).expect("the possible values are the formats")))]
    format: Format,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

impl Export {
    pub(crate) async fn run(self, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
        let Published { ami, region, map } = Published::find(home, &self.ami).await?;
        // In place or not at all: the result says the rest.
        let redraws = home.environment().redraws && !out.is_json() && !out.is_quiet();
        let progress = Progress::start(Look {
            redraws,
            colours: home.environment().colours_err,
            detail: if redraws { Detail::Steps } else { Detail::Quiet },
        });
        let teller = Arc::new(progress.teller());
        let told = Arc::clone(&teller);
        let cancel = on_signals(move || told.note("cancelling…".to_owned()))?;
        let (format, file) = (self.format, self.file.clone());
        let existing = if self.force { Existing::Replace } else { Existing::Refuse };
        let title = ami.ami.name.clone();
        let label = format!("export as {}", format.as_str());
        let id = ami.ami.id.to_string();
        let work = move || {
            let began = instant();
            teller.begin_alone(title, id, label);
            let mut tell = |progress: publish::Progress| {
                teller.progress(progress.done, progress.total);
            };
            let mut watch = publish::Watch { progress: &mut tell, cancel: &cancel };
            let done = publish::export(&map, region.store(), format, &file, existing, &mut watch);
            let ending = if done.is_ok() { Ending::Done } else { Ending::Failed };
            teller.end_alone(began.elapsed(), ending);
            done
        };
        let done = tokio::task::spawn_blocking(work).await;
        progress.end();
        done.expect("an export does not panic")?;

        let size = std::fs::metadata(&self.file).map_or(0, |meta| meta.len());
        if out.is_json() {
            out.json(&serde_json::json!({
                "ami": ami.ami.id.to_string(),
                "format": self.format.as_str(),
                "file": self.file.display().to_string(),
                "bytes": size,
            }))?;
        } else {
            out.text(&format!("{}  {}\n", self.file.display(), text::size(size)))?;
        }
        Ok(Exit::Done)
    }
}
