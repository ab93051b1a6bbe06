//! Copies the disk to every region and registers the AMIs of all at once.

use model::{Architecture, BootMode};
use publish::{Publication, Region};

use crate::build::random;
use crate::clock::now_micros;
use crate::work::Work;
use crate::{Cause, Failure, Published};

/// Publishes the image; if that fails, frees the room of what was copied.
pub(crate) fn distribute(work: &mut Work<'_>) -> Result<String, Box<Failure>> {
    let published = publish(work);
    if published.is_err() {
        // Another build may be publishing; then it waits for `goldsmith gc`.
        let _left = work.handle.block_on(work.factory.collect_garbage());
    }
    published
}

fn publish(work: &mut Work<'_>) -> Result<String, Box<Failure>> {
    let fail = |error: &dyn std::error::Error| Failure::of(Cause::Factory, error);
    let data = work.factory.cells.data();
    let artefact = work.artefact.as_ref().expect("the plan creates the image before it goes out");
    let distributions = work.order.project.distributions.as_slice();
    let mut regions = Vec::new();
    for distribution in distributions {
        regions.push(Region::open(data, &distribution.region).map_err(|error| fail(&error))?);
    }
    let file = std::fs::File::open(data.join(&artefact.disk)).map_err(|error| fail(&error))?;
    let mut progress = |progress: publish::Progress| {
        work.teller().progress(progress.done, progress.total);
    };
    let mut watch = publish::Watch { progress: &mut progress, cancel: work.cancel };
    let staged = publish::stage(&file, &artefact.digest, &regions, &mut watch)
        .map_err(|error| fail(&error))?;
    let copied: Vec<_> = staged.regions().iter().map(|region| region.copied).collect();
    for (region, copied) in regions.iter().zip(&copied) {
        let text =
            format!("{}: {} of {} blocks copied", region.name(), copied.copied, copied.total);
        work.teller().line(None, &text);
    }

    // Ids are drawn before anything is registered: randomness may fail.
    let mut ids = Vec::new();
    for _ in 0..2 * distributions.len() {
        ids.push(random::<8>().map_err(|error| fail(&error))?);
    }
    let recipe = &work.order.project.recipe;
    let publication = Publication {
        run: work.run.id,
        step: work.ordinal,
        owner: work.account.clone(),
        recipe: recipe.name.as_str(),
        tags: &recipe.ami_tags,
        facts: work.facts,
        architecture: Architecture::X86_64,
        boot_mode: BootMode::Uefi,
        at: now_micros(),
    };
    let draw = || ids.pop().expect("each distribution needs one AMI and one snapshot");
    let registered = staged.register(&work.factory.db, &publication, distributions, draw);
    let entries = work.handle.block_on(registered).map_err(|error| fail(&error))?;
    let published = entries.iter().zip(copied).map(|(entry, copied)| Published {
        region: entry.ami.region.to_string(),
        ami: entry.ami.id.to_string(),
        name: entry.ami.name.clone(),
        blocks: copied.total,
        copied: copied.copied,
    });
    work.report.amis = published.collect();
    Ok(work.report.amis.iter().map(|ami| ami.ami.as_str()).collect::<Vec<_>>().join(", "))
}
