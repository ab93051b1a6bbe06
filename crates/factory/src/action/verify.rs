//! Shuts the tested machine down and checks that the disk is what it was.

use crate::work::Work;
use crate::{Cause, Failure};

/// Ends the test machine and digests the disk again.
pub(crate) fn verify_image(work: &mut Work<'_>) -> Result<String, Box<Failure>> {
    let fail = |error: &dyn std::error::Error| Failure::of(Cause::Test, error);
    work.deadline = None;
    if let Some(machine) = work.machine.take() {
        machine.terminate(&work.watch(""));
    }
    let artefact = work.artefact.as_ref().expect("the plan creates the image before its tests");
    let disk = work.factory.cells.data().join(&artefact.disk);
    let file = std::fs::File::open(disk).map_err(|error| fail(&error))?;
    let mut progress = |progress: publish::Progress| {
        work.teller().progress(progress.done, progress.total);
    };
    let mut watch = publish::Watch { progress: &mut progress, cancel: work.cancel };
    let digest = publish::disk_digest(&file, &mut watch).map_err(|error| fail(&error))?;
    if digest != artefact.digest {
        let mut failure = fail(&Changed);
        failure.last_lines =
            vec![format!("before: {}", artefact.digest), format!("after:  {digest}")];
        return Err(failure);
    }
    Ok(format!("unchanged, {digest}"))
}

/// The test changed what it tested.
#[derive(Debug, thiserror::Error)]
#[error("the disk is not what it was before its test")]
struct Changed;
