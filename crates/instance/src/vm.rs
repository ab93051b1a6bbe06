//! Virtual machines: QEMU on a copy-on-write overlay of a disk.
//!
//! QEMU runs in a cell; its standard input and output are the agent's stream.
//! The disk itself is never written, and nothing of the machine outlives
//! [`Machine`] but the files in its work folder.

mod argv;
mod console;
mod file;
mod link;
mod probe;
mod seed;
mod shell;
mod tail;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cell::{Cells, Folder, Network, Run, Stdio, Task};
use channel::{Event, Execute, Request, Status};

use crate::conversation::{ExecuteError, MAX_REBOOTS, Outcome, Watch};

use argv::{Plan, Talk};
use link::Link;

pub use argv::Firmware;
pub use console::{Console, Forward, Login, open_console};
pub use probe::{Accelerator, Verdict, accelerator};

/// How long a machine may take to power off before it is cut off.
const POWER_OFF: Duration = Duration::from_secs(60);

/// A running machine whose agent listens. Dropping it ends it at once.
#[derive(Debug)]
pub struct Machine {
    link: Link,
    patience: Duration,
    boot: Duration,
    /// Where the machine's files are.
    folder: PathBuf,
}

/// What a machine starts from. Paths are relative to the data folder.
#[derive(Debug, Clone)]
pub struct Launch {
    /// A name for the instance, unique among those that run.
    pub name: String,
    /// The raw disk image, which is only read.
    pub disk: PathBuf,
    /// The size that the machine sees its disk have, in bytes; at least the image's.
    pub size: Option<u64>,
    /// A folder for the overlay, the seed and the console's log; the instance's own.
    pub work: PathBuf,
    /// The agent's binary.
    pub agent: PathBuf,
    /// Processors; emulated machines have one whatever this says.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// What runs the machine's instructions.
    pub accelerator: Accelerator,
    /// The machine's firmware.
    pub firmware: Firmware,
    /// How long each boot may take, until the agent listens.
    pub patience: Duration,
}

impl Launch {
    /// How long a boot may take unless a user says otherwise: ten times what
    /// an emulated machine needs on two busy processors.
    pub const PATIENCE: Duration = Duration::from_secs(600);
}

impl Machine {
    /// Starts a machine and waits until its agent listens.
    pub fn launch(cells: &Cells, launch: &Launch, watch: &dyn Watch) -> Result<Self, ExecuteError> {
        let seed = seed::for_agent(&cells.data().join(&launch.agent)).map_err(prepare)?;
        let plan = Plan {
            accelerator: launch.accelerator,
            cpus: launch.cpus,
            memory_mib: launch.memory_mib,
            firmware: launch.firmware.code.clone(),
            work: launch.work.clone(),
            talk: Talk::Agent,
        };
        let place = Place {
            name: &launch.name,
            disk: &launch.disk,
            size: launch.size,
            firmware: &launch.firmware,
        };
        make_files(cells, &plan, &place, &seed)?;
        let data = Folder::open(cells.data()).map_err(prepare)?;
        let task = machine(&plan, Vec::new());
        let started = now();
        let cell = cells.spawn(&launch.name, task, None, Stdio::Pipes).map_err(start)?;
        let mut link = Link::new(cell, data, plan.console());
        wait_until_ready(&mut link, launch.patience, watch)?;
        let boot = now().duration_since(started);
        let folder = cells.data().join(&launch.work);
        Ok(Self { link, patience: launch.patience, boot, folder })
    }

    /// Returns how long the first boot took, from QEMU's start until the agent
    /// listened.
    pub fn boot_time(&self) -> Duration {
        self.boot
    }

    /// Executes a document, through as many restarts as it asks for.
    pub fn execute(
        &mut self,
        request: &Execute,
        watch: &dyn Watch,
    ) -> Result<(Status, String), ExecuteError> {
        let mut request = request.clone();
        for _ in 0..=MAX_REBOOTS {
            match self.converse_once(&request, watch)? {
                Outcome::Ended { status, message } => return Ok((status, message)),
                Outcome::Reboot { resume, delay } => {
                    // The agent restarts the machine itself, as a user would.
                    let patience = self.patience.saturating_add(delay);
                    wait_until_ready(&mut self.link, patience, watch)?;
                    request.resume = Some(resume);
                }
            }
        }
        Ok((Status::Failed, format!("it asked for more than {MAX_REBOOTS} reboots")))
    }

