//! Cells for real, as root or as an ordinary user with subordinate ids.
//!
//! A cell is this very program once more, so it has a `main` of its own, which
//! is as much of a test harness as `cargo test` and nextest ask for.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "a harness lists its tests")]

#[path = "cells/bound.rs"]
mod bound;
#[path = "cells/cancel.rs"]
mod cancel;
#[path = "cells/disk.rs"]
mod disk;
#[path = "cells/setting.rs"]
mod setting;

use std::process::ExitCode;

const TESTS: &[(&str, fn())] = &[
    ("a_cell_that_is_given_up_ends", cancel::a_cell_that_is_given_up_ends),
    ("processes_are_bounded_from_within", bound::processes_are_bounded_from_within),
    ("memory_is_bounded_from_within", bound::memory_is_bounded_from_within),
    ("reading_a_disk_is_bounded_in_memory", disk::reading_a_disk_is_bounded_in_memory),
    ("a_disk_takes_no_file_of_the_host", disk::a_disk_takes_no_file_of_the_host),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = cell::main(&arguments) {
        return code;
    }
    let (flags, wanted): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|argument| argument.starts_with('-'));
    if flags.contains(&"--ignored") {
        return ExitCode::SUCCESS;
    }
    for (name, test) in TESTS {
        if flags.contains(&"--list") {
            println!("{name}: test");
        } else if wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted)) {
            println!("test {name}");
            test();
        }
    }
    ExitCode::SUCCESS
}
