//! Limits hold where no control group may be made.

use std::io::Read;
use std::process::ExitStatus;

use cell::{Limits, Stdio};

use crate::setting::{Setting, program};

/// No control group can have this name, also when root runs this.
const NAME: &str = "no/group";

/// Runs a script of perl in a user namespace below the cell's, as sandboxes
/// have one; returns how the cell ended and what it said.
fn run(script: &str) -> (ExitStatus, String) {
    let setting = Setting::new();
    let limits = Limits { cpus: 1, memory_mib: 64, processes: 40 };
    let task = program(&["unshare", "--user", "--map-root-user", "perl", "-e", script]);
    let mut cell = setting.cells.spawn(NAME, task, Some(limits), Stdio::Pipes).unwrap();
    drop(cell.stdin.take());
    let mut said = String::new();
    cell.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    let mut complaints = String::new();
    cell.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
    (cell.wait().unwrap(), said + &complaints)
}

pub(crate) fn processes_are_bounded_from_within() {
    let (status, said) =
        run("while ($n < 500 && defined($pid = fork)) { if ($pid) { $n++ } else { sleep } } \
         print $n");
    let count: u32 = said.trim().parse().unwrap_or_else(|_| panic!("{status}: {said}"));
    assert!((40..110).contains(&count), "{count}");
}

pub(crate) fn memory_is_bounded_from_within() {
    let (status, said) = run("$x = \"x\" x (128 << 20); sleep");
    assert_eq!(status.code(), Some(137), "{said}");
    assert_eq!(said, "the instance used more than its 64 MiB of memory\n");
}
