//! `goldsmith-agent`: executes component documents in an instance, for a
//! factory at the other end of a byte stream.
//!
//! A static binary without configuration. What a document means is `toe`'s to know.

mod conversation;
mod port;
mod system;

use std::ffi::OsString;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::fs::{Access, access};
use rustix::process::{DumpableBehavior, getpid, set_child_subreaper, set_dumpable_behavior};
use toe::Machine;

use conversation::{ConversationError, End, hold};

/// The exit code when the machine could not be restarted or powered off. A
/// machine's seed does not start the agent again after it, as that would be
/// taken for the restart.
const STILL_UP: u8 = 3;

const HELP: &str = "\
Execute component documents for a Goldsmith factory

Usage: goldsmith-agent stdio
       goldsmith-agent port DEVICE

Commands:
  stdio        Talk over standard input and output until they close (sandboxes)
  port DEVICE  Talk over a virtio-serial port once the system has booted, and
               restart or power off the machine when asked to (machines)

Options:
  --help       Print this help
  --version    Print the version
";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let arguments: Vec<&str> =
        arguments.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    let ended = match arguments[..] {
        ["--help"] => io::stdout().write_all(HELP.as_bytes()).map_err(ConversationError::Write),
        ["--version"] => writeln!(io::stdout(), "goldsmith-agent {}", env!("CARGO_PKG_VERSION"))
            .map_err(ConversationError::Write),
        ["stdio"] => over_stdio(),
        ["port", device] => over_port(Path::new(device)),
        _ => {
            let _unheard = io::stderr().write_all(HELP.as_bytes());
            return ExitCode::from(2);
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _unheard = writeln!(io::stderr(), "goldsmith-agent: {}", toe::chain(&error));
            match error {
                ConversationError::System(_) => ExitCode::from(STILL_UP),
                ConversationError::Open { .. }
                | ConversationError::Read(_)
                | ConversationError::Write(_) => ExitCode::FAILURE,
            }
        }
    }
}

/// Talks over standard input and output. The factory restarts and ends
/// sandboxes by itself, so this only says so and ends.
fn over_stdio() -> Result<(), ConversationError> {
    // The files of a process that is not dumpable are closed to others: a
    // component could otherwise write messages through `/proc/1/fd`.
    let _refused = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    hold(BufReader::new(io::stdin()), io::stdout(), &machine()).map(drop)
}

/// Talks over a virtio-serial port; there, the agent is who restarts the machine.
fn over_port(device: &Path) -> Result<(), ConversationError> {
    system::wait_for_boot();
    let failed = |source| ConversationError::Open { device: device.to_owned(), source };
    let port = port::open(device).map_err(failed)?;
    let input = port.try_clone().map_err(failed)?;
    match hold(BufReader::new(input), port, &machine())? {
        End::Closed => Ok(()),
        End::PowerOff => system::power_off().map_err(ConversationError::System),
        End::Reboot { delay } => {
            std::thread::sleep(delay);
            system::reboot().map_err(ConversationError::System)
        }
    }
}

/// Returns how documents are executed here.
fn machine() -> Machine {
    // What steps leave in the background comes back to the agent, which can
    // then end it when the step's time is up. Process 1 gets it anyway.
    let adopts_orphans = set_child_subreaper(Some(getpid())).is_ok() || getpid().is_init();
    let runtime = Path::new("/run");
    let base = if access(runtime, Access::WRITE_OK).is_ok() { runtime } else { Path::new("/tmp") };
    Machine {
        scratch: base.join("goldsmith"),
        folder: PathBuf::from("/tmp"),
        adopts_orphans,
        variables: inherited().into_iter().collect(),
        s3: toe::aws::Settings::of(toe::aws::Service::S3, variable),
        ..Machine::default()
    }
}

/// Returns what steps inherit of this process's environment: the time that
/// tools write into what they make, so that they make the same every time.
#[expect(clippy::disallowed_methods, reason = "the agent hands this much on")]
fn inherited() -> Option<(OsString, OsString)> {
    const EPOCH: &str = "SOURCE_DATE_EPOCH";
    std::env::var_os(EPOCH).map(|value| (EPOCH.into(), value))
}

#[expect(clippy::disallowed_methods, reason = "credentials of AWS come by the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
