//! What goes wrong is told, publishes nothing and leaves nothing behind.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::setting::{Setting, Traces, is_below, processes, text};

const UNTESTED: &str = "imageTestsConfiguration:\n  imageTestsEnabled: false\n";

fn bash(phase: &str, command: &str) -> String {
    format!(
        "  - name: {phase}\n    steps:\n      - name: Try\n        action: ExecuteBash\n        \
         timeoutSeconds: 60\n        inputs:\n          commands:\n            - |\n              {command}\n"
    )
}

/// A build that fails as `code`, says all of `told`, and changes nothing else.
#[track_caller]
fn check(name: &str, phases: &str, more: &str, code: i32, told: &[&str]) {
    let setting = Setting::new();
    let project = setting.project(name, phases, more);
    let (before, amis) = (Traces::now(&setting), setting.amis());
    let said = setting.fails(&project, code);
    for part in told {
        assert!(said.contains(part), "`{part}` is not told in:\n{said}");
    }
    assert_eq!(Traces::now(&setting), before);
    assert_eq!(setting.amis(), amis);
}

#[test]
fn a_failing_component_is_named_with_its_last_lines() {
    let phases = bash("build", "for n in $(seq 30); do echo line $n; done; exit 17");
    let told = ["component", "build", "Try", "exit code 17", "line 11", "line 30"];
    check("failing", &phases, UNTESTED, 3, &told);
}

#[test]
fn a_hanging_component_is_ended() {
    let phases = bash("build", "sleep 1000 & sleep 1000").replace("60", "2");
    check("hanging", &phases, UNTESTED, 3, &["longer than its timeout"]);
}

#[test]
fn a_fork_bomb_is_contained() {
    let phases = bash("build", "bomb() { bomb | bomb & }; bomb; sleep 5; exit 9");
    check("bomb", &phases, UNTESTED, 3, &["Try"]);
}

#[test]
fn memory_is_bounded() {
    let phases = bash("build", "head -c 3G /dev/zero | tail");
    let small = format!("{UNTESTED}infrastructureConfiguration:\n  instanceTypes: [t3.small]\n");
    check("hog", &phases, &small, 3, &["Try"]);
}

#[test]
fn a_failing_test_publishes_nothing() {
    let phases = bash("test", "echo the page is missing; exit 4");
    check("untrue", &phases, "", 4, &["test", "Try", "exit code 4", "the page is missing"]);
}

