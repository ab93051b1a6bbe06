//! Bounds what a cell uses, with control groups.
//!
//! Works on cgroup v2, v1 and both at once, wherever this process may make a
//! group: as root, or in a delegated subtree. Elsewhere a cell is bounded from
//! within (see [`crate::inside`]); `doctor` tells which of the two holds.

use std::fs;
use std::path::{Path, PathBuf};

use crate::job::Limits;

/// The control groups of one cell; removed when dropped.
#[derive(Debug)]
pub(crate) struct Group {
    folders: Vec<PathBuf>,
}

impl Group {
    /// Makes groups named `name` that hold `limits`; `None` where this process
    /// may not, or where a controller it needs is missing.
    pub(crate) fn create(name: &str, limits: Limits) -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mut group = Self { folders: Vec::new() };
        let mut missing = vec!["memory", "pids", "cpu"];
        for hierarchy in hierarchies(&mounts, &own) {
            let wanted: Vec<_> =
                missing.iter().copied().filter(|name| hierarchy.controls(name)).collect();
            if wanted.is_empty() {
                continue;
            }
            for parent in hierarchy.parents() {
                let folder = parent.join(format!("goldsmith-{name}"));
                if fs::create_dir(&folder).is_err() {
                    continue;
                }
                group.folders.push(folder.clone());
                let settings = wanted
                    .iter()
                    .flat_map(|controller| hierarchy.version.settings(controller, limits));
                if settings
                    .into_iter()
                    .all(|(file, value)| fs::write(folder.join(file), value).is_ok())
                {
                    missing.retain(|name| !wanted.contains(name));
                    break;
                }
            }
        }
        // Half a bound is none: the caller then bounds from within.
        missing.is_empty().then_some(group)
    }

    /// Moves a process into the group; its later children are born there.
    pub(crate) fn add(&self, pid: i32) {
        for folder in &self.folders {
            // A group that failed its settings is left empty on purpose.
            let _ = fs::write(folder.join("cgroup.procs"), pid.to_string());
        }
    }

    pub(crate) fn ran_out_of_memory(&self) -> bool {
        self.folders.iter().any(|folder| {
            ["memory.events", "memory.oom_control"].iter().any(|file| {
                let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
                text.lines().any(|line| {
                    line.strip_prefix("oom_kill ").is_some_and(|count| count.trim() != "0")
                })
            })
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.folders.drain(..).for_each(|folder| remove(&folder));
    }
}

/// Removes a group whose processes are gone or going.
fn remove(folder: &Path) {
    // The kernel may still be taking leave of the last process.
    for _ in 0..100 {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            Ok(()) | Err(_) => break,
        }
    }
}

/// Removes groups that cells of earlier, killed processes left behind;
/// `is_dead` says which names were theirs.
pub(crate) fn remove_left_behind(is_dead: &dyn Fn(&str) -> bool) {
    let (Ok(mounts), Ok(own)) =
        (fs::read_to_string("/proc/self/mounts"), fs::read_to_string("/proc/self/cgroup"))
    else {
        return;
    };
    for parent in hierarchies(&mounts, &own).iter().flat_map(Hierarchy::parents) {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.strip_prefix("goldsmith-").is_some_and(is_dead) {
                remove(&entry.path());
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

impl Version {
    fn settings(self, controller: &str, limits: Limits) -> Vec<(&'static str, String)> {
        let bytes = (limits.memory_mib << 20).to_string();
        let quota = u64::from(limits.cpus) * 100_000;
        match (self, controller) {
            (Self::V2, "memory") => vec![("memory.max", bytes)],
            (Self::V1, "memory") => vec![("memory.limit_in_bytes", bytes)],
            (_, "pids") => vec![("pids.max", limits.processes.to_string())],
            (Self::V2, _) => vec![("cpu.max", format!("{quota} 100000"))],
            (Self::V1, _) => vec![
                ("cpu.cfs_period_us", "100000".to_owned()),
                ("cpu.cfs_quota_us", quota.to_string()),
            ],
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Hierarchy {
    version: Version,
    mount: PathBuf,
    own: String,
    controllers: Vec<String>,
}

impl Hierarchy {
    fn controls(&self, controller: &str) -> bool {
        match self.version {
            Version::V1 => self.controllers.iter().any(|name| name == controller),
            Version::V2 => {
                let text = fs::read_to_string(self.mount.join("cgroup.controllers"));
                text.unwrap_or_default().split_whitespace().any(|name| name == controller)
            }
        }
    }

    /// Where a group may be made: beside this process, else at the top.
    fn parents(&self) -> Vec<PathBuf> {
        let own = self.mount.join(self.own.trim_start_matches('/'));
        let top = self.mount.clone();
        if own == top { vec![top] } else { vec![top, own] }
    }
}

/// Reads the hierarchies off `/proc/self/mounts` and `/proc/self/cgroup`
/// (cgroups(7)).
fn hierarchies(mounts: &str, own: &str) -> Vec<Hierarchy> {
    let own_in = |wanted: &dyn Fn(&str) -> bool| {
        own.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            let names = fields.next()?;
            wanted(names).then(|| fields.next().map(str::to_owned))?
        })
    };
    let mut found = Vec::new();
    for line in mounts.lines() {
        let fields: Vec<_> = line.split(' ').collect();
        let [_, mount, kind, options, ..] = fields[..] else { continue };
        let hierarchy = match kind {
            "cgroup2" => own_in(&str::is_empty).map(|own| (Version::V2, own, Vec::new())),
            "cgroup" => {
                let options: Vec<_> = options.split(',').map(str::to_owned).collect();
                let shares = |names: &str| {
                    names.split(',').any(|name| options.iter().any(|option| option == name))
                };
                own_in(&shares).map(|own| (Version::V1, own, options.clone()))
            }
            _ => None,
        };
        if let Some((version, own, controllers)) = hierarchy {
            let mount = Path::new(mount).to_owned();
            let hierarchy = Hierarchy { version, mount, own, controllers };
            if !found.contains(&hierarchy) {
                found.push(hierarchy);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hybrid_hierarchies_are_found() {
        let mounts = "cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0\n\
                      cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n\
                      cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n\
                      proc /proc proc rw 0 0\n";
        let own = "4:memory:/jobs/7\n1:cpu:/\n0::/\n";
        let found = hierarchies(mounts, own);
        let places: Vec<_> = found.iter().map(|h| (h.version, h.parents().len())).collect();
        assert_eq!(places, [(Version::V1, 1), (Version::V1, 2), (Version::V2, 1)]);
        assert_eq!(found[1].parents()[1], Path::new("/sys/fs/cgroup/memory/jobs/7"));
    }

    #[test]
    fn limits_become_settings() {
        let limits = Limits { cpus: 2, memory_mib: 4096, processes: 1000 };
        assert_eq!(Version::V2.settings("cpu", limits), [("cpu.max", "200000 100000".to_owned())]);
        assert_eq!(
            Version::V1.settings("memory", limits),
            [("memory.limit_in_bytes", "4294967296".to_owned())]
        );
    }
}
