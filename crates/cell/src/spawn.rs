//! Starts a cell: the host's side of the namespaces.

use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::enter::{Enter, Mapper, kvm_group};
use crate::job::{Job, Limits, Task};
use crate::limit::Group;
use crate::{Folder, Ids};

/// How often it is asked whether a cell is to end early.
const TICK: Duration = Duration::from_millis(100);

/// Starts cells over one data folder.
#[derive(Debug, Clone)]
pub struct Cells {
    data: PathBuf,
    ids: Ids,
}

/// Where a cell's standard streams lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdio {
    /// Pipes that the caller holds.
    Pipes,
    /// The caller's terminal; standard error too.
    Terminal,
}

/// A running cell. Dropping it ends every process in it.
#[derive(Debug)]
pub struct Cell {
    child: Child,
    leash: Leash,
    group: Option<Group>,
    /// Its standard input, if piped and not yet taken.
    pub stdin: Option<ChildStdin>,
    /// Its standard output, if piped and not yet taken.
    pub stdout: Option<ChildStdout>,
    /// Its standard error, if piped and not yet taken.
    pub stderr: Option<ChildStderr>,
}

/// Ends a cell from another thread than the one that holds it.
#[derive(Debug, Clone)]
pub struct Leash(Arc<Mutex<Option<OwnedFd>>>);

