//! Component documents in throw-away instances, restarts and all; and a step
//! that writes more than a runner may hold.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::setting::{Setting, Traces, text};

const RESTARTS: &str = r#"name: restarts
schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: Again
        action: ExecuteBash
        inputs:
          commands:
            - if [ -e /var/mark ]; then echo after; exit 0; fi
            - touch /var/mark
            - exit 194
      - name: Restart
        action: Reboot
  - name: test
    steps:
      - name: Both
        action: ExecuteBash
        inputs:
          commands:
            - echo "{{ build.Again.outputs.stdout }}, $(id -u)"
"#;

/// Runs a document with `more` arguments, and leaves nothing behind but the
/// log folder below `logs`.
#[track_caller]
fn run(setting: &Setting, document: &Path, logs: &Path, more: &[&str], code: i32) -> Output {
    let before = Traces::now(setting);
    let mut command = setting.command();
    command.args(["component", "run", "--plain", "-l"]).arg(logs).args(more).arg(document);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    assert_eq!(Traces::now(setting), before);
    output
}

fn summary(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Returns the outputs of the last step that the run put on record.
fn last_outputs(output: &Output) -> String {
    let folder = summary(output)["logUrl"].as_str().unwrap().to_owned();
    let text = std::fs::read_to_string(Path::new(&folder).join("detailedoutput.json")).unwrap();
    let detailed: Value = serde_json::from_str(&text).unwrap();
    let phase = detailed["documents"][0]["phases"].as_array().unwrap().last().unwrap();
    let step = phase["steps"].as_array().unwrap().last().unwrap();
    step["outputs"].as_str().unwrap().to_owned()
}

#[test]
fn a_sandbox_restarts_and_leaves_nothing() {
    let setting = Setting::new();
    let document = setting.write("restarts.yaml", RESTARTS);
    let logs = tempfile::tempdir().unwrap();
    let output = run(&setting, &document, logs.path(), &["--in", "debian-minimal-12"], 0);
    assert_eq!(summary(&output)["executedStepCount"], 3);
    assert_eq!(last_outputs(&output), r#"[{"stdout":"after, 0"}]"#);
    assert!(!Path::new("/var/mark").exists());
}

/// One boot after another, as each takes its time: after the restarts a step
/// fails, and a shell is opened.
#[test]
fn a_machine_restarts_and_opens_a_shell_where_a_document_failed() {
    let failing = RESTARTS
        .replace("touch /var/mark", "echo left >/var/mark")
        .replace("$(id -u)\"", "$(id -u)\"; exit 9");
    check_shell("--vm", &failing, "after, 0");
}

#[test]
fn a_failure_in_a_sandbox_is_told_with_its_last_lines() {
    let setting = Setting::new();
    let failing = RESTARTS.replace("exit 194", "echo \"no mark\"; exit 9");
    let document = setting.write("failing.yaml", &failing);
    let logs = tempfile::tempdir().unwrap();
    let more = ["--in", "debian-minimal-12", "--shell-on-failure"];
    let output = run(&setting, &document, logs.path(), &more, 3);
    let said = text(&output);
    for part in ["step Again", "exit code 9", "| no mark", "there is no terminal"] {
        assert!(said.contains(part), "`{part}` is not told in:\n{said}");
    }
    assert_eq!(summary(&output)["failedStepCount"], 1);
}

#[test]
fn a_shell_is_opened_where_a_document_failed() {
    let failing = RESTARTS.replace("exit 194", "echo left >/var/mark; exit 9");
    check_shell("", &failing, "exit code 9");
}

/// The document fails and says `told`; what the user types at the shell finds
/// what its steps left.
#[track_caller]
fn check_shell(more: &str, failing: &str, told: &str) {
    let setting = Setting::new();
    let document = setting.write("failing.yaml", failing);
    let logs = tempfile::tempdir().unwrap();
    let before = Traces::now(&setting);
    let program = std::env::var("GOLDSMITH_BIN").unwrap();
    let line = format!(
        "{program} --data-dir {} component run --plain --in debian-minimal-12 {more} \
         --shell-on-failure -l {} {}",
        setting.data().display(),
        logs.path().display(),
        document.display()
    );
    // script(1) gives it a terminal.
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).stdin(std::process::Stdio::piped());
    script.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut script = script.spawn().unwrap();
    let mut stdin = script.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"echo found $(cat /var/mark) by $((40 + 2))\nexit\n")
        .unwrap();
    let output = script.wait_with_output().unwrap();
    drop(stdin);
    let said = text(&output);
    assert!(said.contains("found left by 42") && said.contains(told), "{said}");
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert_eq!(Traces::now(&setting), before);
}

/// Writes 300 MB as one line and then some as many; the runner, which is the
/// shell's parent, must have grown by a small part of that.
#[test]
fn a_step_that_writes_without_end_takes_little_memory() {
    let setting = Setting::new();
    let document = setting.write(
        "flood.yaml",
        "schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n      - name: Flood\n        \
         action: ExecuteBash\n        inputs:\n          commands:\n            \
         - head -c 300M /dev/zero | tr '\\0' x\n            - yes | head -c 2M\n      \
         - name: Peak\n        action: ExecuteBash\n        inputs:\n          commands:\n            \
         - echo peak $(awk '/VmHWM/ {print $2}' /proc/$PPID/status)\n",
    );
    let logs = tempfile::tempdir().unwrap();
    let output = run(&setting, &document, logs.path(), &["-q"], 0);
    let outputs = last_outputs(&output);
    let peak = outputs.split_once(' ').unwrap().1.split('"').next().unwrap();
    let kib: u64 = peak.parse().unwrap();
    assert!(kib < 64 << 10, "it took {kib} KiB");
    let folder = summary(&output)["logUrl"].as_str().unwrap().to_owned();
    let size = |name: &str| std::fs::metadata(Path::new(&folder).join(name)).unwrap().len();
    assert!(size("console.log") > 300 << 20, "every line is in the log");
    assert!(size("detailedoutput.json") < 256 << 10);
}
