//! A cell's own side: from the new namespaces to the task.
//!
//! Two processes: the outer one waits in the old process namespace, the inner
//! one is the new namespace's first process. When that ends, for whatever
//! reason, the kernel ends everything else in it.

use std::fs;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind_recursive, mount_change};
use rustix::process::{Pid, WaitOptions};

use crate::job::{Job, Run, Task};
use crate::{bound, network, overlay, tree};

/// The hidden command that enters a cell.
pub(crate) const OUTER: &str = "cell";
const INNER: &str = "cell-inner";
/// What may be kept of a disk that somebody else made, in bytes.
const MEMORY_TO_READ: u64 = 2 << 30;

/// Carries a cell out if the arguments (without the program's name) ask for
/// one, and returns its exit code; `None` if they are an ordinary command's.
///
/// A program that starts cells calls this first of all, before any thread.
pub fn main(args: &[String]) -> Option<ExitCode> {
    let [kind, lifeline, job] = args else { return None };
    let result = match kind.as_str() {
        OUTER => outer(args),
        INNER => lifeline
            .parse()
            .map_err(io::Error::other)
            .and_then(|lifeline| inner(lifeline, &serde_json::from_str(job)?)),
        _ => return None,
    };
    Some(match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    })
}

#[expect(clippy::print_stderr, reason = "a cell's standard error is its report to the factory")]
pub(crate) fn complain(error: &dyn std::error::Error) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    eprintln!("{text}");
}

fn outer(args: &[String]) -> io::Result<u8> {
    #[expect(clippy::disallowed_methods, reason = "cell is the crate that starts processes")]
    let mut command = Command::new("/proc/self/exe");
    command.arg(INNER).args(&args[1..]);
    Ok(code(command.status()?))
}

fn inner(lifeline: RawFd, job: &Job) -> io::Result<u8> {
    watch_lifeline(lifeline)?;
    enter_room()?;
    if let Some(limits) = job.bound_within {
        bound::bound(limits)?;
    }
    match &job.task {
        Task::Run(run) => run_program(run),
        Task::Extract { into } => tree::extract(io::stdin().lock(), into).map(|()| 0),
        Task::Remove { paths } => tree::remove(paths).map(|()| 0),
        Task::Read { layers, file } => {
            tree::read(layers, file, &mut io::stdout().lock()).map(|()| 0)
        }
        Task::WriteDisk(disk) => {
            let written = tree::write_disk(disk).map_err(io::Error::other)?;
            serde_json::to_writer(io::stdout().lock(), &written)?;
            Ok(0)
        }
        Task::ReadDisk { disk, into } => {
            bound::bound_memory(MEMORY_TO_READ)?;
            let unpacked = tree::read_disk(disk, into).map_err(io::Error::other)?;
            serde_json::to_writer(io::stdout().lock(), &unpacked)?;
            Ok(0)
        }
    }
}

/// Ends this process, and so the cell, as soon as the factory is gone.
fn watch_lifeline(lifeline: RawFd) -> io::Result<()> {
    // SAFETY: the factory passes the number of a descriptor it opened for
    // this process; nothing else here owns it.
    #[expect(unsafe_code, reason = "the lifeline crosses exec as a number")]
    let lifeline = unsafe { OwnedFd::from_raw_fd(lifeline) };
    rustix::io::fcntl_setfd(&lifeline, rustix::io::FdFlags::CLOEXEC)?;
    std::thread::Builder::new().spawn(move || {
        let mut byte = [0];
        // Nothing is ever written: a result of any kind means the end.
        while matches!(rustix::io::read(&lifeline, &mut byte), Err(rustix::io::Errno::INTR)) {}
        std::process::exit(137);
    })?;
    Ok(())
}

/// Makes this process's file system view: a private `/tmp` with the data
/// folder in it, and the new process namespace's `/proc`.
fn enter_room() -> io::Result<()> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let quiet = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", "/tmp", "tmpfs", quiet, Some(c"mode=0755"))?;
    mount("proc", "/proc", "proc", quiet | MountFlags::NOEXEC, None)?;
    fs::create_dir("/tmp/data")?;
    // By the working folder, which stays reachable whatever its parents' modes.
    mount_bind_recursive(".", "/tmp/data")?;
    std::env::set_current_dir("/tmp/data")
}

fn run_program(run: &Run) -> io::Result<u8> {
    if let Some(overlay) = &run.overlay {
        overlay::mount_writable(overlay)
            .map_err(|error| io::Error::other(format!("failed to mount the layers: {error}")))?;
    }
    for (path, text) in &run.files {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    network::create(&run.network).map_err(io::Error::other)?;
    let Some((program, args)) = run.argv.split_first() else {
        return Err(io::Error::other("there is no program to run"));
    };
    if run.enter && Path::new(network::PATH).exists() {
        network::enter()?;
    }
    #[expect(clippy::disallowed_methods, reason = "cell is the crate that starts processes")]
    let child = Command::new(program)
        .args(args)
        .spawn()
        .map_err(|error| io::Error::other(format!("failed to run `{program}`: {error}")))?;
    let child = Pid::from_child(&child);
    // As the namespace's first process this one also inherits every orphan.
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == child => {
                return Ok(code(ExitStatus::from_raw(status.as_raw())));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Returns the exit code as a shell would tell it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code).unwrap_or(u8::MAX)
}
