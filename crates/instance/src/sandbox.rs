//! Sandboxes: an OCI runtime (runc) on layers of files.
//!
//! Every execution is a container of its own on the layers so far; what it
//! changes becomes the next layer. That is what a restart of the instance
//! means too: the processes end, the files stay.

mod seccomp;
mod spec;

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cell::{Cells, Limits, Network, Overlay, Run, Stdio, Task};
use channel::{Execute, Lines, Status};
use rustix::process::{Resource, getrlimit};

use crate::conversation::{ExecuteError, MAX_REBOOTS, Outcome, Watch, converse};

use spec::{Place, Program};

/// A sandbox instance.
#[derive(Debug)]
pub struct Sandbox {
    cells: Cells,
    launch: Launch,
    layers: Vec<PathBuf>,
}

/// What a sandbox starts from. Paths are relative to the data folder.
#[derive(Debug, Clone)]
pub struct Launch {
    /// A name for the instance, unique among those that run.
    pub name: String,
    /// The layers of the base, lowest first.
    pub layers: Vec<PathBuf>,
    /// A folder for the new layers; the instance's own.
    pub work: PathBuf,
    /// The agent's binary.
    pub agent: PathBuf,
    /// What the instance may use.
    pub limits: Limits,
    /// The time that builds take for "now", in seconds since 1970.
    pub source_epoch: i64,
}

impl Sandbox {
    /// Makes an instance; nothing runs before the first execution.
    pub fn launch(cells: &Cells, launch: Launch) -> Result<Self, ExecuteError> {
        cells
            .make_folder(&launch.work)
            .map_err(|source| ExecuteError::Prepare { instance: "sandbox", source })?;
        Ok(Self { cells: cells.clone(), layers: launch.layers.clone(), launch })
    }

    /// Executes a document on the layers so far and makes what it changed the
    /// next layer, whether it succeeds or not.
    pub fn execute(
        &mut self,
        request: &Execute,
        watch: &dyn Watch,
    ) -> Result<(Status, String), ExecuteError> {
        let n = self.layers.len();
        let (upper, work) = (
            self.launch.work.join(format!("layer-{n}")),
            self.launch.work.join(format!("scratch-{n}")),
        );
        let mut request = request.clone();
        for reboot in 0..=MAX_REBOOTS {
            match self.converse_once(&request, &upper, &work, watch)? {
                Outcome::Ended { status, message } => {
                    self.layers.push(upper);
                    return Ok((status, message));
                }
                Outcome::Reboot { resume, delay } if reboot < MAX_REBOOTS => {
                    wait(delay, watch)?;
                    request.resume = Some(resume);
                }
                Outcome::Reboot { .. } => {}
            }
        }
        Ok((Status::Failed, format!("it asked for more than {MAX_REBOOTS} reboots")))
    }

    /// Returns the layers, lowest first: the base's, then one an execution.
    pub fn layers(&self) -> &[PathBuf] {
        &self.layers
    }

    /// Opens a shell on the caller's terminal, over the layers so far, and
    /// waits for its end. What it changes is not kept.
    pub fn open_shell(&self) -> Result<(), ExecuteError> {
        let (upper, work) =
            (self.launch.work.join("shell-layer"), self.launch.work.join("shell-scratch"));
        let task = Task::Run(self.container(&upper, &work, Program::Shell));
        let mut cell = self
            .cells
            .spawn(&self.launch.name, task, Some(self.launch.limits), Stdio::Terminal)
            .map_err(|source| ExecuteError::Start { instance: "sandbox", source })?;
        // A shell's status is that of its last command, which says nothing.
        let _status =
            cell.wait().map_err(|source| ExecuteError::Prepare { instance: "sandbox", source })?;
        Ok(())
    }

