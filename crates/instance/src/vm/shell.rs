//! A shell in a machine, at its serial console, for whoever sits at the caller's terminal.
//!
//! The agent starts the shell, as a step of a document of ours; what is typed
//! and shown goes by the console, which nobody else uses meanwhile.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use channel::{Event, Execute, Status};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr};

use crate::conversation::{ExecuteError, Watch};

use super::{Machine, prepare};

/// How often it is asked whether the shell has ended.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Ends whoever waits for a login at the console. Without systemd nobody does.
const CLEAR: &str = "if command -v systemctl >/dev/null; then \
                     systemctl stop serial-getty@ttyS0.service; fi";

/// What the console may still say once the shell has ended, in bytes. What a
/// machine writes without end is not waited for.
const LAST: usize = 256 * 1024;

/// Hears whether the script has said anything, and gives up only when nobody
/// is left at the terminal: a shell ends when its user wants that.
#[derive(Default)]
struct Patient {
    said: AtomicBool,
    alone: AtomicBool,
}

impl Watch for Patient {
    fn event(&self, event: &Event) {
        if let Event::Output { .. } = event {
            self.said.store(true, Ordering::Release);
        }
    }

    fn cancelled(&self) -> bool {
        self.alone.load(Ordering::Acquire)
    }
}

impl Machine {
    /// Opens a root shell on the caller's terminal and waits for its end.
    ///
    /// The terminal is left as the shell needs it; it is the caller's to put
    /// it right.
    pub fn open_shell(&mut self) -> Result<(), ExecuteError> {
        self.script(CLEAR, &Patient::default())?;
        let console = connect(&self.folder).map_err(prepare)?;
        let size = make_raw().map_err(prepare)?;
        let (begun, over) = (Patient::default(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let relayed = scope.spawn(|| {
                let relayed = relay(&console, &io::stdin(), &mut io::stdout(), &begun, &over);
                begun.alone.store(relayed.is_err(), Ordering::Release);
                relayed
            });
            let ended = self.script(&shell(size), &begun);
            over.store(true, Ordering::Release);
            let relayed = relayed.join().expect("relaying does not panic").map_err(prepare);
            match ended {
                // Given up, as the terminal was lost.
                Err(ExecuteError::Cancelled) => relayed,
                ended => ended.and(relayed),
            }
        })
    }

    /// Has the agent run a script, however long that takes.
    fn script(&mut self, script: &str, watch: &Patient) -> Result<(), ExecuteError> {
        let request = Execute {
            component: "shell".to_owned(),
            document: document(script),
            phases: vec!["build".to_owned()],
            parameters: Vec::new(),
            stored: Vec::new(),
            components: Default::default(),
            resume: None,
        };
        match self.execute(&request, watch)? {
            (Status::Failed, message) => Err(ExecuteError::Refused(message)),
            (_, _) => Ok(()),
        }
    }
}

/// Returns a document of one script.
fn document(script: &str) -> String {
    serde_json::json!({
        "schemaVersion": 1.0,
        "phases": [{
            "name": "build",
            "steps": [{
                "name": "Shell",
                "action": "ExecuteBash",
                "timeoutSeconds": -1,
                "inputs": { "commands": [script] },
            }],
        }],
    })
    .to_string()
}

/// Returns the script that is a shell at the console; its status says nothing.
///
/// It speaks when the console is open: keys that come before would be lost.
fn shell((rows, columns): (u16, u16)) -> String {
    format!(
        "set -e; command -v setsid >/dev/null; cd /root || cd /; \
         exec 3<>/dev/ttyS0; stty -F /dev/ttyS0 sane rows {rows} cols {columns}; echo open; \
         TERM=xterm setsid --ctty --wait bash -i <&3 >&3 2>&3 3>&- || true"
    )
}

/// Connects to the console of the machine whose files are in `folder`.
fn connect(folder: &Path) -> io::Result<UnixStream> {
    // By way of a descriptor, as a socket's address has 108 bytes (unix(7))
    // and data folders may be longer.
    let folder = File::open(folder)?;
    UnixStream::connect(format!("/proc/self/fd/{}/{}", folder.as_raw_fd(), super::argv::SOCKET))
}

/// Has the terminal pass on every key, and returns its rows and columns.
fn make_raw() -> io::Result<(u16, u16)> {
    let terminal = io::stdin();
    let mut settings = tcgetattr(&terminal)?;
    settings.make_raw();
    tcsetattr(&terminal, OptionalActions::Now, &settings)?;
    let size = tcgetwinsize(&terminal)?;
    // A terminal without a size is taken for the smallest that there were.
    Ok(if size.ws_row == 0 { (24, 80) } else { (size.ws_row, size.ws_col) })
}