    /// Powers the machine off; cuts it off when that takes a minute or the
    /// watcher gives up.
    pub fn terminate(mut self, watch: &dyn Watch) {
        self.link.say(&Request::PowerOff);
        let deadline = now().checked_add(POWER_OFF);
        // Its end is what is waited for, and shows as an error like any other.
        while let Ok(Some(_)) = self.link.hear(deadline, watch) {}
    }

    fn converse_once(
        &mut self,
        request: &Execute,
        watch: &dyn Watch,
    ) -> Result<Outcome, ExecuteError> {
        self.link.say(&Request::Execute(Box::new(request.clone())));
        loop {
            let Some(event) = self.link.hear(None, watch)? else {
                unreachable!("there is no deadline to pass");
            };
            watch.event(&event);
            match event {
                Event::StepStarted { .. } | Event::Output { .. } | Event::StepEnded { .. } => {}
                Event::Reboot { resume, delay_seconds } => {
                    let delay = Duration::from_secs(delay_seconds);
                    return Ok(Outcome::Reboot { resume, delay });
                }
                Event::Ended { status, message } => return Ok(Outcome::Ended { status, message }),
                Event::Refused { message } => return Err(ExecuteError::Refused(message)),
                Event::Ready { .. } => {
                    return Err(self.link.died(
                        "the machine, or the agent in it, restarted although nothing asked it to",
                    ));
                }
            }
        }
    }
}

/// Waits until the agent says that it listens.
fn wait_until_ready(
    link: &mut Link,
    patience: Duration,
    watch: &dyn Watch,
) -> Result<(), ExecuteError> {
    // No deadline if that is beyond what a clock can tell.
    let deadline = now().checked_add(patience);
    loop {
        match link.hear(deadline, watch) {
            Ok(Some(event @ Event::Ready { .. })) => {
                watch.event(&event);
                return Ok(());
            }
            Ok(None) => {
                return Err(link.died(&format!(
                    "the machine did not become ready within {} s",
                    patience.as_secs()
                )));
            }
            // A restart may cut a line in two, and the agent before it may
            // have had more to say.
            Ok(Some(_)) | Err(ExecuteError::Stream(channel::LineError::NotAMessage { .. })) => {}
            Err(error) => return Err(error),
        }
    }
}

/// What the files of a machine are made from.
struct Place<'a> {
    name: &'a str,
    disk: &'a Path,
    size: Option<u64>,
    firmware: &'a Firmware,
}

/// Makes the files that `plan` starts from.
fn make_files(
    cells: &Cells,
    plan: &Plan,
    place: &Place<'_>,
    seed: &[u8],
) -> Result<(), ExecuteError> {
    cells.make_folder(&plan.work).map_err(prepare)?;
    file::put(cells, &plan.seed(), seed).map_err(prepare)?;
    // Backing files are found from the overlay's folder unless absolute.
    let disk = Path::new(argv::DATA).join(place.disk);
    for (over, path, size) in
        [(&*disk, plan.disk(), place.size), (&*place.firmware.variables, plan.variables(), None)]
    {
        let argv = argv::overlay(over, &path, size);
        cells.run(place.name, program(argv, Network::Host), &mut io::empty()).map_err(start)?;
    }
    Ok(())
}

/// Returns the task that is the machine.
fn machine(plan: &Plan, forwards: Vec<u16>) -> Task {
    program(argv::arguments(plan), Network::Own { forwards })
}

fn program(argv: Vec<String>, network: Network) -> Task {
    Task::Run(Run { argv, overlay: None, files: Default::default(), network, enter: true })
}

fn start(source: cell::SpawnError) -> ExecuteError {
    ExecuteError::Start { instance: "machine", source }
}

fn prepare(source: io::Error) -> ExecuteError {
    ExecuteError::Prepare { instance: "machine", source }
}

#[expect(clippy::disallowed_methods, reason = "boots are timed and bounded here, at the machine")]
fn now() -> Instant {
    Instant::now()
}
