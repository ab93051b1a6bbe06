//! The inode tables while they are being written.
//!
//! Inodes are numbered in the order they are asked for. Those of files are
//! complete at once and are gathered; those of directories follow at the end.

use std::io::{self, Read, Seek, Write};

use super::geometry::{FIRST_INODE, Geometry, INODES_PER_GROUP};
use super::inode::LENGTH;
use super::output::Output;

/// The inodes gathered before they are written; divides [`INODES_PER_GROUP`].
const GATHERED: u32 = 256;

/// No inodes are left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// Hands out inodes and writes them.
pub(super) struct InodeTable {
    geometry: Geometry,
    next: u32,
    /// The number of the first gathered inode, and their bytes.
    first: u32,
    gathered: Vec<u8>,
}

impl InodeTable {
    /// Starts after the reserved inodes.
    pub(super) fn new(geometry: Geometry) -> Self {
        Self { geometry, next: FIRST_INODE, first: 1, gathered: Vec::new() }
    }

    /// Takes the next inode.
    pub(super) fn take(&mut self) -> Result<u32, Full> {
        if self.next > self.geometry.inodes() {
            return Err(Full);
        }
        self.next += 1;
        Ok(self.next - 1)
    }

    /// Returns the number of inodes in use in `group`; they are its first ones.
    pub(super) fn used(&self, group: u32) -> u32 {
        (self.next - 1).saturating_sub(group * INODES_PER_GROUP).min(INODES_PER_GROUP)
    }

    /// Returns the number of inodes in use, reserved ones included.
    pub(super) fn total_used(&self) -> u32 {
        self.next - 1
    }

    /// Writes inode `number`, which must be higher than in any call before.
    pub(super) fn append<T: Read + Write + Seek>(
        &mut self,
        out: &mut Output<T>,
        number: u32,
        raw: &[u8; LENGTH],
    ) -> io::Result<()> {
        if number - self.first >= GATHERED {
            self.flush(out)?;
            self.first = number - (number - 1) % GATHERED;
        }
        self.gathered.resize((number - self.first) as usize * LENGTH, 0);
        self.gathered.extend_from_slice(raw);
        Ok(())
    }

    /// Writes what is gathered.
    pub(super) fn flush<T: Read + Write + Seek>(&mut self, out: &mut Output<T>) -> io::Result<()> {
        let position = self.geometry.inode_position(self.first);
        let gathered = std::mem::take(&mut self.gathered);
        for (number, bytes) in gathered.chunks(super::geometry::BLOCK).enumerate() {
            out.write_at(position + (number * super::geometry::BLOCK) as u64, bytes)?;
        }
        Ok(())
    }
}
