//! Boots a machine from a copy-on-write overlay of the disk.

use std::time::Duration;

use instance::vm::{Firmware, Launch, Machine, accelerator};

use super::execute::limits;
use crate::clock::instant;
use crate::work::Work;
use crate::{Cause, Failure};

/// How much larger than the image the test machine's disk is, so that the
/// root file system has something to grow into.
const GROWTH: u64 = 1 << 30;

/// Boots the image and waits until its system says that it has booted.
pub(crate) fn launch_test(work: &mut Work<'_>) -> Result<String, Box<Failure>> {
    let artefact = work.artefact.clone().expect("the plan creates the image before its tests");
    let minutes = work.order.project.tests.timeout_minutes;
    work.deadline = instant().checked_add(Duration::from_secs(u64::from(minutes) * 60));
    let limits = limits(work);
    let cells = &work.factory.cells;
    let firmware = Firmware::find().ok_or_else(|| Failure::of(Cause::Lacking, &NoFirmware))?;
    let accelerator = accelerator(cells);
    work.teller().line(None, &format!("accelerator: {accelerator}"));
    let launch = Launch {
        name: format!("{}-test", work.run.work),
        disk: artefact.disk.clone(),
        size: work.report.disk_bytes.map(|size| size + GROWTH),
        work: work.folder.join("test"),
        agent: work.factory.agent.clone(),
        cpus: limits.cpus,
        memory_mib: limits.memory_mib,
        accelerator: accelerator.accelerator,
        firmware,
        patience: Launch::PATIENCE,
    };
    let machine = Machine::launch(cells, &launch, &work.watch(""))
        .map_err(|error| Failure::of(Cause::Test, &error))?;
    let seconds = machine.boot_time().as_secs_f64();
    work.report.boot_seconds = Some(seconds);
    work.machine = Some(machine);
    Ok(format!("booted in {seconds:.1} s"))
}

/// There is nothing that starts a machine's boot loader.
#[derive(Debug, thiserror::Error)]
#[error("no UEFI firmware for machines was found; install it with: apt-get install ovmf")]
pub(crate) struct NoFirmware;
