//! `UpdateOS`: brings the installed packages up to date.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use channel::Stream;
use document::UpdateOs;
use rustix::process::geteuid;

use super::{ActionError, Bench, Done, Restart, settle};
use crate::clock::Deadline;
use crate::probe::find_program;
use crate::process::Program;

/// Packages leave this file where they need a restart to take effect.
const RESTART_FLAG: &str = "/var/run/reboot-required";

/// How long packages may take to come off hold.
const CLEAN_UP_LIMIT: Duration = Duration::from_secs(30);

/// Packages could not be updated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateError {
    #[error("packages can be updated by root only")]
    NotRoot,
    #[error("the machine has none of apt-get, dnf and yum")]
    NoManager,
}

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Apt,
    Dnf,
    Yum,
}

pub(crate) fn perform(inputs: &UpdateOs, bench: &mut Bench<'_>) -> Result<Done, ActionError> {
    if !geteuid().is_root() {
        return Err(UpdateError::NotRoot.into());
    }
    let known = [("apt-get", Manager::Apt), ("dnf", Manager::Dnf), ("yum", Manager::Yum)];
    let (_, manager) = known
        .into_iter()
        .find(|(program, _)| find_program(program))
        .ok_or(UpdateError::NoManager)?;
    let flag_before = restart_flag();
    // Packages on hold already must stay so, and those that are put on hold
    // for this step must not.
    let held = match manager {
        Manager::Apt if !inputs.exclude.is_empty() => {
            let silent = &mut |_: Stream, _: &str| {};
            let show = program(&["apt-mark", "showhold"]);
            let listed = settle(Bench { output: silent, ..*bench }.run(&show)?)?;
            listed.outputs.into_iter().flat_map(|(_, text)| lines(&text)).collect()
        }
        Manager::Apt | Manager::Dnf | Manager::Yum => Vec::new(),
    };
    let plan = plan(manager, inputs, &held);
    let mut updated = Ok(());
    for step in &plan.steps {
        updated = run(step, bench);
        if updated.is_err() {
            break;
        }
    }
    for step in &plan.afterwards {
        // The step's time may be what ended the update.
        let deadline = Deadline::after(Some(CLEAN_UP_LIMIT));
        let cleaned = run(step, &mut Bench { deadline, output: bench.output, ..*bench });
        updated = updated.and(cleaned);
    }
    updated?;
    // Only a flag raised by this update counts, or a stale one would restart
    // the machine at every such step.
    let restart = restart_flag().filter(|after| flag_before.as_ref() != Some(after));
    let restart = restart.map(|_| Restart::Next { delay: Duration::ZERO });
    Ok(Done { exit_code: Some(0), restart, ..Done::default() })
}

fn run(program: &Program, bench: &mut Bench<'_>) -> Result<(), ActionError> {
    settle(bench.run(program)?).map(drop)
}