/// Passes on what the console shows to the `screen` and, once the shell has
/// `begun`, what is typed at the `keyboard`, until it is `over` and all is shown.
///
/// A keyboard that ends is an error: nobody could end the shell any more.
fn relay(
    console: &UnixStream,
    keyboard: &impl AsFd,
    screen: &mut impl Write,
    begun: &Patient,
    over: &AtomicBool,
) -> io::Result<()> {
    let (mut from, mut to) = (console, console);
    let mut buffer = [0; 4096];
    let mut last = LAST;
    loop {
        let mut watched = vec![PollFd::new(console, PollFlags::IN)];
        if begun.said.load(Ordering::Acquire) {
            watched.push(PollFd::new(keyboard, PollFlags::IN));
        }
        let ready = match poll(&mut watched, Some(&TICK)) {
            // A signal, as when the terminal's window changes.
            Err(Errno::INTR) => continue,
            ready => ready?,
        };
        let is_over = over.load(Ordering::Acquire);
        if is_over && (ready == 0 || last == 0) {
            return Ok(());
        }
        let is_ready = |n: usize| watched.get(n).is_some_and(|one| !one.revents().is_empty());
        let (shown, typed) = (is_ready(0), is_ready(1) && !is_over);
        if shown {
            let n = from.read(&mut buffer)?;
            if n == 0 {
                return Ok(());
            }
            screen.write_all(&buffer[..n])?;
            screen.flush()?;
            last = last.saturating_sub(if is_over { n } else { 0 });
        }
        if typed {
            // Not by `io::stdin()`, which would keep what no poll shows.
            let n = rustix::io::read(keyboard, &mut buffer)?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            to.write_all(&buffer[..n])?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_is_a_step_without_an_end() {
        let document: serde_json::Value = serde_json::from_str(&document("true")).unwrap();
        let step = &document["phases"][0]["steps"][0];
        assert_eq!(step["action"], "ExecuteBash");
        assert_eq!(step["timeoutSeconds"], -1);
        assert_eq!(step["inputs"]["commands"], serde_json::json!(["true"]));
        let shell = shell((50, 132));
        assert!(shell.contains("sane rows 50 cols 132; echo open"), "{shell}");
    }

    #[test]
    fn consoles_are_found_in_deep_folders() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        assert!(connect(&deep).is_err());
        let listener = {
            let opened = File::open(&deep).unwrap();
            let path =
                format!("/proc/self/fd/{}/{}", opened.as_raw_fd(), super::super::argv::SOCKET);
            std::os::unix::net::UnixListener::bind(path).unwrap()
        };
        connect(&deep).unwrap();
        listener.accept().unwrap();
    }

    /// Relays between pairs of sockets, and returns what came of it and what
    /// was shown. `play` has the far ends: the console's and the keyboard's.
    fn relayed(
        over: bool,
        play: impl FnOnce(UnixStream, UnixStream) + Send,
    ) -> (io::Result<()>, Vec<u8>) {
        let (console, machine) = UnixStream::pair().unwrap();
        let (keyboard, user) = UnixStream::pair().unwrap();
        let begun = Patient { said: AtomicBool::new(true), ..Patient::default() };
        let mut screen = Vec::new();
        let result = std::thread::scope(|scope| {
            scope.spawn(|| play(machine, user));
            let over = AtomicBool::new(over);
            let result = relay(&console, &keyboard, &mut screen, &begun, &over);
            drop((console, keyboard));
            result
        });
        (result, screen)
    }

    #[test]
    fn what_is_typed_and_shown_passes() {
        let (result, shown) = relayed(false, |mut machine, mut user| {
            user.write_all(b"ls\n").unwrap();
            let mut typed = [0; 3];
            machine.read_exact(&mut typed).unwrap();
            assert_eq!(&typed, b"ls\n");
            machine.write_all(b"file\n").unwrap();
            // The machine ends first, its user after it.
            drop(machine);
        });
        // Whichever end is seen first, nothing that was shown is lost.
        assert_eq!(shown, b"file\n");
        let lost = result.err().map(|error| error.kind());
        assert!(matches!(lost, None | Some(io::ErrorKind::UnexpectedEof)), "{lost:?}");
    }

    #[test]
    fn a_keyboard_that_is_gone_ends_the_shell() {
        let (result, _) = relayed(false, |machine, user| {
            drop(user);
            // The console stays open, and says nothing.
            let _end = (&machine).read(&mut [0]);
        });
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_console_that_goes_on_for_ever_is_left() {
        let (result, shown) =
            relayed(true, |mut machine, _user| while machine.write_all(&[b'x'; 4096]).is_ok() {});
        result.unwrap();
        assert!(shown.len() <= LAST + 4096, "{}", shown.len());
    }
}
