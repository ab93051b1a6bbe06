//! Runs one program of a step: its output line by line while it runs, its
//! whole process group killed when time is up.
//!
//! What the program was started for and what its exit code means is left to
//! the action modules.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use channel::Stream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::Machine;
use crate::clock::{Deadline, now};
use crate::limit::STOP_INTERVAL;
use crate::lines::Lines;
use crate::mask::Mask;
use crate::processes;
use crate::tail::Tail;

/// The search path of programs, and of [`crate::probe`].
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long output is still read once the program itself has ended. What it
/// left in the background may hold the pipes open for ever.
const GRACE: Duration = Duration::from_millis(250);

/// The most a pipe can hold by default (`fs.pipe-max-size`), in bytes.
const PIPE_LIMIT: usize = 1 << 20;

/// How long to wait before looking at the child again where the kernel
/// cannot tell of its end (pidfd_open came with Linux 5.3).
const TICK: Duration = Duration::from_millis(20);

/// How often orphans are waited for while a program runs.
const REAP_INTERVAL: Duration = Duration::from_secs(1);

/// How often what is left of a step is killed, and the time between.
const KILL_ROUNDS: u32 = 200;
const KILL_PAUSE: Duration = Duration::from_millis(2);

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// A path, or a name to be found on [`PATH`].
    pub(crate) name: String,
    pub(crate) arguments: Vec<String>,
    /// Variables beyond those every program gets.
    pub(crate) environment: &'static [(&'static str, &'static str)],
}

/// Where to run it, and until when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) deadline: Deadline,
    /// What is not to be seen in the lines.
    pub(crate) mask: &'a Mask,
}

/// A program that ended by itself.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    /// The end of its standard output, without the last line end.
    pub(crate) stdout: String,
}

/// A program did not run to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    #[error("failed to start `{program}`")]
    Start { program: String, source: io::Error },
    #[error("failed to watch `{program}`")]
    Watch { program: String, source: io::Error },
    #[error("the step took longer than its timeout and was killed")]
    TimedOut,
    #[error("it was cancelled")]
    Stopped,
}

/// Runs `program` and calls `output` for every line it writes.
pub(crate) fn run(
    program: &Program,
    terms: &Terms<'_>,
    output: &mut dyn FnMut(Stream, &str),
) -> Result<Finished, ProcessError> {
    let strangers =
        if terms.machine.adopts_orphans { processes::children() } else { BTreeSet::default() };
    let mut child = start(program, terms)
        .map_err(|source| ProcessError::Start { program: program.name.clone(), source })?;
    let watched = watch(&mut child, terms, output);
    if !matches!(watched, Ok(Some(_))) {
        kill(&mut child, terms, &strangers);
    }
    match watched {
        Ok(Some(finished)) => Ok(finished),
        Ok(None) if terms.machine.is_stopped() => Err(ProcessError::Stopped),
        Ok(None) => Err(ProcessError::TimedOut),
        Err(source) => Err(ProcessError::Watch { program: program.name.clone(), source }),
    }
}

