//! `UpdateOS`: brings the installed packages up to date.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;

use document::UpdateOs;
use rustix::process::geteuid;

use super::{ActionError, Bench, Done, Restart, Told, settle};
use crate::Machine;
use crate::clock::Deadline;
use crate::probe::find_program;
use crate::process::Program;

/// Debian's packages leave this file where they need a restart to take effect.
const RESTART_FLAG: &str = "/var/run/reboot-required";

/// How long packages may take to come off hold.
const CLEAN_UP_LIMIT: Duration = Duration::from_secs(30);

/// zypper has updated itself and wants to be run again.
const ZYPPER_AGAIN: i32 = 103;

/// zypper is done, or asked whether it is: the machine needs a restart.
const ZYPPER_RESTART: i32 = 102;

/// How often zypper is run again at most.
const ZYPPER_ROUNDS: u32 = 3;

/// Packages could not be updated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateError {
    // AWS's runner calls it so, and documents look for it.
    #[error("error.Input: packages can be updated by root only")]
    NotRoot,
    #[error("the machine has none of apt-get, dnf, yum, zypper and apk")]
    NoManager,
}

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Apt,
    Dnf,
    Yum,
    Zypper,
    Apk,
}

impl Manager {
    /// Returns the one that the machine has.
    fn of_this_machine() -> Option<Self> {
        let known = [
            ("apt-get", Self::Apt),
            ("dnf", Self::Dnf),
            ("yum", Self::Yum),
            ("zypper", Self::Zypper),
            ("apk", Self::Apk),
        ];
        let found = known.into_iter().find(|(program, _)| find_program(program));
        found.map(|(_, manager)| manager)
    }
}

pub(crate) fn perform(inputs: &UpdateOs, bench: &mut Bench<'_>) -> Result<Done, ActionError> {
    if !geteuid().is_root() {
        return Err(UpdateError::NotRoot.into());
    }
    let manager = Manager::of_this_machine().ok_or(UpdateError::NoManager)?;
    let done = Done { exit_code: Some(0), ..Done::default() };
    let Some(choice) = Choice::of(inputs) else { return Ok(done) };
    let before = Wish::of(manager, bench)?;
    if let Some(refresh) = refresh(manager) {
        run(&refresh, bench)?;
    }
    let known = match question(manager, &choice) {
        Some(question) => names(manager, &ask(&question, bench)?),
        None => Vec::new(),
    };
    plan(manager, &choice, &known).carry_out(manager, bench)?;
    let restart = Wish::of(manager, bench)?.is_new_since(&before);
    Ok(Done { restart: restart.then_some(Restart::Next { delay: Duration::ZERO }), ..done })
}

/// Runs one step of an update.
fn update(manager: Manager, step: &Program, bench: &mut Bench<'_>) -> Result<(), ActionError> {
    for _ in 0..ZYPPER_ROUNDS {
        match (manager, run(step, bench)) {
            (Manager::Zypper, Err(ActionError::Exit(ZYPPER_AGAIN))) => {}
            (Manager::Zypper, Err(ActionError::Exit(ZYPPER_RESTART))) => return Ok(()),
            (_, ran) => return ran,
        }
    }
    run(step, bench)
}

fn run(program: &Program, bench: &mut Bench<'_>) -> Result<(), ActionError> {
    settle(bench.run(program)?).map(drop)
}

/// Runs `program` without telling its output, which is returned.
fn ask(program: &Program, bench: &mut Bench<'_>) -> Result<String, ActionError> {
    let tell = &mut |_: Told<'_>| {};
    let done = settle(Bench { tell, resume: None, ..*bench }.run(program)?)?;
    Ok(done.outputs.into_iter().map(|(_, text)| text).collect())
}

/// Whether the machine wants to be restarted, and since when if that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wish(Option<(u64, i64, i64)>);

