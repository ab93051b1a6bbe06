//! What runs on this machine, as `/proc` tells it: descendants, orphans and
//! the dead that nobody has waited for.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};

/// One process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    pid: i32,
    parent: i32,
    dead: bool,
}

/// Returns the direct children of this process, the dead among them.
pub(crate) fn children() -> BTreeSet<i32> {
    // Cheap, which matters because it is asked before each step; not every
    // kernel has these files (CONFIG_PROC_CHILDREN).
    if let Ok(tasks) = fs::read_dir("/proc/self/task") {
        let lists: Result<Vec<_>, _> =
            tasks.flatten().map(|task| fs::read_to_string(task.path().join("children"))).collect();
        if let Ok(lists) = lists {
            let pids = lists.iter().flat_map(|list| list.split_ascii_whitespace());
            return pids.filter_map(|pid| pid.parse().ok()).collect();
        }
    }
    let own = getpid().as_raw_pid();
    all().iter().filter(|one| one.parent == own).map(|one| one.pid).collect()
}

/// Kills the processes in `doomed` and whatever descends from them, which is
/// added to `doomed`; returns how many were alive.
///
/// One that was killed is alive until it has ended, a moment later.
pub(crate) fn kill_trees(doomed: &mut BTreeSet<i32>) -> usize {
    let all = all();
    // Parents may be listed after their children, so this repeats until
    // nothing is added.
    loop {
        let before = doomed.len();
        let found = all.iter().filter(|one| doomed.contains(&one.parent)).map(|one| one.pid);
        doomed.extend(found.collect::<Vec<_>>());
        if doomed.len() == before {
            break;
        }
    }
    let alive = all.iter().filter(|one| doomed.contains(&one.pid) && !one.dead);
    alive
        .filter_map(|one| Pid::from_raw(one.pid))
        .filter(|&pid| kill_process(pid, Signal::KILL).is_ok())
        .count()
}

/// Waits for the dead children of this process, all but `spared`.
///
/// Each is waited for by its own id: a wait for any child would take the exit
/// status of the step's program from those who need it.
pub fn reap(spared: Option<u32>) {
    let own = getpid().as_raw_pid();
    for one in all().iter().filter(|one| one.dead && one.parent == own) {
        if u32::try_from(one.pid).ok() == spared {
            continue;
        }
        // It may be gone by now; there is nothing to do about it.
        let _gone = waitpid(Pid::from_raw(one.pid), WaitOptions::NOHANG);
    }
}

fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let named = entries.flatten().filter(|entry| {
        entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit)
    });
    named
        .filter_map(|entry| fs::read(entry.path().join("stat")).ok())
        .filter_map(|stat| parse(&String::from_utf8_lossy(&stat)))
        .collect()
}

/// Reads a line of `/proc/PID/stat`; the name in parentheses may hold anything.
fn parse(stat: &str) -> Option<Process> {
    let (pid, _) = stat.split_once(' ')?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    Some(Process { pid: pid.parse().ok()?, parent, dead: matches!(state, "Z" | "X") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_forge_a_stat_line() {
        let expected = Some(Process { pid: 42, parent: 7, dead: true });
        assert_eq!(parse("42 (sh) Z 7 42 42 0"), expected);
        assert_eq!(parse("42 (a) R 1 (b) Z 7 42 42 0"), expected);
        assert_eq!(parse("42 (sh) S x"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn this_process_is_listed() {
        assert!(all().iter().any(|one| one.pid == getpid().as_raw_pid() && !one.dead));
    }
}