#[expect(clippy::disallowed_methods, reason = "steps are made of programs")]
fn start(program: &Program, terms: &Terms<'_>) -> io::Result<Child> {
    Command::new(&program.name)
        .args(&program.arguments)
        .env_clear()
        .envs([("PATH", PATH), ("HOME", "/root"), ("USER", "root"), ("LANG", "C.UTF-8")])
        .envs(&terms.machine.variables)
        .envs(program.environment.iter().copied())
        .current_dir(&terms.machine.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

/// Follows the child to its end; `None` when time was up first, or the
/// execution was stopped.
fn watch(
    child: &mut Child,
    terms: &Terms<'_>,
    output: &mut dyn FnMut(Stream, &str),
) -> io::Result<Option<Finished>> {
    let pid = Pid::from_child(child);
    let ended = pidfd_open(pid, PidfdFlags::empty()).ok();
    let mut stdout = Pipe::new(Stream::Stdout, child.stdout.take().map(OwnedFd::from), terms.mask)?;
    let mut stderr = Pipe::new(Stream::Stderr, child.stderr.take().map(OwnedFd::from), terms.mask)?;
    let mut tail = Tail::default();
    let mut end = None;
    let mut reaped_at = now();
    let mut read_since_end = 0;
    let finished = loop {
        let wait = match &end {
            Some((_, grace)) => Deadline::within(*grace, TICK),
            None if ended.is_some() => terms.deadline.within(STOP_INTERVAL),
            None => terms.deadline.within(TICK),
        };
        let watched = if end.is_none() { ended.as_ref().map(AsFd::as_fd) } else { None };
        wait_for([stdout.fd(), stderr.fd(), watched], wait)?;
        let read = stdout.read(output, Some(&mut tail))? + stderr.read(output, None)?;
        if end.is_none() {
            end = child.try_wait()?.map(|status| (status, Deadline::after(Some(GRACE))));
        }
        if let Some((status, grace)) = &end {
            read_since_end += read;
            let drained = read == 0 || read_since_end > PIPE_LIMIT;
            if stdout.is_closed() && stderr.is_closed() || drained && grace.has_passed() {
                break Some(*status);
            }
        } else if terms.deadline.has_passed() || terms.machine.is_stopped() {
            break None;
        }
        if terms.machine.adopts_orphans && reaped_at.elapsed() > REAP_INTERVAL {
            processes::reap(Some(child.id()));
            reaped_at = now();
        }
    };
    stdout.finish(output);
    stderr.finish(output);
    Ok(finished.map(|status| Finished { status, stdout: tail.into_text() }))
}

fn wait_for(fds: [Option<BorrowedFd<'_>>; 3], wait: Duration) -> io::Result<()> {
    let mut fds: Vec<_> =
        fds.into_iter().flatten().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
    let wait = Timespec::try_from(wait).map_err(io::Error::other)?;
    match poll(&mut fds, Some(&wait)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Ends everything the step started, as far as it can be told apart.
fn kill(child: &mut Child, terms: &Terms<'_>, strangers: &BTreeSet<i32>) {
    let pid = Pid::from_child(child);
    let mut doomed = BTreeSet::from([pid.as_raw_pid()]);
    // A program that forks while it is being killed may need several rounds;
    // the bound is for one that forks faster than it can be killed.
    for _ in 0..KILL_ROUNDS {
        // The tree comes first: with its root, the links to those who left
        // the group would be gone.
        if terms.machine.adopts_orphans {
            doomed.extend(processes::children().difference(strangers));
        }
        let killed = processes::kill_trees(&mut doomed);
        // The group is there at least until its leader is waited for, below.
        let _none_left = kill_process_group(pid, Signal::KILL);
        if killed == 0 {
            break;
        }
        std::thread::sleep(KILL_PAUSE);
    }
    // It was killed, so this ends; its status says no more than that.
    let _killed = child.wait();
}

/// One stream of the program.
struct Pipe {
    stream: Stream,
    file: Option<File>,
    lines: Lines,
}

impl Pipe {
    fn new(stream: Stream, fd: Option<OwnedFd>, mask: &Mask) -> io::Result<Self> {
        let file = fd.map(File::from);
        if let Some(file) = &file {
            fcntl_setfl(file, OFlags::NONBLOCK)?;
        }
        Ok(Self { stream, file, lines: Lines::new(mask.clone()) })
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(AsFd::as_fd)
    }

    fn is_closed(&self) -> bool {
        self.file.is_none()
    }

    /// Reads once, if there is something to read; returns how many bytes.
    fn read(
        &mut self,
        output: &mut dyn FnMut(Stream, &str),
        tail: Option<&mut Tail>,
    ) -> io::Result<usize> {
        let Some(file) = &mut self.file else { return Ok(0) };
        let mut buffer = [0; 64 << 10];
        let read = match file.read(&mut buffer) {
            Ok(0) => {
                self.file = None;
                return Ok(0);
            }
            Ok(read) => &buffer[..read],
            Err(error) => {
                return match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(0),
                    _ => Err(error),
                };
            }
        };
        self.lines.push(read, &mut |line| output(self.stream, line));
        if let Some(tail) = tail {
            tail.push(read);
        }
        Ok(read.len())
    }

    /// Reports the last line and leaves the pipe to whoever still writes.
    fn finish(self, output: &mut dyn FnMut(Stream, &str)) {
        self.lines.finish(&mut |line| output(self.stream, line));
        let Some(mut file) = self.file else { return };
        // A daemon the step started would die of SIGPIPE, or wait for ever
        // on a full pipe, if nobody read what it writes from now on.
        let blocking = fcntl_setfl(&file, OFlags::empty());
        if blocking.is_ok() {
            let drain = move || io::copy(&mut file, &mut io::sink());
            // Without a thread the pipe closes, which is all that can be done.
            let _started = std::thread::Builder::new().spawn(drain);
        }
    }
}

#[cfg(test)]
mod tests;