impl Wish {
    fn of(manager: Manager, bench: &mut Bench<'_>) -> Result<Self, ActionError> {
        let is_there = |program: &Program| find_program(&program.name);
        let Some((program, code)) = wish_question(manager).filter(|(it, _)| is_there(it)) else {
            let flag = fs::metadata(RESTART_FLAG).ok();
            return Ok(Self(flag.map(|flag| (flag.ino(), flag.mtime(), flag.mtime_nsec()))));
        };
        match ask(&program, bench) {
            Ok(_) => Ok(Self(None)),
            Err(ActionError::Exit(actual)) if actual == code => Ok(Self(Some((0, 0, 0)))),
            // An old one does not know the question, which is no wish.
            Err(ActionError::Exit(_)) => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }

    /// Only a wish raised by this update counts, or a stale one would restart
    /// the machine at every such step.
    fn is_new_since(&self, before: &Self) -> bool {
        self.0.is_some() && self != before
    }
}

/// Returns what tells whether a restart is needed, and the code that says so.
fn wish_question(manager: Manager) -> Option<(Program, i32)> {
    match manager {
        Manager::Dnf | Manager::Yum => Some((program(&["needs-restarting", "-r"]), 1)),
        Manager::Zypper => {
            let asked = program(&["zypper", "--non-interactive", "needs-rebooting"]);
            Some((asked, ZYPPER_RESTART))
        }
        Manager::Apt | Manager::Apk => None,
    }
}

/// Which packages are meant.
#[derive(Debug)]
struct Choice<'a> {
    /// These, all when empty.
    chosen: Vec<&'a str>,
    /// But not these.
    exclude: Vec<&'a str>,
}

impl<'a> Choice<'a> {
    /// Returns the packages that `inputs` names; `None` if it excludes all it includes.
    fn of(inputs: &'a UpdateOs) -> Option<Self> {
        let exclude: Vec<&str> = inputs.exclude.iter().map(String::as_str).collect();
        let include = inputs.include.iter().map(String::as_str);
        let chosen: Vec<&str> = include.filter(|name| !exclude.contains(name)).collect();
        let all_are_excluded = chosen.is_empty() && !inputs.include.is_empty();
        (!all_are_excluded).then_some(Self { chosen, exclude })
    }
}

/// What to run: `steps` until one fails, then `afterwards` in any case.
#[derive(Debug, Default)]
struct Plan {
    steps: Vec<Program>,
    afterwards: Vec<Program>,
}

impl Plan {
    fn carry_out(&self, manager: Manager, bench: &mut Bench<'_>) -> Result<(), ActionError> {
        let mut updated = Ok(());
        for step in &self.steps {
            updated = update(manager, step, bench);
            if updated.is_err() {
                break;
            }
        }
        // What ended the update, be it the step's time, must not end this.
        let machine = &Machine { stop: Arc::default(), ..bench.machine.clone() };
        for step in &self.afterwards {
            let deadline = Deadline::after(Some(CLEAN_UP_LIMIT));
            let tell = &mut *bench.tell;
            let cleaned = run(step, &mut Bench { machine, deadline, tell, resume: None, ..*bench });
            updated = updated.and(cleaned);
        }
        updated
    }
}

/// Returns what brings the lists of packages up to date, where it is not part
/// of the update.
fn refresh(manager: Manager) -> Option<Program> {
    match manager {
        // An index that cannot be fetched is only a warning by default, and
        // the machine would count as up to date.
        Manager::Apt => Some(apt_get(&["-o", "APT::Update::Error-Mode=any", "update"], &[])),
        Manager::Zypper => Some(program(&["zypper", "--non-interactive", "refresh"])),
        Manager::Apk => Some(program(&["apk", "update"])),
        Manager::Dnf | Manager::Yum => None,
    }
}

/// Returns what tells the names that [`plan`] has to know: packages that are
/// held already, which must stay so; for apk, which cannot hold any, those
/// that are out of date.
fn question(manager: Manager, choice: &Choice<'_>) -> Option<Program> {
    if choice.exclude.is_empty() {
        return None;
    }
    match manager {
        Manager::Apt => Some(program(&["apt-mark", "showhold"])),
        Manager::Zypper => Some(program(&["zypper", "--non-interactive", "locks"])),
        Manager::Apk if choice.chosen.is_empty() => {
            Some(program(&["apk", "--quiet", "version", "--limit", "<"]))
        }
        Manager::Apk | Manager::Dnf | Manager::Yum => None,
    }
}

