//! Finds out what can run a machine here: KVM, or QEMU's emulation.
//!
//! A `/dev/kvm` that opens may still hang or crash guests, where KVM itself is
//! imitated. So a guest is run for a moment that does what kernels do and
//! firmware does not (`probe.s`).

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use cell::{Cells, Network, SpawnError, Stdio};
use serde::{Deserialize, Serialize};

use super::{file, now, program, tail};

/// `probe.s`, assembled: a boot sector.
const GUEST: &[u8; 512] = include_bytes!("probe.bin");

/// What QEMU's status is when the guest got to its end.
const PASSED: i32 = 85;

/// What QEMU's status is when KVM does what QEMU takes for impossible: as a
/// shell tells that it aborted.
const ABORTED: i32 = 134;

/// How long the guest may take. It needs a third of a second where KVM works,
/// nearly all of it in the firmware.
const PATIENCE: Duration = Duration::from_secs(8);

/// The folder of the guest's disk, relative to the data folder.
const FOLDER: &str = "probe";

/// The file that keeps the answer, relative to the data folder.
const ANSWER: &str = "accelerator.json";

/// What runs a machine's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Accelerator {
    /// The processor, by way of the kernel's KVM.
    Kvm,
    /// QEMU's emulation, twenty times slower.
    Tcg,
}

impl fmt::Display for Accelerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        })
    }
}

/// What a host can run machines with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Verdict {
    /// The best that works.
    pub accelerator: Accelerator,
    /// What was seen of `/dev/kvm`.
    pub reason: String,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (/dev/kvm: {})", self.accelerator, self.reason)
    }
}

/// An answer and the boot of the host for which it holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Answer {
    boot: String,
    verdict: Verdict,
}

/// Returns what runs machines best on this host, within eight seconds.
///
/// The answer is kept in the data folder for as long as the host runs, if the
/// guest was run: a user who is let in, or installs QEMU, need not restart it.
pub fn accelerator(cells: &Cells) -> Verdict {
    let emulated =
        |reason: &str| Verdict { accelerator: Accelerator::Tcg, reason: reason.to_owned() };
    if !Path::new("/dev/kvm").exists() {
        return emulated("absent");
    }
    let kept = cells.data().join(ANSWER);
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    // Whatever is wrong with the file, asking again mends it.
    let answer = fs::read(&kept).ok().and_then(|json| serde_json::from_slice::<Answer>(&json).ok());
    if let Some(answer) = answer
        && answer.boot == boot
    {
        return answer.verdict;
    }
    let verdict = match ask(cells) {
        Ok(Asked::Refused) => return emulated("permission denied"),
        Ok(Asked::Failed(reason)) => return emulated(&reason),
        Ok(Asked::Answered(verdict)) => verdict,
        Err(error) => return emulated(&error.to_string()),
    };
    let answer = Answer { boot, verdict };
    let json = serde_json::to_vec(&answer).expect("answers hold only text");
    // Unkept, it is asked for again; that costs a moment and nothing else.
    let _ = fs::write(&kept, json);
    answer.verdict
}

/// What came of running the guest.
enum Asked {
    /// QEMU could not open KVM.
    Refused,
    /// QEMU, which may be missing or unfit, did not get to run it.
    Failed(String),
    /// It ran or did not.
    Answered(Verdict),
}