#[test]
fn a_wrong_project_is_refused_with_every_place() {
    let setting = Setting::new();
    let project = setting.project(
        "wrong",
        &bash("biuld", "true").replace("ExecuteBash", "ExecuteBahs"),
        "recipes: 1\n",
    );
    let said = setting.fails(&project, 2);
    for part in ["goldsmith.yaml", "recipes"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_component_that_is_not_there_is_refused_before_anything_starts() {
    let setting = Setting::new();
    let project = setting.project("absent", &bash("build", "true"), "");
    std::fs::remove_file(project.join("component.yaml")).unwrap();
    let before = Traces::now(&setting);
    assert!(setting.fails(&project, 2).contains("component.yaml"));
    assert_eq!(Traces::now(&setting), before);
}

#[test]
fn an_interrupt_cleans_up() {
    let setting = Setting::new();
    let project =
        setting.project("interrupted", &bash("build", "echo begun; sleep 1000"), UNTESTED);
    let (before, amis) = (Traces::now(&setting), setting.amis());
    let mut build = start(&setting, &project);
    wait_for(&mut build, "begun");
    let pid = build.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(build.wait().unwrap().code(), Some(130));
    assert_eq!(Traces::now(&setting), before);
    assert_eq!(setting.amis(), amis);
}

/// The machine of the test ends under it, as when the host's memory runs out.
#[test]
fn a_machine_that_dies_fails_the_test() {
    let setting = Setting::new();
    let project = setting.project("dies", &bash("test", "echo begun; sleep 1000"), "");
    let (before, amis) = (Traces::now(&setting), setting.amis());
    let mut build = start(&setting, &project);
    wait_for(&mut build, "begun");
    let machine = processes(|name| name.starts_with("qemu-system"))
        .find(|pid| is_below(*pid, build.id()))
        .expect("the test runs in a machine")
        .to_string();
    assert!(Command::new("kill").args(["-KILL", &machine]).status().unwrap().success());
    let mut said = String::new();
    build.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(build.wait().unwrap().code(), Some(4));
    for part in ["component component: phase test: step Try: ", "begun"] {
        assert!(said.contains(part), "`{part}` is not told in:\n{said}");
    }
    let shown = setting.json(&["show", "dies"]).to_string();
    assert!(shown.contains("phase test: step Try: "), "{shown}");
    assert_eq!(Traces::now(&setting), before);
    assert_eq!(setting.amis(), amis);
}

#[test]
fn a_name_that_is_taken_is_refused_before_anything_starts() {
    let setting = Setting::new();
    let named = format!(
        "{UNTESTED}distributions:\n  - region: local-1\n    amiDistributionConfiguration:\n      \
         name: taken by the first\n"
    );
    let project = setting.project("taken", &bash("build", "true"), &named);
    let built = setting.run(&["build", project.to_str().unwrap()]);
    assert!(built.status.success(), "{}", text(&built));
    let before = Traces::now(&setting);
    let said = setting.fails(&project, 2);
    assert!(said.contains("`taken by the first` in local-1"), "{said}");
    assert_eq!(Traces::now(&setting), before);
    assert!(setting.run(&["delete", "taken", "--yes"]).status.success());
}

/// The data folder is a file system of `megabytes`, on which `part` of a build
/// finds no room: the build says so, and what it had written is gone.
#[track_caller]
fn check_full(setting: &Setting, data: &Path, part: &str, project: &Path) {
    let room = || rustix::fs::statvfs(data).map(|stat| stat.f_bfree * stat.f_frsize).unwrap();
    let (before, traces) = (room(), Traces::now(setting));
    let mut command = setting.command_in(data);
    let output = command.args(["build", "--plain"]).arg(project).output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{part}: {said}");
    assert!(said.contains("No space left on device"), "{part}: {said}");
    assert!(said.contains("hint: free some space"), "{part}: {said}");
    let images = setting.command_in(data).arg("images").output().unwrap();
    assert!(!text(&images).contains("AVAILABLE") && !text(&images).contains("ami-"));
    assert_eq!(Traces::now(setting), traces);
    // The agent, the catalogue and the log remain.
    assert!(before - room() < 16 << 20, "{part}: {} bytes are left", before - room());
}

/// Mounts a file system, for which it needs to be root.
#[test]
fn a_full_disk_is_told_and_nothing_is_left() {
    let setting = Setting::new();
    let project = setting.project("full", &bash("build", "true"), UNTESTED);
    // The base is at hand afterwards.
    assert!(setting.run(&["build", project.to_str().unwrap()]).status.success());
    assert!(setting.run(&["delete", "full", "--yes"]).status.success());
    let small = Small::new(64);
    check_full(&setting, small.path(), "making the base", &project);
    drop(small);

    let bases = setting.data().join("bases");
    let size = Command::new("du").args(["-sm"]).arg(&bases).output().unwrap();
    let size: u64 = text(&size).split_whitespace().next().unwrap().parse().unwrap();
    for (part, room) in [("writing the disk", 100), ("publishing", 700)] {
        let small = Small::new(size + room);
        let copied = Command::new("cp").arg("-a").arg(&bases).arg(small.path()).status();
        assert!(copied.unwrap().success());
        check_full(&setting, small.path(), part, &project);
    }
}

/// A small file system in memory.
struct Small(tempfile::TempDir);

impl Small {
    fn new(megabytes: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "small"]);
        assert!(mount.arg(folder.path()).status().unwrap().success(), "mounting takes root");
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _mounted_still = Command::new("umount").arg(self.0.path()).status();
    }
}

