//! Which process carries a run out, so that a later one can tell whether it lives.

use std::fs;

use store::run::Owner;

/// Returns this process as a run's owner.
pub(crate) fn this_process() -> Owner {
    let pid = std::process::id();
    Owner { pid, boot: boot_id(), ticks: start_ticks(pid).unwrap_or(0) }
}

/// Says whether the process still runs.
pub(crate) fn lives(owner: &Owner) -> bool {
    owner.boot == boot_id() && start_ticks(owner.pid) == Some(owner.ticks)
}

fn boot_id() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

/// Returns field 22 of `/proc/<pid>/stat` (proc_pid_stat(5)). The name in
/// field 2 may hold anything, so fields are counted from its closing parenthesis.
fn start_ticks(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_its_predecessor_does_not() {
        let owner = this_process();
        assert!(lives(&owner));
        assert!(!lives(&Owner { ticks: owner.ticks + 1, ..owner.clone() }));
        assert!(!lives(&Owner { boot: "another".to_owned(), ..owner }));
    }
}
