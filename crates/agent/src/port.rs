//! A virtio-serial port: a byte stream to the host of a machine.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// How often the host is looked for while it is not connected.
const TICK: Duration = Duration::from_millis(100);

/// How many ticks the device may take to appear after boot.
const OPEN_TICKS: u32 = 300;

/// One end of a port.
pub(crate) struct Port(File);

/// Opens the port at `device`, which udev may still be about to make.
pub(crate) fn open(device: &Path) -> io::Result<Port> {
    for _ in 0..OPEN_TICKS {
        match OpenOptions::new().read(true).write(true).open(device) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => sleep(TICK),
            opened => return opened.map(Port),
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

impl Port {
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }
}

impl Read for Port {
    /// Reads what the host sends; waits while the host is not connected.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // Linux reads nothing, at once, while nobody has the host's end
            // open (`port_fops_read`), and `poll` reports a hang-up all that
            // time, so it cannot wait for the host either.
            match self.0.read(buffer) {
                Ok(0) if !buffer.is_empty() => sleep(TICK),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(TICK),
                read => return read,
            }
        }
    }
}

impl Write for Port {
    /// Writes to the host; Linux waits while the host is not connected
    /// (`wait_port_writable`).
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
