//! `goldsmith images`: what was built.

use std::time::Duration;

use model::ImageState;
use serde::Serialize;
use store::run::Run;
use store::{ami, run};

use crate::clock::now_micros;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::output::Output;
use crate::reference::title;
use crate::text;

/// List images, the newest first
#[derive(Debug, clap::Args)]
pub(crate) struct Images {
    /// List deleted images too
    #[arg(long, short)]
    all: bool,
}

/// An image as JSON has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    image: String,
    run: String,
    state: &'static str,
    date_created: String,
    amis: Vec<ListedAmi>,
}

#[derive(Debug, Serialize)]
struct ListedAmi {
    region: String,
    ami: String,
    name: String,
}

impl Images {
    pub(crate) async fn run(self, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
        let (runs, amis) = match home.catalogue().await? {
            Some(db) => (run::list(&db).await?, ami::list(&db).await?),
            None => (Vec::new(), Vec::new()),
        };
        let runs: Vec<Run> =
            runs.into_iter().filter(|run| self.all || run.state != ImageState::Deleted).collect();
        if out.is_json() {
            let listed: Vec<_> = runs.iter().map(|run| listed(run, &amis)).collect();
            out.json(&listed)?;
        } else if runs.is_empty() {
            out.note(format_args!("there are no images yet; build one with `goldsmith build`"));
        } else {
            out.text(&table(&runs, &amis, now_micros()))?;
        }
        Ok(Exit::Done)
    }
}

fn listed(run: &Run, amis: &[ami::Entry]) -> Listed {
    let own = amis.iter().filter(|entry| entry.run == run.id);
    Listed {
        image: title(run),
        run: run.id.to_string(),
        state: run.state.as_str(),
        date_created: text::stamp(run.started_at),
        amis: own
            .map(|entry| ListedAmi {
                region: entry.ami.region.to_string(),
                ami: entry.ami.id.to_string(),
                name: entry.ami.name.clone(),
            })
            .collect(),
    }
}

fn table(runs: &[Run], amis: &[ami::Entry], now: i64) -> String {
    let heads = ["IMAGE", "STATE", "BEGUN", "AMIS"].map(str::to_owned);
    let rows = runs.iter().map(|run| {
        let own = amis.iter().filter(|entry| entry.run == run.id);
        let own: Vec<_> =
            own.map(|entry| format!("{} ({})", entry.ami.id, entry.ami.region)).collect();
        let age = u64::try_from(now - run.started_at).unwrap_or(0);
        [title(run), run.state.to_string(), text::ago(Duration::from_micros(age)), own.join(", ")]
    });
    text::table(&std::iter::once(heads).chain(rows).collect::<Vec<_>>())
}
