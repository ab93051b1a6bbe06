//! Bounds a cell from within: an instance's where no control group may be made
//! (see [`crate::limit`]), and one that reads what others made.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::inside::complain;
use crate::job::Limits;

/// Processes and threads of a cell that are none of its instance's.
const OWN_PROCESSES: u64 = 64;

/// How often memory is counted.
const TICK: Duration = Duration::from_millis(100);

/// Bounds the cell: fewer processors, fewer processes, and an end to it when
/// its processes together hold more memory than they may.
pub(crate) fn bound(limits: Limits) -> io::Result<()> {
    let mut cpus = rustix::thread::sched_getaffinity(None)?;
    let allowed: Vec<_> =
        (0..rustix::thread::CpuSet::MAX_CPU).filter(|n| cpus.is_set(*n)).collect();
    for cpu in allowed.into_iter().skip(limits.cpus.max(1) as usize) {
        cpus.unset(cpu);
    }
    rustix::thread::sched_setaffinity(None, &cpus)?;
    // A sandbox's own limit holds for each of its users. This one is taken over
    // by the user namespace that the sandbox gets, where it holds for all of
    // them together (`create_user_ns` in Linux).
    let most = u64::from(limits.processes) + OWN_PROCESSES;
    let most = getrlimit(Resource::Nproc).maximum.map_or(most, |now| now.min(most));
    setrlimit(Resource::Nproc, Rlimit { current: Some(most), maximum: Some(most) })?;
    let memory = limits.memory_mib << 20;
    std::thread::Builder::new().spawn(move || {
        loop {
            std::thread::sleep(TICK);
            if is_in_use(memory) {
                complain(&io::Error::other(format!(
                    "the instance used more than its {} MiB of memory",
                    limits.memory_mib
                )));
                std::process::exit(137);
            }
        }
    })?;
    Ok(())
}

/// Ends this process when it asks for more than `most` bytes of memory, which
/// is harsh, but kinder than to take the host's.
pub(crate) fn bound_memory(most: u64) -> io::Result<()> {
    let most = getrlimit(Resource::Data).maximum.map_or(most, |now| now.min(most));
    setrlimit(Resource::Data, Rlimit { current: Some(most), maximum: Some(most) })?;
    Ok(())
}

/// Says whether all processes but this hold more than `limit` bytes of memory
/// that no file backs.
fn is_in_use(limit: u64) -> bool {
    let held = |file: &str, names: [&str; 2]| -> u64 {
        // A process may end while it is looked at; then it holds nothing.
        let text = |pid: &str| fs::read_to_string(format!("/proc/{pid}/{file}"));
        processes().iter().map(|pid| sum(&text(pid).unwrap_or_default(), names)).sum()
    };
    // What several processes share is counted for each here. That costs next
    // to nothing, and only if it is too much is each one's share asked for,
    // for which the kernel walks all their pages.
    held("status", ["RssAnon:", "RssShmem:"]) > limit
        && held("smaps_rollup", ["Pss_Anon:", "Pss_Shmem:"]) > limit
}

fn processes() -> Vec<String> {
    let own = std::process::id().to_string();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| *name != own && name.parse::<u32>().is_ok()).collect()
}

/// Adds up the lines of these names in the format of proc_pid_status(5), whose
/// values are in KiB; returns bytes.
fn sum(text: &str, names: [&str; 2]) -> u64 {
    let value = |line: &str| {
        let mut fields = line.split_whitespace();
        let is_wanted = fields.next().is_some_and(|name| names.contains(&name));
        if is_wanted { fields.next()?.parse::<u64>().ok() } else { None }
    };
    text.lines().filter_map(value).sum::<u64>() * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_memory_counts_and_files_do_not() {
        let status = "Name:\tpostgres\nVmRSS:\t  700 kB\nRssAnon:\t     100 kB\n\
                      RssFile:\t  400 kB\nRssShmem:\t     200 kB\nThreads:\t1\n";
        assert_eq!(sum(status, ["RssAnon:", "RssShmem:"]), 300 << 10);
        let rollup = "55d0-7ffd ---p 00000000 00:00 0   [rollup]\nRss:  700 kB\nPss:  300 kB\n\
                      Pss_Dirty: 9 kB\nPss_Anon:   90 kB\nPss_File:  200 kB\nPss_Shmem:  10 kB\n";
        assert_eq!(sum(rollup, ["Pss_Anon:", "Pss_Shmem:"]), 100 << 10);
        assert_eq!(sum("", ["RssAnon:", "RssShmem:"]), 0);
    }

    #[test]
    fn the_kernel_tells_what_is_held() {
        let own = fs::read_to_string("/proc/self/smaps_rollup").unwrap();
        assert!(sum(&own, ["Pss_Anon:", "Pss_Shmem:"]) > 0, "{own}");
    }
}