impl Leash {
    /// Ends every process in the cell, soon.
    pub fn cut(&self) {
        // The cell's first process leaves when its lifeline ends, and takes
        // the rest with it.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Cuts as soon as `is_given_up`; returns then, or once it is `done` and this
    /// thread unparked.
    pub fn cut_when(&self, is_given_up: impl Fn() -> bool, done: &AtomicBool) {
        while !done.load(Ordering::Acquire) {
            if is_given_up() {
                return self.cut();
            }
            std::thread::park_timeout(TICK);
        }
    }
}

/// A cell could not be started, or its task failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The kernel or newuidmap(1) refused the namespaces.
    #[error("failed to start a process in namespaces of its own")]
    Start(#[source] io::Error),
    /// The ids could not be mapped.
    #[error("failed to map user ids: {0}")]
    Map(String),
    /// The task ended badly; the text is what it wrote to standard error.
    #[error("{0}")]
    Failed(String),
    /// A pipe to the cell broke.
    #[error("failed to talk to the cell")]
    Pipe(#[source] io::Error),
    /// The task was given up.
    #[error("cancelled")]
    Cancelled,
}

impl Cells {
    /// Starts cells whose working folder is `data`, which is made if absent,
    /// owned by `ids`.
    pub fn new(data: &Path, ids: Ids) -> io::Result<Self> {
        fs::create_dir_all(data)?;
        if ids.privileged {
            // Cells enter it as another user. They need no right to its
            // parents, nor to list what is in it.
            let mode = fs::metadata(data)?.mode();
            fs::set_permissions(data, fs::Permissions::from_mode(mode & 0o7777 | 0o001))?;
        }
        Ok(Self { data: fs::canonicalize(data)?, ids })
    }

    /// Returns the ids that cells have.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Returns the data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Makes a folder below the data folder that cells may write to. There may
    /// be no link on the way: a cell could have put it there.
    pub fn make_folder(&self, path: &Path) -> io::Result<()> {
        Folder::open(&self.data)?.make(path, self.ids.root())
    }

    /// Gives a file below the data folder to the cells' root, and to nobody else
    /// to read. There may be no link on the way.
    pub fn hand_over(&self, path: &Path) -> io::Result<()> {
        let place = Folder::open(&self.data)?.place(path)?;
        let (user, group) = self.ids.root();
        std::os::unix::fs::lchown(place.path(), Some(user), Some(group))?;
        if fs::symlink_metadata(place.path())?.is_file() {
            fs::set_permissions(place.path(), fs::Permissions::from_mode(0o600))?;
        }
        Ok(())
    }

    /// Removes control groups that cells of a killed factory left behind;
    /// `is_dead` says of a cell's name whether it was such a one's.
    pub fn tidy_up(&self, is_dead: &dyn Fn(&str) -> bool) {
        crate::limit::remove_left_behind(is_dead);
    }

    /// Starts `task` in a cell of its own, within `limits`. Cells that run at
    /// once have different names.
    pub fn spawn(
        &self,
        name: &str,
        task: Task,
        limits: Option<Limits>,
        stdio: Stdio,
    ) -> Result<Cell, SpawnError> {
        let group = limits.and_then(|limits| Group::create(name, limits));
        let job = Job { task, bound_within: if group.is_some() { None } else { limits } };
        let json = serde_json::to_string(&job).expect("jobs hold only what JSON can");
        let (lifeline_read, lifeline) = pipe()?;
        let (ready_read, ready_write) = pipe()?;
        let (go_read, go_write) = pipe()?;

        // Not the binary's path: the cell's root may be unable to reach it.
        #[expect(clippy::disallowed_methods, reason = "cell is the crate that starts processes")]
        let mut command = Command::new("/proc/self/exe");
        command.arg(crate::inside::OUTER).arg(lifeline_read.as_raw_fd().to_string()).arg(json);
        command.current_dir(&self.data);
        if stdio == Stdio::Pipes {
            command.stdin(std::process::Stdio::piped());
            command.stdout(std::process::Stdio::piped());
            command.stderr(std::process::Stdio::piped());
        }
        let enter = Enter {
            lifeline: lifeline_read.as_raw_fd(),
            ready: ready_write.as_raw_fd(),
            go: go_read.as_raw_fd(),
            others: [&lifeline, &ready_read, &go_write].map(AsRawFd::as_raw_fd),
            groups: if self.ids.privileged { kvm_group() } else { None },
            privileged: self.ids.privileged,
            session: stdio == Stdio::Pipes,
        };
        // SAFETY: `enter` only makes system calls and allocates nothing.
        #[expect(unsafe_code, reason = "namespaces are entered between fork and exec")]
        unsafe {
            command.pre_exec(move || enter.run());
        }
        let mapper = Mapper { ready: ready_read, go: go_write, ids: self.ids.clone() };
        let (child, mapped) = std::thread::scope(|scope| {
            let mapper = scope.spawn(|| mapper.run(group.as_ref()));
            let child = command.spawn();
            // Both of the child's ends: if it never ran, the mapper must see the end.
            drop((ready_write, go_read, lifeline_read));
            (child, mapper.join().expect("the mapper does not panic"))
        });
        mapped?;
        let mut child = child.map_err(SpawnError::Start)?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let leash = Leash(Arc::new(Mutex::new(Some(lifeline))));
        Ok(Cell { child, leash, group, stdin, stdout, stderr })
    }

    /// Runs `task` to its end, feeding it `input`, and returns what it wrote to
    /// standard output.
    pub fn run(
        &self,
        name: &str,
        task: Task,
        input: &mut (dyn Read + Send),
    ) -> Result<Vec<u8>, SpawnError> {
        self.run_unless(&|| false, name, task, input)
    }

    /// As [`Cells::run`], but ends the cell as soon as `is_given_up`.
    ///
    /// Whoever may wait long for the end of `input` ends that by itself.
    pub fn run_unless(
        &self,
        is_given_up: &(dyn Fn() -> bool + Sync),
        name: &str,
        task: Task,
        input: &mut (dyn Read + Send),
    ) -> Result<Vec<u8>, SpawnError> {
        let mut cell = self.spawn(name, task, None, Stdio::Pipes)?;
        let (leash, done) = (cell.leash(), AtomicBool::new(false));
        let ended = std::thread::scope(|scope| {
            let watchdog = scope.spawn(|| leash.cut_when(is_given_up, &done));
            let ended = cell.talk(input);
            done.store(true, Ordering::Release);
            watchdog.thread().unpark();
            ended
        });
        // What a cell says that was ended is not why.
        ended.map_err(|error| if is_given_up() { SpawnError::Cancelled } else { error })
    }
}

impl Cell {
    /// Feeds the task `input` and returns what it says, once it has ended well.
    fn talk(&mut self, input: &mut (dyn Read + Send)) -> Result<Vec<u8>, SpawnError> {
        let (stdin, stdout, stderr) = (self.stdin.take(), self.stdout.take(), self.stderr.take());
        std::thread::scope(|scope| {
            let feed = scope.spawn(move || match stdin {
                // The task may end before it has read everything; that it
                // failed, and why, is told by its exit status and stderr.
                Some(mut stdin) => match io::copy(input, &mut stdin) {
                    Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
                    _ => Ok(()),
                },
                None => Ok(()),
            });
            let complaints = scope.spawn(move || read_all(stderr));
            let output = read_all(stdout).map_err(SpawnError::Pipe)?;
            let status = self.wait().map_err(SpawnError::Pipe)?;
            let complaints = complaints.join().expect("reading a pipe does not panic");
            let complaints = complaints.map_err(SpawnError::Pipe)?;
            if !status.success() {
                let text = String::from_utf8_lossy(&complaints).trim().to_owned();
                return Err(SpawnError::Failed(if text.is_empty() {
                    format!("the task ended with {status}")
                } else {
                    text
                }));
            }
            feed.join().expect("copying does not panic").map_err(SpawnError::Pipe)?;
            Ok(output)
        })
    }

    /// Waits until the task has ended.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    /// Returns the exit status if the task has ended.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Gives the task two seconds to end by itself, then ends every process.
    pub fn finish(&mut self) {
        for _ in 0..200 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        self.kill();
    }

    /// Ends every process in the cell and waits until they are gone.
    pub fn kill(&mut self) {
        self.leash.cut();
        // Whatever its status, it is gone; there is nothing else to report.
        let _ = self.child.wait();
    }

    /// Returns what ends the cell from another thread.
    pub fn leash(&self) -> Leash {
        self.leash.clone()
    }

    /// Says whether the kernel ended a process of the cell for want of memory.
    pub fn ran_out_of_memory(&self) -> bool {
        self.group.as_ref().is_some_and(Group::ran_out_of_memory)
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        self.kill();
    }
}

fn pipe() -> Result<(OwnedFd, OwnedFd), SpawnError> {
    // Above the standard streams, so that a caller without those keeps them apart.
    let high = |fd: OwnedFd| rustix::io::fcntl_dupfd_cloexec(fd, 10);
    let make = || {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        Ok((high(read)?, high(write)?))
    };
    make().map_err(|error: rustix::io::Errno| SpawnError::Start(error.into()))
}

fn read_all(stream: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        stream.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use crate::Range;

    use super::*;

    #[test]
    fn ids_that_cannot_be_mapped_are_an_error_and_no_wait() {
        let data = tempfile::tempdir().unwrap();
        // The kernel takes no range without ids, whoever writes it.
        let nobody = vec![Range { inside: 0, outside: 0, count: 0 }];
        let ids = Ids { users: nobody.clone(), groups: nobody, privileged: true };
        let cells = Cells::new(data.path(), ids).unwrap();
        let task = Task::Remove { paths: Vec::new() };
        let error = cells.run("unmapped", task, &mut io::empty()).unwrap_err().to_string();
        assert!(error.starts_with("failed to map user ids: /proc/"), "{error}");
    }
}
