//! The way into a cell's namespaces: the child between fork and exec, and the
//! factory's thread that maps its ids meanwhile.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use rustix::fs::{Gid, Uid};
use rustix::thread::{self, UnshareFlags};

use crate::limit::Group;
use crate::{Ids, Range, SpawnError};

/// What a child that waits for its ids is told: they are mapped, or will not be.
const GO: [u8; 1] = [1];
const STOP: [u8; 1] = [0];

/// What the child does between fork and exec.
pub(crate) struct Enter {
    pub(crate) lifeline: i32,
    pub(crate) ready: i32,
    pub(crate) go: i32,
    /// The factory's ends of these pipes.
    pub(crate) others: [i32; 3],
    pub(crate) groups: Option<Gid>,
    pub(crate) privileged: bool,
    pub(crate) session: bool,
}

impl Enter {
    pub(crate) fn run(&self) -> io::Result<()> {
        // SAFETY: the descriptors are open in the parent for as long as the
        // child is between fork and exec.
        #[expect(unsafe_code, reason = "descriptors cross the fork as numbers")]
        let (lifeline, ready, go) = unsafe {
            (
                rustix::fd::BorrowedFd::borrow_raw(self.lifeline),
                rustix::fd::BorrowedFd::borrow_raw(self.ready),
                rustix::fd::BorrowedFd::borrow_raw(self.go),
            )
        };
        for other in self.others {
            // SAFETY: the child got copies of its own, which nothing in it uses.
            #[expect(unsafe_code, reason = "descriptors cross the fork as numbers")]
            unsafe {
                // Held open here, the pipes would not end with the factory.
                rustix::io::close(other);
            }
        }
        if self.session {
            // A terminal's Ctrl-C is for the factory, which ends the cell in order.
            rustix::process::setsid()?;
        }
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        if self.privileged {
            thread::set_thread_groups(self.groups.as_slice())?;
        }
        // SAFETY: the child has one thread and holds no borrowed descriptor
        // table of another.
        #[expect(unsafe_code, reason = "unshare is only sound in a process with one thread")]
        unsafe {
            thread::unshare_unsafe(UnshareFlags::NEWUSER)?;
        }
        rustix::io::write(ready, &pid.to_le_bytes())?;
        let mut answer = [0];
        if rustix::io::read(go, &mut answer)? != 1 || answer != GO {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
        thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT)?;
        thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT)?;
        // SAFETY: as above.
        #[expect(unsafe_code, reason = "unshare is only sound in a process with one thread")]
        unsafe {
            thread::unshare_unsafe(
                UnshareFlags::NEWNS
                    | UnshareFlags::NEWPID
                    | UnshareFlags::NEWIPC
                    | UnshareFlags::NEWUTS,
            )?;
        }
        rustix::io::fcntl_setfd(lifeline, rustix::io::FdFlags::empty())?;
        Ok(())
    }
}

/// Writes the child's id maps, from the parent, while the child waits.
pub(crate) struct Mapper {
    pub(crate) ready: OwnedFd,
    pub(crate) go: OwnedFd,
    pub(crate) ids: Ids,
}

impl Mapper {
    pub(crate) fn run(self, group: Option<&Group>) -> Result<(), SpawnError> {
        let mut pid = [0; 4];
        let mut ready = fs::File::from(self.ready);
        if ready.read_exact(&mut pid).is_err() {
            // The child failed before it could ask; `Command::spawn` says why.
            return Ok(());
        }
        let pid = i32::from_le_bytes(pid);
        if let Some(group) = group {
            group.add(pid);
        }
        let mapped = map(pid, "uid", &self.ids.users, self.ids.privileged)
            .and_then(|()| map(pid, "gid", &self.ids.groups, self.ids.privileged));
        // Said either way: another cell that starts meanwhile may hold a copy
        // of the pipe, which would then not end.
        let answer = if mapped.is_ok() { GO } else { STOP };
        let told = fs::File::from(self.go).write_all(&answer).map_err(SpawnError::Pipe);
        mapped.and(told)
    }
}

fn map(pid: i32, kind: &str, ranges: &[Range], privileged: bool) -> Result<(), SpawnError> {
    let fail = |why: String| SpawnError::Map(why);
    if privileged {
        let text: String = ranges
            .iter()
            .map(|range| format!("{} {} {}\n", range.inside, range.outside, range.count))
            .collect();
        let path = format!("/proc/{pid}/{kind}_map");
        return fs::write(&path, text).map_err(|error| fail(format!("{path}: {error}")));
    }
    let tool = format!("new{kind}map");
    #[expect(clippy::disallowed_methods, reason = "cell is the crate that starts processes")]
    let mut command = Command::new(&tool);
    command.arg(pid.to_string());
    for range in ranges {
        command.args([range.inside, range.outside, range.count].map(|n| n.to_string()));
    }
    let output = command.output().map_err(|error| {
        fail(format!("{tool}: {error}; install it with: apt-get install uidmap"))
    })?;
    if !output.status.success() {
        return Err(fail(format!("{tool}: {}", String::from_utf8_lossy(&output.stderr).trim())));
    }
    Ok(())
}

/// Returns the group that may open `/dev/kvm`, which root's cells keep.
pub(crate) fn kvm_group() -> Option<Gid> {
    let meta = fs::metadata("/dev/kvm").ok()?;
    (meta.gid() != 0 && meta.mode() & 0o060 == 0o060).then(|| Gid::from_raw(meta.gid()))
}
