//! The service as a program: how it starts, what it says, how it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::{fail, prepared, succeed, text};

/// A served data folder; killed if the test ends before it.
struct Served {
    child: Child,
    /// The first line that it printed.
    told: String,
}

impl Served {
    fn start(data: &Path, args: &[&str]) -> Self {
        Self::start_with("--default-signal=HUP", data, args)
    }

    /// Starts it with what env(1) is told of signals; tests may themselves run
    /// in the background of a script.
    fn start_with(signals: &str, data: &Path, args: &[&str]) -> Self {
        let mut command = prepared("env", data);
        command.args([signals, env!("CARGO_BIN_EXE_goldsmith"), "serve"]).args(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // Nothing is built here, so whatever is at hand will do.
        command.env("GOLDSMITH_AGENT", env!("CARGO_BIN_EXE_goldsmith"));
        let mut child = command.spawn().unwrap();
        let mut told = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut told).unwrap();
        Self { child, told }
    }

    /// Asks it to end; returns its exit code and what it said.
    fn end(mut self, signal: Signal) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let mut said = Vec::new();
        self.child.stderr.take().unwrap().read_to_end(&mut said).unwrap();
        (self.child.wait().unwrap().code(), text(&said))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Only fails where it has ended, which is what is wanted.
        let _ = self.child.kill();
    }
}

/// Sends a request without a signature; returns the first line of the answer.
fn ask(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap().to_owned()
}

#[test]
fn it_listens_when_it_says_so_and_ends_when_asked() {
    let data = tempfile::tempdir().unwrap();
    for signal in [Signal::TERM, Signal::INT] {
        let served = Served::start(data.path(), &["--listen", "127.0.0.1:0"]);
        let address = served.told.trim().strip_prefix("listening on http://").unwrap().to_owned();
        assert_eq!(ask(&address, "/health"), "HTTP/1.1 200 OK");
        assert_eq!(ask(&address, "/?secret"), "HTTP/1.1 403 Forbidden");
        let (code, said) = served.end(signal);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(&format!("eval \"$(goldsmith env --listen {address})\"")), "{said}");
        assert!(said.contains(" GET / 403 ") && !said.contains("secret"), "{said}");
        assert!(TcpStream::connect(&address).is_err());
    }
    let accounts = succeed(data.path(), &["account", "list"]);
    assert_eq!(accounts.lines().count(), 2, "one account was made: {accounts}");
}

/// As nohup(1) starts it, and a script that goes on without it.
#[test]
fn a_hang_up_that_it_was_started_to_ignore_does_not_end_it() {
    let data = tempfile::tempdir().unwrap();
    for (signals, ignored, heeded) in [
        ("--ignore-signal=HUP", &[Signal::HUP][..], &[Signal::INT, Signal::TERM][..]),
        ("--ignore-signal=HUP,INT", &[Signal::HUP], &[Signal::INT, Signal::TERM]),
    ] {
        let args = ["--quiet", "--listen", "127.0.0.1:0"];
        let served = Served::start_with(signals, data.path(), &args);
        let status = fs::read_to_string(format!("/proc/{}/status", served.child.id())).unwrap();
        let mask = |name: &str| {
            let mask = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            u64::from_str_radix(mask.trim(), 16).unwrap()
        };
        let is_in = |mask: u64, signal: &Signal| mask >> (signal.as_raw() - 1) & 1 == 1;
        assert!(ignored.iter().all(|signal| is_in(mask("SigIgn:"), signal)), "{status}");
        assert!(heeded.iter().all(|signal| is_in(mask("SigCgt:"), signal)), "{status}");
        kill_process(Pid::from_child(&served.child), Signal::HUP).unwrap();
        assert_eq!(served.end(Signal::TERM), (Some(0), String::new()));
    }
}

#[test]
fn the_log_may_be_json() {
    let data = tempfile::tempdir().unwrap();
    let args = ["--quiet", "--listen", "127.0.0.1:0", "--log-format", "json"];
    let served = Served::start(data.path(), &args);
    let address = served.told.trim().strip_prefix("listening on http://").unwrap().to_owned();
    ask(&address, "/");
    let (_, said) = served.end(Signal::TERM);
    let record: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(record["error"], "MissingAuthenticationTokenException");
    assert_eq!(record["status"], 403);
}

#[test]
fn a_taken_port_is_told() {
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = fail(data.path(), &["serve", "--listen", &address], 1);
    let error = format!("error: failed to listen on {address}: Address already in use");
    assert!(said.starts_with(&error), "{said}");
    assert!(said.contains("\nhint: another program listens there"), "{said}");
}

#[test]
fn open_addresses_without_tls_are_warned_of() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), &["--listen", "0.0.0.0:0"]);
    let (code, said) = served.end(Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(said.starts_with("warning: without TLS, whoever is on the way reads"), "{said}");
}

#[test]
fn tls_needs_a_certificate_and_its_key() {
    let data = tempfile::tempdir().unwrap();
    let tls = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/tests/tls");
    let (cert, key) = (format!("{tls}/cert.pem"), format!("{tls}/key.pem"));
    let listen = ["serve", "--listen", "127.0.0.1:0"];
    let with = |more: &[&str]| fail(data.path(), &[&listen, more].concat(), 2);
    assert!(with(&["--tls-cert", &cert]).contains("--tls-key <FILE>"));
    let said = with(&["--tls-cert", &cert, "--tls-key", "/nowhere"]);
    assert!(said.starts_with("error: failed to read a private key in /nowhere"), "{said}");
    let said = with(&["--tls-cert", &key, "--tls-key", &key]);
    assert!(said.starts_with("error: there is no certificate in "), "{said}");
    let args = ["--listen", "127.0.0.1:0", "--tls-cert", &cert, "--tls-key", &key];
    let served = Served::start(data.path(), &args);
    assert!(served.told.starts_with("listening on https://127.0.0.1:"), "{}", served.told);
    let (code, said) = served.end(Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(said.contains(" --tls)\""), "{said}");
}
