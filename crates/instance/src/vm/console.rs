//! A machine with a user at its console instead of an agent in it.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use cell::{Cells, Stdio};

use crate::conversation::ExecuteError;

use super::argv::{Firmware, Plan, Talk};
use super::{Accelerator, Place, machine, make_files, prepare, seed, start};

/// A machine for a user. Paths are relative to the data folder.
#[derive(Debug, Clone)]
pub struct Console {
    /// A name for the instance, unique among those that run.
    pub name: String,
    /// The raw disk image, which is only read.
    pub disk: PathBuf,
    /// The size that the machine sees its disk have, in bytes; at least the image's.
    pub size: Option<u64>,
    /// A folder for the overlay and the seed; the instance's own.
    pub work: PathBuf,
    /// Processors; emulated machines have one whatever this says.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// What runs the machine's instructions.
    pub accelerator: Accelerator,
    /// The machine's firmware.
    pub firmware: Firmware,
    /// How the user gets in.
    pub login: Login,
    /// Ports of the host's loopback that lead into the machine.
    pub forwards: Vec<Forward>,
}

/// How a user gets into a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// As this user data for cloud-init says.
    UserData(Vec<u8>),
    /// As `gold`, who may use sudo.
    Password {
        /// The password at the console.
        password: String,
        /// Public keys, as in `authorized_keys`; the image's own user gets them too.
        ssh_keys: Vec<String>,
    },
}

impl Login {
    /// Returns a login with a new password.
    pub fn with_new_password(ssh_keys: Vec<String>) -> io::Result<Self> {
        Ok(Self::Password { password: seed::password()?, ssh_keys })
    }
}

/// A port of the host that leads into a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// The port of the host's loopback.
    pub host: u16,
    /// The machine's TCP port.
    pub machine: u16,
}

/// Runs a machine with its console on this process's terminal until it powers
/// off or the user leaves with Ctrl-A X.
pub fn open_console(cells: &Cells, console: &Console) -> Result<ExitStatus, ExecuteError> {
    let seed = seed::for_user(&console.login).map_err(prepare)?;
    let forwards = console.forwards.iter().map(|forward| (forward.host, forward.machine));
    let plan = Plan {
        accelerator: console.accelerator,
        cpus: console.cpus,
        memory_mib: console.memory_mib,
        firmware: console.firmware.code.clone(),
        work: console.work.clone(),
        talk: Talk::User { forwards: forwards.collect() },
    };
    let place = Place {
        name: &console.name,
        disk: &console.disk,
        size: console.size,
        firmware: &console.firmware,
    };
    make_files(cells, &plan, &place, &seed)?;
    let task = machine(&plan, console.forwards.iter().map(|forward| forward.host).collect());
    let mut cell = cells.spawn(&console.name, task, None, Stdio::Terminal).map_err(start)?;
    cell.wait().map_err(prepare)
}
