//! `goldsmith run`: boots an image with its console on the terminal.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use instance::vm::{self, Accelerator, Console, Firmware, Forward, Login};
use publish::materialise;
use tokio::sync::Notify;

use crate::cancel::on_signals;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::machines::Room;
use crate::needs::{self, Work};
use crate::output::Output;
use crate::published::Published;
use crate::reference::{self, ImageReference};
use crate::terminal::Terminal;

/// How much larger than the image the machine's disk is, so that its root
/// file system has something to grow into.
const GROWTH: u64 = 4 << 30;

/// Boot an image, with its console on this terminal
///
/// The machine works on a copy, which is removed when it powers off; the image
/// is not changed. You can log in as `gold`, with the password that is shown,
/// and become root with sudo. Ctrl-A X ends the machine at once.
#[derive(Debug, clap::Args)]
#[command(after_help = reference::FORMS)]
pub(crate) struct Run {
    /// The AMI, or an image: then that of its first region
    ami: ImageReference,
    /// Lead port HOST of this machine's loopback to port GUEST of the new one,
    /// as in 8080:80; may be given several times
    #[arg(long = "forward", short = 'p', value_name = "HOST:GUEST")]
    forwards: Vec<HostPort>,
    /// Give the machine this much memory, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    #[arg(value_parser = clap::value_parser!(u64).range(128..))]
    memory: u64,
    /// Give the machine N processors; an emulated one has one
    #[arg(long, value_name = "N", default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=255))]
    cpus: u32,
    /// Hand cloud-init this user data instead of making a login
    #[arg(long, value_name = "FILE", conflicts_with = "ssh_keys")]
    user_data: Option<PathBuf>,
    /// Let the owners of the public keys in FILE log in by SSH; may be given
    /// several times
    #[arg(long = "ssh-key", value_name = "FILE")]
    ssh_keys: Vec<PathBuf>,
}

/// A port of the host and the machine's port it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HostPort(Forward);

/// A text is no pair of ports.
#[derive(Debug, thiserror::Error)]
#[error("expected two ports, as in 8080:80")]
struct ParsePortsError;

impl FromStr for HostPort {
    type Err = ParsePortsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let port = |text: &str| text.parse().ok().filter(|port| *port != 0);
        let (host, machine) = text.split_once(':').ok_or(ParsePortsError)?;
        let (host, machine) = (port(host), port(machine));
        let (Some(host), Some(machine)) = (host, machine) else { return Err(ParsePortsError) };
        Ok(Self(Forward { host, machine }))
    }
}

impl Run {
    pub(crate) async fn run(self, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
        let firmware = firmware(home)?;
        let login = self.login()?;
        let published = Published::find(home, &self.ami).await?;
        let cells = home.cells()?;
        let terminal = Terminal::remember();
        let told = Arc::new(Notify::new());
        let telling = Arc::clone(&told);
        let cancel = on_signals(move || telling.notify_one())?;
        let path = cells.data().join("machines");
        let room = Room::make(&cells).map_err(|source| CliError::Write { path, source })?;

        out.note(format_args!("making a copy of {}", published.ami.ami.id));
        let disk = copy(&published, &room, &cancel).await?;
        let accelerator = vm::accelerator(&cells).accelerator;
        introduce(&login, &self.forwards, accelerator, out);
        let console = Console {
            name: format!("console-{}", std::process::id()),
            disk,
            size: Some(published.map.volume_size() + GROWTH),
            work: room.path().join("machine"),
            cpus: self.cpus,
            memory_mib: self.memory,
            accelerator,
            firmware,
            login,
            forwards: self.forwards.iter().map(|forward| forward.0).collect(),
        };
        let machine = tokio::task::spawn_blocking(move || vm::open_console(&cells, &console));
        let ended = tokio::select! {
            ended = machine => Some(ended.expect("a console does not panic")),
            // The machine ends with this process.
            () = told.notified() => None,
        };
        drop((terminal, room));
        match ended {
            Some(status) => Ok(if status?.success() { Exit::Done } else { Exit::Other }),
            None => Ok(Exit::Cancelled),
        }
    }

    fn login(&self) -> Result<Login, CliError> {
        if let Some(path) = &self.user_data {
            let read = fs::read(path);
            return read
                .map(Login::UserData)
                .map_err(|source| CliError::Read { path: path.clone(), source });
        }
        let mut keys = Vec::new();
        for path in &self.ssh_keys {
            keys.extend(read_keys(path)?);
        }
        Login::with_new_password(keys).map_err(CliError::Random)
    }
}

/// Returns the machine's firmware, if all else that a machine needs is there.
fn firmware(home: &Home) -> Result<Firmware, CliError> {
    needs::check(&[Work::Machine], home.environment())?;
    Firmware::find().ok_or_else(|| CliError::Lacking {
        lacking: vec!["UEFI firmware".to_owned()],
        mend: "as root run: apt-get install ovmf".to_owned(),
    })
}

fn read_keys(path: &Path) -> Result<Vec<String>, CliError> {
    let text = fs::read_to_string(path)
        .map_err(|source| CliError::Read { path: path.to_owned(), source })?;
    let lines = text.lines().map(str::trim);
    Ok(lines.filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned).collect())
}

/// Writes the image's disk into the room; returns its path.
async fn copy(
    Published { ami, region, map }: &Published,
    room: &Room,
    cancel: &Arc<AtomicBool>,
) -> Result<PathBuf, CliError> {
    let (file, path) = room
        .file("disk.raw")
        .map_err(|source| CliError::Write { path: room.path().join("disk.raw"), source })?;
    let (map, store, cancel) = (map.clone(), region.store().clone(), Arc::clone(cancel));
    let work = move || {
        let mut watch = publish::Watch { progress: &mut |_| (), cancel: &cancel };
        materialise(&map, &store, &file, &mut watch)
    };
    let done = tokio::task::spawn_blocking(work).await.expect("writing a disk does not panic");
    done.map_err(|source| CliError::Materialise { ami: ami.ami.id.to_string(), source })?;
    Ok(path)
}

fn introduce(login: &Login, forwards: &[HostPort], accelerator: Accelerator, out: &Output) {
    out.note(format_args!("starting the machine ({accelerator}); Ctrl-A X ends it"));
    let is_routed = cell::has_default_route();
    for HostPort(Forward { host, machine }) in forwards {
        if is_routed {
            out.note(format_args!("localhost:{host} leads to the machine's port {machine}"));
        } else {
            // The machine's network is made after the host's.
            out.warning(&format!(
                "localhost:{host} leads nowhere, as this machine has no default route\n"
            ));
        }
    }
    match login {
        Login::Password { password, .. } => {
            // Not a note: without it nobody gets in.
            out.warning(&format!("log in as gold with the password {password}\n"));
        }
        Login::UserData(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_come_in_pairs() {
        let forward = HostPort(Forward { host: 8080, machine: 80 });
        assert_eq!("8080:80".parse::<HostPort>().ok(), Some(forward));
        for bad in ["", "80", ":80", "80:", "0:80", "80:65536", "tcp:80", "1:2:3"] {
            assert!(bad.parse::<HostPort>().is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_are_read_a_line_each() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, "# mine\n\nssh-ed25519 AAAA ann\nssh-rsa BBBB bob\n").unwrap();
        assert_eq!(read_keys(&path).unwrap(), ["ssh-ed25519 AAAA ann", "ssh-rsa BBBB bob"]);
        assert!(read_keys(&folder.path().join("none")).is_err());
    }
}
