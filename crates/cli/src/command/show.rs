//! `goldsmith show`: all that is known of an image.

mod page;

use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Serialize;
use store::artefact::Artefact;
use store::run::Run;
use store::step::Step;
use store::{Db, ami, artefact, snapshot, step};

use crate::clock::now_micros;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::output::Output;
use crate::reference::{self, Among, ImageReference, title};
use crate::text;

/// Show an image: its state, its steps, its tests, its digest and its AMIs
#[derive(Debug, clap::Args)]
#[command(after_help = reference::FORMS)]
pub(crate) struct Show {
    /// The image
    image: ImageReference,
}

/// What is known of an image.
#[derive(Debug)]
struct Known {
    run: Run,
    steps: Vec<Step>,
    artefact: Option<Artefact>,
    amis: Vec<(ami::Entry, snapshot::Entry)>,
}

impl Show {
    pub(crate) async fn run(self, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
        let db = home.catalogue().await?;
        let run = reference::find(db.as_ref(), &self.image, Among::All).await??;
        // What was found is in a catalogue.
        let Some(db) = db else { return Ok(Exit::NotFound) };
        let known = known(&db, run).await?;
        if out.is_json() {
            out.json(&shown(&known))?;
        } else {
            out.text(&page::page(&known, now_micros(), &TimeZone::system()))?;
        }
        Ok(Exit::Done)
    }
}

async fn known(db: &Db, run: Run) -> Result<Known, CliError> {
    let steps = step::list(db, run.id).await?;
    let artefact = artefact::get(db, run.id).await?;
    let mut amis = Vec::new();
    for entry in ami::of_run(db, run.id).await? {
        let snapshot = snapshot::get(db, entry.ami.root).await?;
        amis.push((entry, snapshot));
    }
    Ok(Known { run, steps, artefact, amis })
}

fn took(from: i64, to: i64) -> Duration {
    Duration::from_micros(u64::try_from(to - from).unwrap_or(0))
}

/// An image as JSON has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownImage<'a> {
    image: String,
    run: String,
    state: &'static str,
    reason: &'a str,
    project: &'a str,
    recipe: &'a serde_json::Value,
    date_created: String,
    date_ended: Option<String>,
    digest: Option<String>,
    disk_bytes: Option<u64>,
    tests: Option<&'a serde_json::Value>,
    steps: Vec<ShownStep<'a>>,
    amis: Vec<ShownAmi<'a>>,
}

#[derive(Debug, Serialize)]
struct ShownStep<'a> {
    workflow: &'static str,
    action: &'a str,
    label: &'a str,
    state: &'static str,
    message: &'a str,
    seconds: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownAmi<'a> {
    region: &'a str,
    ami: String,
    name: &'a str,
    description: Option<&'a str>,
    architecture: &'static str,
    boot_mode: &'static str,
    tags: serde_json::Map<String, serde_json::Value>,
    snapshot: String,
    blocks: u64,
}

fn shown(Known { run, steps, artefact, amis }: &Known) -> ShownImage<'_> {
    let steps = steps.iter().map(|step| ShownStep {
        workflow: step.workflow.as_str(),
        action: &step.action,
        label: &step.label,
        state: step.state.as_str(),
        message: &step.message,
        seconds: step.ended_at.map(|ended| took(step.started_at, ended).as_secs_f64()),
    });
    let amis = amis.iter().map(|(ami::Entry { ami, .. }, snapshot)| ShownAmi {
        region: ami.region.as_str(),
        ami: ami.id.to_string(),
        name: &ami.name,
        description: ami.description.as_deref(),
        architecture: ami.architecture.as_str(),
        boot_mode: ami.boot_mode.as_str(),
        tags: ami.tags.iter().map(|(name, value)| (name.to_owned(), value.into())).collect(),
        snapshot: snapshot.snapshot.id.to_string(),
        blocks: snapshot.blocks,
    });
    ShownImage {
        image: title(run),
        run: run.id.to_string(),
        state: run.state.as_str(),
        reason: &run.reason,
        project: &run.project,
        recipe: &run.recipe,
        date_created: text::stamp(run.started_at),
        date_ended: run.ended_at.map(text::stamp),
        digest: artefact.as_ref().map(|artefact| artefact.digest.to_string()),
        disk_bytes: artefact.as_ref().map(|artefact| artefact.size),
        tests: artefact.as_ref().map(|artefact| &artefact.tests),
        steps: steps.collect(),
        amis: amis.collect(),
    }
}
