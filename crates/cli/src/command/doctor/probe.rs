//! Tries out what the kernel and this user's rights allow.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use cell::{Cells, Ids, Limits, Network, Overlay, Run, SpawnError, Stdio, Task};

use instance::vm::{self, Accelerator};

use super::{Finding, State};
use crate::home::Home;
use crate::machines::Room;
use crate::text;

/// Below this a build of an ordinary image is likely to fill the disk.
const ROOM: u64 = 5 << 30;

/// Returns the findings of all probes.
pub(super) fn all(home: &Home) -> Vec<Finding> {
    let mut findings = vec![tunnel(), route()];
    let ids = Ids::of_this_user();
    match &ids {
        Ok(_) => findings.push(Finding::new("user ids", State::Ok, "65536 for instances")),
        Err(error) => {
            findings.push(Finding::new("user ids", State::Missing, chain(error)).mend(error.mend()))
        }
    }
    let Ok(ids) = ids else { return findings };
    match Cells::new(home.data(), ids) {
        Ok(cells) => {
            findings.push(room(cells.data()));
            findings.extend(in_cells(&cells));
        }
        Err(error) => {
            let what = format!("data folder {}", home.data().display());
            findings.push(Finding::new(&what, State::Missing, error.to_string()));
        }
    }
    findings
}

fn tunnel() -> Finding {
    let path = "/dev/net/tun";
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => Finding::new(path, State::Ok, "connects instances to the network"),
        Err(error) => {
            let mend = match error.kind() {
                io::ErrorKind::PermissionDenied => "chmod 0666 /dev/net/tun",
                _ => "modprobe tun",
            };
            Finding::new(path, State::Missing, error.to_string()).mend(mend)
        }
    }
}

fn route() -> Finding {
    if cell::has_default_route() {
        Finding::new("default route", State::Ok, "instances reach what this machine reaches")
    } else {
        Finding::new("default route", State::Weak, "instances will have no network")
    }
}

fn room(data: &Path) -> Finding {
    let what = "free space";
    match rustix::fs::statvfs(data) {
        Ok(stat) => {
            let free = stat.f_bavail * stat.f_frsize;
            let state = if free < ROOM { State::Weak } else { State::Ok };
            Finding::new(what, state, format!("{} in {}", text::size(free), data.display()))
        }
        Err(error) => Finding::new(what, State::Weak, io::Error::from(error).to_string()),
    }
}

fn in_cells(cells: &Cells) -> Vec<Finding> {
    let mut findings = Vec::new();
    match cells.run("doctor", program(&["true"]), &mut io::empty()) {
        Ok(_) => findings.push(Finding::new("namespaces", State::Ok, "instances are fenced in")),
        Err(error) => {
            findings.push(
                Finding::new("namespaces", State::Missing, chain(&error)).mend(
                    "sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000",
                ),
            );
            return findings;
        }
    }
    findings.push(layers(cells));
    findings.push(network(cells));
    findings.push(limits(cells));
    findings.extend(runc(cells));
    findings.push(accelerator(cells));
    findings
}

fn layers(cells: &Cells) -> Finding {
    let what = "overlay file system";
    match try_layers(cells) {
        Ok(()) => Finding::new(what, State::Ok, "works in namespaces"),
        Err(error) => Finding::new(what, State::Missing, error),
    }
}

fn try_layers(cells: &Cells) -> Result<(), String> {
    let told = |error: io::Error| error.to_string();
    let room = Room::make(cells).map_err(told)?;
    let folder = room.path();
    let lower = folder.join("lower");
    cells.make_folder(&lower).map_err(told)?;
    let overlay = Overlay {
        layers: vec![lower],
        upper: folder.join("upper"),
        work: folder.join("scratch"),
        at: PathBuf::from("/tmp/doctor"),
    };
    let Task::Run(run) = program(&["mkdir", "/tmp/doctor/new"]) else {
        unreachable!("a program is run");
    };
    let task = Task::Run(Run { overlay: Some(overlay), ..run });
    let tried = cells.run("doctor", task, &mut io::empty());
    tried.map(drop).map_err(|error| chain(&error))
}

fn network(cells: &Cells) -> Finding {
    let Task::Run(run) = program(&["true"]) else { unreachable!("a program is run") };
    let own = Run { network: Network::Own { forwards: Vec::new() }, enter: true, ..run };
    match cells.run("doctor", Task::Run(own), &mut io::empty()) {
        Ok(_) => Finding::new("network of its own", State::Ok, "by pasta, without host loopback"),
        Err(error) => Finding::new("network of its own", State::Missing, chain(&error)),
    }
}

/// Tells what holds the limits of instances: a cell with limits asks the
/// kernel which control group it is in.
fn limits(cells: &Cells) -> Finding {
    let what = "resource limits";
    let limits = Limits { cpus: 1, memory_mib: 256, processes: 64 };
    match output(cells, program(&["cat", "/proc/self/cgroup"]), limits) {
        Ok(groups) if groups.contains("goldsmith-") => {
            Finding::new(what, State::Ok, "held by control groups")
        }
        Ok(_) => Finding::new(what, State::Ok, "held from within, as no control group may be made"),
        Err(error) => Finding::new(what, State::Missing, error),
    }
}

fn output(cells: &Cells, task: Task, limits: Limits) -> Result<String, String> {
    let told = |error: &SpawnError| chain(error);
    let name = format!("doctor-{}", std::process::id());
    let mut cell = cells.spawn(&name, task, Some(limits), Stdio::Pipes).map_err(|e| told(&e))?;
    let mut text = String::new();
    if let Some(mut stdout) = cell.stdout.take() {
        io::Read::read_to_string(&mut stdout, &mut text).map_err(|error| error.to_string())?;
    }
    let status = cell.wait().map_err(|error| error.to_string())?;
    if status.success() { Ok(text) } else { Err(format!("the probe ended with {status}")) }
}

fn runc(cells: &Cells) -> Option<Finding> {
    // Where it is absent the table of programs says so already.
    let output = cells.run("doctor", program(&["runc", "--version"]), &mut io::empty()).ok()?;
    let text = String::from_utf8_lossy(&output).into_owned();
    let version = text.lines().next()?.trim_start_matches("runc version").trim();
    Some(Finding::new("runc's version", State::Ok, version))
}

fn accelerator(cells: &Cells) -> Finding {
    let verdict = vm::accelerator(cells);
    let state = match verdict.accelerator {
        Accelerator::Kvm => State::Ok,
        Accelerator::Tcg => State::Weak,
    };
    Finding::new(
        "accelerator",
        state,
        format!("{} (/dev/kvm: {})", verdict.accelerator, verdict.reason),
    )
}

fn program(argv: &[&str]) -> Task {
    Task::Run(Run {
        argv: argv.iter().map(|arg| (*arg).to_owned()).collect(),
        overlay: None,
        files: BTreeMap::new(),
        network: Network::Host,
        enter: false,
    })
}

/// Returns an error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text.replace('\n', "; ")
}