/// Returns the names in an answer to [`question`].
fn names(manager: Manager, answer: &str) -> Vec<String> {
    let lines = answer.lines();
    match manager {
        // A table: number, name, type and repository.
        Manager::Zypper => {
            lines.filter_map(|line| Some(line.split('|').nth(1)?.trim().to_owned())).collect()
        }
        Manager::Apt | Manager::Dnf | Manager::Yum | Manager::Apk => {
            lines.map(|line| line.trim().to_owned()).collect()
        }
    }
}

/// Returns the commands that update what is chosen; `known` are the names that
/// answer [`question`].
fn plan(manager: Manager, choice: &Choice<'_>, known: &[String]) -> Plan {
    let Choice { chosen, exclude } = choice;
    let fresh: Vec<&str> =
        exclude.iter().copied().filter(|name| !known.iter().any(|known| known == name)).collect();
    match manager {
        Manager::Apt => plan_apt(chosen, &fresh),
        Manager::Dnf => plan_rpm(&["dnf", "-y", "--refresh", "upgrade"], chosen, exclude),
        Manager::Yum => plan_rpm(&["yum", "-y", "update"], chosen, exclude),
        Manager::Zypper => {
            let zypper = ["zypper", "--non-interactive"];
            let update = [&zypper[..], &["update", "--auto-agree-with-licenses"], chosen].concat();
            let lock = |verb: &str| program(&[&zypper[..], &[verb], &fresh].concat());
            holding(program(&update), &fresh, &lock("addlock"), &lock("removelock"))
        }
        Manager::Apk => {
            let outdated = known.iter().map(String::as_str);
            let left: Vec<&str> = outdated.filter(|name| !exclude.contains(name)).collect();
            let all = chosen.is_empty() && exclude.is_empty();
            let names = if chosen.is_empty() { &left } else { chosen };
            let upgrade = program(&[&["apk", "upgrade"][..], names].concat());
            let steps = if all || !names.is_empty() { vec![upgrade] } else { Vec::new() };
            Plan { steps, afterwards: Vec::new() }
        }
    }
}

fn plan_apt(chosen: &[&str], hold: &[&str]) -> Plan {
    // Configuration files that were changed stay as they are, as on a machine
    // where nobody answers dpkg's questions.
    let keep = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"];
    let upgrade = if chosen.is_empty() {
        apt_get(&[&keep[..], &["--with-new-pkgs", "upgrade"]].concat(), &[])
    } else {
        apt_get(&[&keep[..], &["--only-upgrade", "install"]].concat(), chosen)
    };
    let mark = |verb: &str| program(&[&["apt-mark", verb][..], hold].concat());
    holding(upgrade, hold, &mark("hold"), &mark("unhold"))
}

fn apt_get(arguments: &[&str], names: &[&str]) -> Program {
    // A machine that just booted may be updating its lists by itself.
    let lock = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"];
    program(&[&lock[..], arguments, names].concat())
}

fn plan_rpm(command: &[&str], chosen: &[&str], exclude: &[&str]) -> Plan {
    let excluded: Vec<String> = exclude.iter().map(|name| format!("--exclude={name}")).collect();
    let excluded: Vec<&str> = excluded.iter().map(String::as_str).collect();
    Plan { steps: vec![program(&[command, &excluded, chosen].concat())], afterwards: Vec::new() }
}

/// Returns `update` between `hold` and `release`, if there are `names` to hold.
fn holding(update: Program, names: &[&str], hold: &Program, release: &Program) -> Plan {
    if names.is_empty() {
        return Plan { steps: vec![update], afterwards: Vec::new() };
    }
    Plan { steps: vec![hold.clone(), update], afterwards: vec![release.clone()] }
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
mod tests;