    fn converse_once(
        &self,
        request: &Execute,
        upper: &Path,
        work: &Path,
        watch: &dyn Watch,
    ) -> Result<Outcome, ExecuteError> {
        let task = Task::Run(self.container(upper, work, Program::Agent));
        let mut cell = self
            .cells
            .spawn(&self.launch.name, task, Some(self.launch.limits), Stdio::Pipes)
            .map_err(|source| ExecuteError::Start { instance: "sandbox", source })?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (cell.stdin.take(), cell.stdout.take(), cell.stderr.take())
        else {
            unreachable!("the cell was spawned with pipes");
        };
        let (leash, done) = (cell.leash(), AtomicBool::new(false));
        let (outcome, complaints) = std::thread::scope(|scope| {
            let complaints = scope.spawn(move || last_of(stderr));
            let watchdog = scope.spawn(|| leash.cut_when(|| watch.cancelled(), &done));
            let mut lines = Lines::new(BufReader::new(stdout));
            let outcome = converse(request, &mut lines, &mut stdin, watch);
            // The agent ends with its input; the streams end with the cell.
            drop(stdin);
            cell.finish();
            done.store(true, Ordering::Release);
            watchdog.thread().unpark();
            (outcome, complaints.join().expect("reading a pipe does not panic"))
        });
        if watch.cancelled() {
            return Err(ExecuteError::Cancelled);
        }
        let memory_mib = self.launch.limits.memory_mib;
        match outcome {
            Err(_) if cell.ran_out_of_memory() => Err(ExecuteError::OutOfMemory { memory_mib }),
            Err(ExecuteError::Died(_)) if !complaints.is_empty() => {
                Err(ExecuteError::Died(complaints))
            }
            Ok(outcome) if cell.ran_out_of_memory() => Ok(starved(outcome, memory_mib)),
            other => other,
        }
    }

    fn container(&self, upper: &Path, work: &Path, program: Program) -> Run {
        let place = Place {
            ids: self.cells.ids(),
            hostname: &self.launch.name,
            agent: &self.launch.agent,
            open_files: open_files(),
            limits: self.launch.limits,
            source_epoch: self.launch.source_epoch,
            program,
        };
        let bundle = Path::new("/tmp/bundle");
        let mut files = BTreeMap::new();
        files.insert(bundle.join("config.json"), spec::config(&place));
        files.insert(PathBuf::from(spec::CONTAINER), "goldsmith\n".to_owned());
        files.insert(PathBuf::from(spec::HOSTS), hosts(&self.launch.name));
        Run {
            argv: ["runc", "--root", "/tmp/runc", "run", "--bundle", "/tmp/bundle", "sandbox"]
                .map(str::to_owned)
                .to_vec(),
            overlay: Some(Overlay {
                layers: self.layers.clone(),
                upper: upper.to_owned(),
                work: work.to_owned(),
                at: bundle.join("rootfs"),
            }),
            files,
            network: Network::Own { forwards: Vec::new() },
            enter: false,
        }
    }
}

/// Has a failure tell that the kernel ended processes for want of memory,
/// which the step that lost them cannot know.
fn starved(outcome: Outcome, memory_mib: u64) -> Outcome {
    match outcome {
        Outcome::Ended { status: status @ Status::Failed, message } => {
            let why = ExecuteError::OutOfMemory { memory_mib };
            Outcome::Ended { status, message: format!("{message}; {why}") }
        }
        other @ (Outcome::Ended { .. } | Outcome::Reboot { .. }) => other,
    }
}

/// Returns how many files a process may open: what is usual for a service, or
/// less where this process may not allow as many.
fn open_files() -> u64 {
    const USUAL: u64 = 65_536;
    getrlimit(Resource::Nofile).maximum.map_or(USUAL, |most| most.min(USUAL))
}

fn hosts(name: &str) -> String {
    format!("127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost ip6-localhost ip6-loopback\n")
}

fn wait(delay: Duration, watch: &dyn Watch) -> Result<(), ExecuteError> {
    let step = Duration::from_millis(100);
    let mut left = delay;
    while !left.is_zero() {
        if watch.cancelled() {
            return Err(ExecuteError::Cancelled);
        }
        std::thread::sleep(step.min(left));
        left = left.saturating_sub(step);
    }
    Ok(())
}

/// Reads a stream to its end and returns its last 4 KiB.
fn last_of(mut stream: impl Read) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    // A read that fails is the stream's end as well.
    while let Ok(n @ 1..) = stream.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..n]);
        let excess = kept.len().saturating_sub(4096);
        kept.drain(..excess);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_the_kernel_ended_is_told_why() {
        let ended = |status, message: &str| Outcome::Ended { status, message: message.to_owned() };
        assert_eq!(
            starved(ended(Status::Failed, "step Try: it was killed"), 512),
            ended(
                Status::Failed,
                "step Try: it was killed; the instance ran out of memory (512 MiB); a larger \
                 instance type has more"
            )
        );
        let good = ended(Status::Success, "");
        assert_eq!(starved(good.clone(), 512), good);
    }

    #[test]
    fn only_the_end_of_a_long_complaint_is_kept() {
        let long = "x".repeat(10_000) + "the end\n";
        let kept = last_of(long.as_bytes());
        assert!(kept.ends_with("the end") && kept.len() < 4096);
    }
}