fn restart_flag() -> Option<(u64, i64, i64)> {
    let flag = fs::metadata(RESTART_FLAG).ok()?;
    Some((flag.ino(), flag.mtime(), flag.mtime_nsec()))
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// What to run: `steps` until one fails, then `afterwards` in any case.
#[derive(Debug, Default)]
struct Plan {
    steps: Vec<Program>,
    afterwards: Vec<Program>,
}

/// Returns the commands that update what `inputs` says; `held` are the
/// packages that apt leaves alone already.
fn plan(manager: Manager, inputs: &UpdateOs, held: &[String]) -> Plan {
    let exclude: Vec<&str> = inputs.exclude.iter().map(String::as_str).collect();
    let include: Vec<&str> = inputs.include.iter().map(String::as_str).collect();
    let chosen: Vec<&str> =
        include.iter().copied().filter(|name| !exclude.contains(name)).collect();
    if chosen.is_empty() && !include.is_empty() {
        return Plan::default();
    }
    match manager {
        Manager::Apt => {
            let fresh: Vec<&str> =
                exclude.into_iter().filter(|name| !held.iter().any(|held| held == name)).collect();
            plan_apt(&chosen, &fresh)
        }
        Manager::Dnf => plan_rpm(&["dnf", "-y", "--refresh", "upgrade"], &chosen, &exclude),
        Manager::Yum => plan_rpm(&["yum", "-y", "update"], &chosen, &exclude),
    }
}

fn plan_apt(chosen: &[&str], hold: &[&str]) -> Plan {
    let get = |arguments: &[&str], names: &[&str]| {
        // A machine that just booted may be updating its lists by itself.
        let lock = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"];
        program(&[&lock[..], arguments, names].concat())
    };
    // Configuration files that were changed stay as they are, as on a machine
    // where nobody answers dpkg's questions.
    let keep = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"];
    // An index that cannot be fetched is only a warning by default, and the
    // machine would count as up to date.
    let mut steps = vec![get(&["-o", "APT::Update::Error-Mode=any", "update"], &[])];
    let mark = |verb: &str| program(&[&["apt-mark", verb][..], hold].concat());
    if !hold.is_empty() {
        steps.push(mark("hold"));
    }
    steps.push(if chosen.is_empty() {
        get(&[&keep[..], &["--with-new-pkgs", "upgrade"]].concat(), &[])
    } else {
        get(&[&keep[..], &["--only-upgrade", "install"]].concat(), chosen)
    });
    Plan { steps, afterwards: if hold.is_empty() { Vec::new() } else { vec![mark("unhold")] } }
}

fn plan_rpm(command: &[&str], chosen: &[&str], exclude: &[&str]) -> Plan {
    let excluded: Vec<String> = exclude.iter().map(|name| format!("--exclude={name}")).collect();
    let excluded: Vec<&str> = excluded.iter().map(String::as_str).collect();
    Plan { steps: vec![program(&[command, &excluded, chosen].concat())], afterwards: Vec::new() }
}

fn program(argv: &[&str]) -> Program {
    let (name, arguments) =
        argv.split_first().expect("a command is never empty because it is ours");
    Program {
        name: (*name).to_owned(),
        arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
        environment: &[("DEBIAN_FRONTEND", "noninteractive")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(manager: Manager, include: &[&str], exclude: &[&str], expected: &[&str]) {
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let inputs = UpdateOs { include: list(include), exclude: list(exclude) };
        let plan = plan(manager, &inputs, &["held".to_owned()]);
        let argv = |program: &Program| {
            [std::slice::from_ref(&program.name), &program.arguments].concat().join(" ")
        };
        let steps = plan.steps.iter().map(argv);
        let afterwards = plan.afterwards.iter().map(|one| format!("finally {}", argv(one)));
        assert_eq!(steps.chain(afterwards).collect::<Vec<_>>(), expected);
    }

    const UPDATE: &str = "apt-get -q -y -o DPkg::Lock::Timeout=300 \
        -o APT::Update::Error-Mode=any update";
    const UPGRADE: &str = "apt-get -q -y -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
        --with-new-pkgs upgrade";
    const INSTALL: &str = "apt-get -q -y -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
        --only-upgrade install openssl";

    #[test]
    fn apt_is_told_so() {
        check(Manager::Apt, &[], &[], &[UPDATE, UPGRADE]);
        check(Manager::Apt, &["openssl"], &[], &[UPDATE, INSTALL]);
        check(
            Manager::Apt,
            &[],
            &["linux", "held"],
            &[UPDATE, "apt-mark hold linux", UPGRADE, "finally apt-mark unhold linux"],
        );
        check(
            Manager::Apt,
            &["openssl", "linux"],
            &["linux"],
            &[UPDATE, "apt-mark hold linux", INSTALL, "finally apt-mark unhold linux"],
        );
        check(Manager::Apt, &["linux"], &["linux"], &[]);
    }

    #[test]
    fn dnf_and_yum_are_told_so() {
        check(Manager::Dnf, &[], &[], &["dnf -y --refresh upgrade"]);
        check(
            Manager::Dnf,
            &["bash", "kernel"],
            &["kernel"],
            &["dnf -y --refresh upgrade --exclude=kernel bash"],
        );
        check(Manager::Yum, &[], &["kernel*"], &["yum -y update --exclude=kernel*"]);
    }
}
