//! The commands that package managers are given.

use std::sync::atomic::Ordering;

use super::*;
use crate::cause::chain;
use crate::mask::Mask;

fn argv(program: &Program) -> String {
    [std::slice::from_ref(&program.name), &program.arguments].concat().join(" ")
}

/// Checks all commands: what refreshes, asks, updates and cleans up.
#[track_caller]
fn check(manager: Manager, include: &[&str], exclude: &[&str], answer: &str, expected: &[&str]) {
    let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let inputs = UpdateOs { include: list(include), exclude: list(exclude) };
    let Some(choice) = Choice::of(&inputs) else { return assert!(expected.is_empty()) };
    let plan = plan(manager, &choice, &names(manager, answer));
    let refresh = refresh(manager).as_ref().map(argv);
    let asked = question(manager, &choice).as_ref().map(|it| format!("ask {}", argv(it)));
    let steps = plan.steps.iter().map(argv);
    let afterwards = plan.afterwards.iter().map(|one| format!("finally {}", argv(one)));
    let all = refresh.into_iter().chain(asked).chain(steps).chain(afterwards);
    assert_eq!(all.collect::<Vec<_>>(), expected);
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
    let held = "ask apt-mark showhold";
    check(Manager::Apt, &[], &[], "", &[UPDATE, UPGRADE]);
    check(Manager::Apt, &["openssl"], &[], "", &[UPDATE, INSTALL]);
    let hold = ["apt-mark hold linux", "finally apt-mark unhold linux"];
    check(
        Manager::Apt,
        &[],
        &["linux", "held"],
        "held",
        &[UPDATE, held, hold[0], UPGRADE, hold[1]],
    );
    check(
        Manager::Apt,
        &["openssl", "linux"],
        &["linux"],
        "",
        &[UPDATE, held, hold[0], INSTALL, hold[1]],
    );
    check(Manager::Apt, &["linux"], &["linux"], "", &[]);
}

#[test]
fn dnf_and_yum_are_told_so() {
    check(Manager::Dnf, &[], &[], "", &["dnf -y --refresh upgrade"]);
    check(
        Manager::Dnf,
        &["bash", "kernel"],
        &["kernel"],
        "",
        &["dnf -y --refresh upgrade --exclude=kernel bash"],
    );
    check(Manager::Yum, &[], &["kernel*"], "", &["yum -y update --exclude=kernel*"]);
}

#[test]
fn zypper_is_told_so() {
    const REFRESH: &str = "zypper --non-interactive refresh";
    const ASK: &str = "ask zypper --non-interactive locks";
    const ALL: &str = "zypper --non-interactive update --auto-agree-with-licenses";
    check(Manager::Zypper, &[], &[], "", &[REFRESH, ALL]);
    check(
        Manager::Zypper,
        &["bash", "kernel-default"],
        &["kernel-default", "locked"],
        "# | Name   | Type    | Repository\n--+--------+---------+------\n\
         1 | locked | package | (any)\n",
        &[
            REFRESH,
            ASK,
            "zypper --non-interactive addlock kernel-default",
            &format!("{ALL} bash"),
            "finally zypper --non-interactive removelock kernel-default",
        ],
    );
}

#[test]
fn apk_is_told_so() {
    const ASK: &str = "ask apk --quiet version --limit <";
    check(Manager::Apk, &[], &[], "", &["apk update", "apk upgrade"]);
    check(Manager::Apk, &["bash"], &["musl"], "", &["apk update", "apk upgrade bash"]);
    check(
        Manager::Apk,
        &[],
        &["musl"],
        "busybox\nmusl\nzlib\n",
        &["apk update", ASK, "apk upgrade busybox zlib"],
    );
    check(Manager::Apk, &[], &["musl"], "musl\n", &["apk update", ASK]);
}

#[test]
fn packages_come_off_hold_when_the_update_is_stopped() {
    let machine = Machine { folder: "/".into(), ..Machine::default() };
    let mut told = Vec::new();
    let mut bench = Bench {
        machine: &machine,
        deadline: Deadline::after(None),
        mask: &Mask::default(),
        tell: &mut |it| {
            machine.stop.store(true, Ordering::Release);
            told.push(format!("{it:?}"));
        },
        requests: &[],
        resume: None,
    };
    let script = |script: &str| program(&["bash", "-c", script]);
    let names = ["linux"];
    let update = script("echo begun; sleep 300");
    let release = script("echo releasing; sleep 0.1; echo released");
    let plan = holding(update, &names, &script("exit 0"), &release);
    let error = plan.carry_out(Manager::Apt, &mut bench).unwrap_err();
    assert_eq!(chain(&error), "it was cancelled");
    let lines = ["begun", "releasing", "released"];
    assert_eq!(told, lines.map(|line| format!("Line(Stdout, {line:?})")));
}

#[test]
fn refusals_are_those_that_documents_look_for() {
    let messages = [UpdateError::NotRoot, UpdateError::NoManager].map(|it| it.to_string());
    assert_eq!(messages[0], "error.Input: packages can be updated by root only");
    assert_eq!(messages[1], "the machine has none of apt-get, dnf, yum, zypper and apk");
}

#[test]
fn restarts_are_asked_for_so() {
    let asked = |manager| wish_question(manager).map(|(it, code)| (argv(&it), code));
    assert_eq!(asked(Manager::Apt), None);
    assert_eq!(asked(Manager::Apk), None);
    for manager in [Manager::Dnf, Manager::Yum] {
        assert_eq!(asked(manager), Some(("needs-restarting -r".to_owned(), 1)));
    }
    let zypper = "zypper --non-interactive needs-rebooting".to_owned();
    assert_eq!(asked(Manager::Zypper), Some((zypper, 102)));
    assert!(Wish(Some((1, 2, 3))).is_new_since(&Wish(None)));
    assert!(!Wish(Some((1, 2, 3))).is_new_since(&Wish(Some((1, 2, 3)))));
    assert!(!Wish(None).is_new_since(&Wish(Some((1, 2, 3)))));
}
