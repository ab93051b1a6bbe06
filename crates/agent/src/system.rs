//! The machine as a whole: has it booted, how long ago, restart it, power it off.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// How often it is looked whether systemd has answered.
const TICK: Duration = Duration::from_millis(250);

/// How many ticks to wait for it: five minutes.
const BOOT_TICKS: u32 = 5 * 60 * 4;

/// How many ticks lie between two questions, where systemd answers each at once.
const PAUSE: u32 = 4;

/// Returns the seconds since the kernel started, 0 where it does not tell.
pub(crate) fn uptime() -> f64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    text.split(' ').next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default()
}

/// Waits until systemd has started what it starts at boot, five minutes at most.
///
/// A machine with failed units (`degraded`) has booted too.
pub(crate) fn wait_for_boot() {
    if !Path::new("/run/systemd/system").is_dir() {
        return;
    }
    let mut ticks = 0..BOOT_TICKS;
    while ticks.nth(PAUSE as usize - 1).is_some() {
        // Asked once, it answers when it is done: an emulated processor would
        // spend a third of its boot on asking again and again. `--wait` came
        // with systemd 240.
        for arguments in [&["is-system-running", "--wait"][..], &["is-system-running"]] {
            match answer(arguments, &mut ticks) {
                Ok(state) if is_booting(&state) => {}
                Ok(_) | Err(_) => return,
            }
        }
        sleep(TICK * PAUSE);
    }
}

/// Returns what systemctl(1) says, nothing if it has not ended when the ticks have.
fn answer(arguments: &[&str], ticks: &mut Range<u32>) -> io::Result<Vec<u8>> {
    let mut systemctl = command("systemctl", arguments);
    let mut asked = systemctl.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    while asked.try_wait()?.is_none() {
        match ticks.next() {
            Some(_) => sleep(TICK),
            None => asked.kill()?,
        }
    }
    Ok(asked.wait_with_output()?.stdout)
}

fn is_booting(state: &[u8]) -> bool {
    // Nothing at all is said while systemd's socket does not answer yet.
    matches!(state.trim_ascii(), b"" | b"initializing" | b"starting")
}

/// Asks the system to power off.
pub(crate) fn power_off() -> io::Result<()> {
    first_that_works(&[("systemctl", &["poweroff"]), ("/sbin/poweroff", &["-f"])])
}

/// Asks the system to restart.
pub(crate) fn reboot() -> io::Result<()> {
    first_that_works(&[("systemctl", &["reboot"]), ("/sbin/reboot", &["-f"])])
}

fn first_that_works(programs: &[(&str, &[&str])]) -> io::Result<()> {
    let mut result = Ok(());
    for (program, arguments) in programs {
        result = match command(program, arguments).stdout(Stdio::null()).status() {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => Err(io::Error::other(format!("{program} ended with {status}"))),
            Err(error) => Err(error),
        };
    }
    result
}

#[expect(clippy::disallowed_methods, reason = "only these programs end a machine in order")]
fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_its_uptime() {
        assert!(uptime() > 0.0);
    }

    #[test]
    fn failed_units_do_not_keep_a_machine_booting() {
        for (state, expected) in [
            ("", true),
            ("initializing\n", true),
            ("starting\n", true),
            ("running\n", false),
            ("degraded\n", false),
            ("maintenance\n", false),
        ] {
            assert_eq!(is_booting(state.as_bytes()), expected, "{state}");
        }
    }
}