fn ask(cells: &Cells) -> Result<Asked, SpawnError> {
    let disk = Path::new(FOLDER).join("disk.img");
    cells
        .make_folder(Path::new(FOLDER))
        .and_then(|()| file::put(cells, &disk, GUEST))
        .map_err(SpawnError::Start)?;
    let task = program(arguments(&disk), Network::Host);
    let mut cell = cells.spawn("probe", task, None, Stdio::Pipes)?;
    let complaints = cell.stderr.take();
    let deadline = now() + PATIENCE;
    let status = loop {
        match cell.try_wait().map_err(SpawnError::Pipe)? {
            Some(status) => break status.code(),
            None if now() >= deadline => break None,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    cell.kill();
    let complaints = complaints.map(tail::read).unwrap_or_default();
    Ok(judge(status, &tail::lines(&complaints)))
}

/// Judges QEMU's exit code (`None`: it did not exit) and its last words.
fn judge(code: Option<i32>, complaints: &[String]) -> Asked {
    let is_refusal = |line: &String| line.contains("Could not access KVM kernel module");
    if complaints.iter().any(is_refusal) {
        return Asked::Refused;
    }
    let ended = |code: i32| {
        let said = complaints.iter().find(|line| line.contains("error"));
        let said = said.or(complaints.last()).map_or(String::new(), |line| format!(": {line}"));
        format!("opens, but QEMU ends with {code}{said}")
    };
    let (accelerator, reason) = match code {
        Some(PASSED) => (Accelerator::Kvm, "works".to_owned()),
        Some(0) => (Accelerator::Tcg, "opens, but crashes guests".to_owned()),
        Some(ABORTED) => (Accelerator::Tcg, ended(ABORTED)),
        Some(code) => return Asked::Failed(ended(code)),
        None => (Accelerator::Tcg, "opens, but hangs guests".to_owned()),
    };
    Asked::Answered(Verdict { accelerator, reason })
}

/// Returns the command that runs the guest on `disk`, a floppy: the firmware
/// reads nothing from a hard disk of one sector. A crash of the guest ends
/// QEMU as well.
fn arguments(disk: &Path) -> Vec<String> {
    let disk = disk.display();
    format!(
        "qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
         -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
         -accel kvm -cpu host -m 64 -device isa-debug-exit,iobase=0xf4,iosize=4 \
         -drive if=floppy,format=raw,readonly=on,file={disk}"
    )
    .split_whitespace()
    .map(str::to_owned)
    .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[track_caller]
    fn check(code: Option<i32>, complaints: &str, expected: &str) {
        let complaints: Vec<String> = complaints.lines().map(str::to_owned).collect();
        let said = match judge(code, &complaints) {
            Asked::Refused => "refused".to_owned(),
            Asked::Failed(reason) => format!("not kept: {reason}"),
            Asked::Answered(verdict) => verdict.to_string(),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn verdicts() {
        check(Some(85), "", "kvm (/dev/kvm: works)");
        check(Some(0), "", "tcg (/dev/kvm: opens, but crashes guests)");
        check(None, "", "tcg (/dev/kvm: opens, but hangs guests)");
        check(
            Some(134),
            "qemu: error: failed to set MSR 0x10a\nqemu: kvm.c: Assertion failed.",
            "tcg (/dev/kvm: opens, but QEMU ends with 134: qemu: error: failed to set MSR 0x10a)",
        );
        check(Some(1), "Could not access KVM kernel module: Permission denied", "refused");
        check(
            Some(1),
            "failed to run `qemu-system-x86_64`: No such file or directory (os error 2)",
            "not kept: opens, but QEMU ends with 1: failed to run `qemu-system-x86_64`: No such \
             file or directory (os error 2)",
        );
        check(Some(137), "", "not kept: opens, but QEMU ends with 137");
    }

    #[test]
    fn answers_survive_a_file() {
        let verdict = Verdict { accelerator: Accelerator::Tcg, reason: "absent".to_owned() };
        let json = serde_json::to_string(&Answer { boot: "b".to_owned(), verdict }).unwrap();
        assert_eq!(json, r#"{"boot":"b","verdict":{"accelerator":"tcg","reason":"absent"}}"#);
        assert_eq!(serde_json::from_str::<Answer>(&json).unwrap().boot, "b");
    }

    /// The guest is assembled anew with binutils, which Rust's linker needs too.
    #[test]
    fn the_guest_is_its_source() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/vm/probe.s");
        let (object, guest) = (path("probe.o"), path("probe.bin"));
        assert_eq!(run(&["as", "--64", "-o", &object, source]), Some(0));
        let link = ["ld", "-Ttext", "0x7c00", "--oformat", "binary", "-o", &guest, &object];
        assert_eq!(run(&link), Some(0));
        assert_eq!(fs::read(guest).unwrap(), GUEST);
    }

    #[test]
    fn a_guest_passes_on_a_processor_beyond_doubt() {
        let folder = tempfile::tempdir().unwrap();
        let disk = folder.path().join("disk.img");
        fs::write(&disk, GUEST).unwrap();
        let mut argv = arguments(&disk);
        for word in &mut argv {
            *word = match &**word {
                "kvm" => "tcg".to_owned(),
                "host" => "max".to_owned(),
                _ => std::mem::take(word),
            };
        }
        let argv: Vec<&str> =
            ["timeout", "60"].into_iter().chain(argv.iter().map(String::as_str)).collect();
        assert_eq!(run(&argv), Some(PASSED));
    }

    #[expect(clippy::disallowed_methods, reason = "tests run the tools they check against")]
    fn run(argv: &[&str]) -> Option<i32> {
        let output = Command::new(argv[0]).args(&argv[1..]).output();
        output.unwrap_or_else(|error| panic!("{}: {error}", argv[0])).status.code()
    }
}
