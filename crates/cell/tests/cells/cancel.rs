//! Work in cells ends when it is not wanted any more.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use cell::SpawnError;

use crate::setting::{Setting, program};

pub(crate) fn a_cell_that_is_given_up_ends() {
    let setting = Setting::new();
    // Not at once, so that the program runs, nor by a clock.
    let asked = AtomicUsize::new(0);
    let is_given_up = || asked.fetch_add(1, Ordering::Relaxed) > 3;
    let sleep = program(&["sleep", "1000"]);
    let ended = setting.cells.run_unless(&is_given_up, "sleep", sleep, &mut io::empty());
    assert!(matches!(ended, Err(SpawnError::Cancelled)), "{ended:?}");

    let echo = program(&["echo", "done"]);
    let ended = setting.cells.run_unless(&|| false, "echo", echo, &mut io::empty());
    assert_eq!(ended.unwrap(), b"done\n");
}
