//! Programs that end, hang, write without end and leave others behind.

use std::fs;
use std::sync::atomic::Ordering;

use super::*;

fn at(folder: &str) -> Machine {
    Machine { folder: folder.into(), ..Machine::default() }
}

fn bash(script: &str, limit: Option<Duration>) -> (Result<Finished, ProcessError>, Vec<String>) {
    let arguments = vec!["-c".to_owned(), script.to_owned()];
    let program = Program { name: "/bin/bash".to_owned(), arguments, environment: &[] };
    let machine = at("/tmp");
    let deadline = Deadline::after(limit);
    let terms = Terms { machine: &machine, deadline, mask: &Mask::default() };
    let mut lines = Vec::new();
    let result = run(&program, &terms, &mut |stream, line| {
        lines.push(format!("{stream:?} {line}"));
    });
    (result, lines)
}

#[track_caller]
fn check(script: &str, code: Option<i32>, stdout: &str, expected: &[&str]) {
    let (result, lines) = bash(script, None);
    let finished = result.unwrap();
    assert_eq!((finished.status.code(), finished.stdout.as_str()), (code, stdout));
    assert_eq!(lines, expected);
}

#[test]
fn programs_are_told_apart_by_stream_and_status() {
    check("echo one; echo two", Some(0), "one\ntwo", &["Stdout one", "Stdout two"]);
    check("echo oops >&2; exit 3", Some(3), "", &["Stderr oops"]);
    check("printf 'no end'; kill -9 $$", None, "no end", &["Stdout no end"]);
    // Rust programs ignore SIGPIPE; what they start must not.
    check("yes | head -n1; echo ${PIPESTATUS[0]}", Some(0), "y\n141", &["Stdout y", "Stdout 141"]);
    check("cat; exec >&- 2>&-; sleep 0.1; exit 4", Some(4), "", &[]);
}

#[test]
fn programs_get_little_from_their_parent() {
    let all = "HOME=/root\nLANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:\
        /usr/bin:/sbin:/bin\nUSER=root";
    let (result, _) = bash("env | grep -Ev '^(_|PWD|SHLVL)=' | sort", None);
    assert_eq!(result.unwrap().stdout, all);
    let (result, _) = bash("ps -o pgid= -p $$ | tr -d ' '; echo $$; pwd", None);
    let stdout = result.unwrap().stdout;
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!((lines[0], lines[2]), (lines[1], "/tmp"));
}

#[test]
fn what_stays_in_the_background_does_not_hold_the_step() {
    let (result, lines) = bash("sleep 30 & echo $!", Some(Duration::from_secs(20)));
    let pid = result.unwrap().stdout;
    assert_eq!(lines, [format!("Stdout {pid}")]);
    let mut roots = BTreeSet::from([pid.parse().unwrap()]);
    assert_eq!(processes::kill_trees(&mut roots), 1, "it is still alive");
}

#[test]
fn programs_get_what_the_machine_gives() {
    let mut machine = at("/");
    machine.variables = [("HOME", "/home/ann"), ("COLOUR", "red")]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
    let arguments = vec!["-c".to_owned(), "echo $HOME $COLOUR $USER".to_owned()];
    let program = Program { name: "bash".to_owned(), arguments, environment: &[] };
    let deadline = Deadline::after(None);
    let terms = Terms { machine: &machine, deadline, mask: &Mask::default() };
    let finished = run(&program, &terms, &mut |_, _| {}).unwrap();
    assert_eq!(finished.stdout, "/home/ann red root");
}

#[test]
fn a_stopped_execution_ends_its_program() {
    let machine = at("/");
    let arguments = vec!["-c".to_owned(), "echo begun; sleep 300".to_owned()];
    let program = Program { name: "bash".to_owned(), arguments, environment: &[] };
    let deadline = Deadline::after(None);
    let terms = Terms { machine: &machine, deadline, mask: &Mask::default() };
    let stop = &mut |_: Stream, _: &str| machine.stop.store(true, Ordering::Release);
    let result = run(&program, &terms, stop);
    assert!(matches!(result, Err(ProcessError::Stopped)));
}

#[test]
fn time_up_ends_all_that_descends_from_the_program() {
    let script = "sleep 300 & echo $!; setsid sleep 300 & echo $!; trap '' TERM; wait";
    let (result, lines) = bash(script, Some(Duration::from_secs(1)));
    assert!(matches!(result, Err(ProcessError::TimedOut)));
    assert_eq!(lines.len(), 2);
    for line in lines {
        let pid = line.strip_prefix("Stdout ").unwrap();
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "{state}");
    }
}

#[test]
fn output_without_end_takes_little_memory() {
    let arguments = vec!["-c".to_owned(), "head -c 200000000 /dev/zero".to_owned()];
    let program = Program { name: "bash".to_owned(), arguments, environment: &[] };
    let deadline = Deadline::after(None);
    let terms = Terms { machine: &at("/"), deadline, mask: &Mask::default() };
    let (mut bytes, mut longest) = (0, 0);
    let finished = run(&program, &terms, &mut |_, line| {
        bytes += line.len();
        longest = longest.max(line.len());
    });
    assert_eq!((bytes, longest), (200_000_000, 8 << 10));
    assert_eq!(finished.unwrap().stdout.len(), crate::tail::OUTPUT_LIMIT);
}

#[test]
fn absent_programs_are_named() {
    let program = Program { name: "no-such".to_owned(), arguments: Vec::new(), environment: &[] };
    let deadline = Deadline::after(None);
    let terms = Terms { machine: &at("/"), deadline, mask: &Mask::default() };
    let error = run(&program, &terms, &mut |_, _| {}).unwrap_err();
    assert_eq!(error.to_string(), "failed to start `no-such`");
}
