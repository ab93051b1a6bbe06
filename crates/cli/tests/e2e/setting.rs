//! Where the tests work: one data folder, projects in temporary folders, and
//! a count of what a build might leave behind.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// The counts of what is left behind need quiet; who counts nothing may work
/// beside others that do not.
static QUIET: RwLock<()> = RwLock::new(());

/// A test's hold on the data folder.
pub(crate) struct Setting {
    data: PathBuf,
    folder: tempfile::TempDir,
    _hold: Hold,
}

#[expect(dead_code, reason = "held until the test ends, never read")]
enum Hold {
    Alone(RwLockWriteGuard<'static, ()>),
    Beside(RwLockReadGuard<'static, ()>),
}

impl Setting {
    /// Waits until no other test works, and keeps them waiting.
    pub(crate) fn new() -> Self {
        Self::held(Hold::Alone(QUIET.write().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Waits until only such tests work that let others work beside them.
    pub(crate) fn beside_others() -> Self {
        Self::held(Hold::Beside(QUIET.read().unwrap_or_else(PoisonError::into_inner)))
    }

    fn held(hold: Hold) -> Self {
        let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e-data");
        Self { data, folder: tempfile::tempdir().unwrap(), _hold: hold }
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Writes a file of the test's project.
    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a project of one component, `component.yaml`, whose phases these are.
    pub(crate) fn project(&self, name: &str, phases: &str, more: &str) -> PathBuf {
        let document = format!("name: {name}\nschemaVersion: 1.0\nphases:\n{phases}");
        self.write("component.yaml", &document);
        let project = format!(
            "recipe:\n  name: {name}\n  semanticVersion: 1.0.0\n  parentImage: debian-minimal-12\n  \
             components:\n    - componentArn: ./component.yaml\n{more}"
        );
        self.write("goldsmith.yaml", &project);
        self.folder.path().to_owned()
    }

    pub(crate) fn command(&self) -> Command {
        self.command_in(&self.data)
    }

    /// Returns the command with another data folder.
    pub(crate) fn command_in(&self, data: &Path) -> Command {
        let program = std::env::var_os("GOLDSMITH_BIN").expect("`make vm` names the program");
        let mut command = Command::new(program);
        command.arg("--data-dir").arg(data).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Runs a command that must succeed and returns its JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--output", "json"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a command that must succeed; returns its JSON and the most memory
    /// that it itself ever had, in any of its processes, in bytes.
    pub(crate) fn json_and_memory(&self, arguments: &[&str]) -> (Value, u64) {
        let mut command = self.command();
        command.args(["--output", "json"]).args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            stdout.read_to_end(&mut bytes).map(|_| bytes).unwrap()
        });
        let (own, mut most) = (child.id(), 0);
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            // Disks are written and read in cells, which are the command once more.
            let cells = processes(|name| name == "goldsmith" || name == "exe");
            let cells = cells.filter(|pid| is_below(*pid, own));
            most = cells.chain([own]).filter_map(peak_memory).fold(most, u64::max);
            thread::sleep(Duration::from_millis(50));
        };
        assert!(status.success(), "{arguments:?}: {status}");
        (serde_json::from_slice(&reader.join().unwrap()).unwrap(), most)
    }

    /// Builds a project that must fail with `code`; returns all it said.
    pub(crate) fn fails(&self, project: &Path, code: i32) -> String {
        let output = self.run(&["build", "--plain", project.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output));
        text(&output)
    }

    /// Returns the ids of all AMIs in the catalogue.
    pub(crate) fn amis(&self) -> Vec<String> {
        let images = self.json(&["images"]).to_string();
        let mut ids: Vec<_> =
            images.match_indices("ami-").map(|(n, _)| images[n..n + 21].to_owned()).collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

/// What a build could leave behind on the machine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Traces {
    mounts: usize,
    loops: usize,
    processes: Vec<String>,
    interfaces: Vec<String>,
    groups: usize,
    work: Vec<String>,
    temporary: Vec<String>,
}

impl Traces {
    pub(crate) fn now(setting: &Setting) -> Self {
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let mut names: Vec<_> =
                entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        let ours = ["goldsmith", "runc", "passt", "pasta", "qemu-system", "mmdebstrap"];
        let processes = names(Path::new("/proc")).into_iter().filter_map(|pid| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
            ours.iter().any(|ours| name.starts_with(ours)).then_some(name)
        });
        let groups = ["/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"];
        Self {
            mounts: fs::read_to_string("/proc/self/mounts").unwrap().lines().count(),
            loops: names(Path::new("/sys/block"))
                .iter()
                .filter(|name| Path::new("/sys/block").join(name).join("loop").exists())
                .count(),
            processes: processes.collect(),
            interfaces: names(Path::new("/sys/class/net")),
            groups: groups
                .iter()
                .flat_map(|folder| names(Path::new(folder)))
                .filter(|name| name.starts_with("goldsmith-"))
                .count(),
            work: names(&setting.data().join("work")),
            temporary: names(&std::env::temp_dir())
                .into_iter()
                .filter(|name| name.contains("mmdebstrap") || name.contains("goldsmith"))
                .collect(),
        }
    }
}

impl Traces {
    /// Checks that there is no more than before, once the kernel has ended the
    /// process namespaces of what was killed, which takes it a moment.
    #[track_caller]
    pub(crate) fn check_settled(setting: &Setting, before: &Self) {
        for _ in 0..100 {
            if Self::now(setting) == *before {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(Self::now(setting), *before);
    }
}

/// Returns the ids of the processes whose name is one that is `wanted`.
pub(crate) fn processes(wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = u32> {
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(move |pid| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm"));
        name.is_ok_and(|name| wanted(name.trim()))
    })
}

/// Says whether a process descends from another.
pub(crate) fn is_below(mut pid: u32, ancestor: u32) -> bool {
    while let Some(parent) = parent(pid) {
        if parent == ancestor {
            return true;
        }
        pid = parent;
    }
    false
}

fn parent(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    parent.trim().parse().ok()
}

/// Returns the most memory a process ever had, in bytes (proc_pid_status(5)).
fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

pub(crate) fn text(output: &Output) -> String {
    let part = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    part(&output.stdout) + &part(&output.stderr)
}