/// The whole command runs where there is no network, for which it needs to be root.
#[test]
fn no_network_is_told() {
    let setting = Setting::new();
    let project = setting.project("offline", &bash("build", "true"), UNTESTED);
    let data = tempfile::tempdir().unwrap();
    let before = Traces::now(&setting);
    let offline = setting.command_in(data.path());
    let mut command = Command::new("unshare");
    command.arg("--net").arg(offline.get_program()).args(offline.get_args());
    let output = command.args(["build", "--plain"]).arg(&project).output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("hint: check this machine's network"), "{said}");
    assert_eq!(Traces::now(&setting), before);
    assert_eq!(fs::read_dir(data.path().join("work")).unwrap().count(), 0);
}

/// Only goldsmith is told, while mmdebstrap waits for a mirror that never answers.
#[test]
fn an_interrupt_ends_the_making_of_a_base() {
    let setting = Setting::new();
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mirror =
        format!("{UNTESTED}goldsmith:\n  mirror: http://{}/debian\n", mute.local_addr().unwrap());
    let project = setting.project("early", &bash("build", "true"), &mirror);
    let data = tempfile::tempdir().unwrap();
    let before = Traces::now(&setting);
    let mut command = setting.command_in(data.path());
    command.args(["build", "--plain"]).arg(&project).stderr(Stdio::piped());
    let mut build = command.spawn().unwrap();
    wait_for(&mut build, "base debian-minimal-12");
    let _asked = mute.accept().unwrap();
    let pid = build.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(build.wait().unwrap().code(), Some(130));
    assert_eq!(Traces::now(&setting), before);
    assert_eq!(fs::read_dir(data.path().join("work")).unwrap().count(), 0);
}

/// Promise 2: the build's processes end with the factory, and the next command
/// records its failure and removes its folders.
#[test]
fn a_killed_factory_leaves_nothing() {
    let setting = Setting::new();
    let project = setting.project("killed", &bash("build", "echo begun; sleep 1000"), UNTESTED);
    let before = Traces::now(&setting);
    let mut build = start(&setting, &project);
    wait_for(&mut build, "begun");
    build.kill().unwrap();
    build.wait().unwrap();
    let shown = setting.json(&["show", "killed"]).to_string();
    assert!(shown.contains("FAILED") && shown.contains("stopped before"), "{shown}");
    assert!(setting.run(&["gc"]).status.success());
    Traces::check_settled(&setting, &before);
}

/// There is no moment at which AMIs are there and their image is not.
#[test]
fn a_factory_killed_once_its_amis_are_there_leaves_an_available_image() {
    let setting = Setting::new();
    let project = setting.project("late", &bash("build", "true"), UNTESTED);
    let (before, amis) = (Traces::now(&setting), setting.amis());
    let mut command = setting.command();
    command.args(["-q", "build"]).arg(&project).stdout(Stdio::null()).stderr(Stdio::null());
    let mut build = command.spawn().unwrap();
    while setting.amis() == amis && build.try_wait().unwrap().is_none() {}
    // It may have ended by itself since.
    let _ = build.kill();
    build.wait().unwrap();
    let shown = setting.json(&["show", "late"]).to_string();
    assert!(shown.contains("AVAILABLE"), "{shown}");
    assert!(setting.run(&["delete", "late", "--yes"]).status.success());
    assert!(setting.run(&["gc"]).status.success());
    Traces::check_settled(&setting, &before);
    assert_eq!(setting.amis(), amis);
}

fn start(setting: &Setting, project: &Path) -> std::process::Child {
    let mut command = setting.command();
    command.args(["-v", "build", "--plain"]).arg(project);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Reads what a build says until it has said `wanted`.
fn wait_for(build: &mut std::process::Child, wanted: &str) {
    let mut said = String::new();
    let mut byte = [0];
    let stderr = build.stderr.as_mut().unwrap();
    while !said.contains(wanted) {
        assert_eq!(stderr.read(&mut byte).unwrap(), 1, "it ended having said:\n{said}");
        said.push(char::from(byte[0]));
    }
}
