//! The journal: empty, to be used by the first mount ("Journal (jbd2)").

use super::geometry::BLOCK;
use crate::bytes::put;

/// Returns the first block of a clean journal of `blocks` blocks; the others
/// are zero. The numbers are big-endian.
pub(super) fn superblock(blocks: u32, uuid: &[u8; 16]) -> Vec<u8> {
    let mut raw = vec![0; BLOCK];
    let fields: [(usize, u32); 8] = [
        (0x0, 0xc03b_3998),
        // A superblock of version 2.
        (0x4, 4),
        (0xc, BLOCK as u32),
        (0x10, blocks),
        // The log begins in block 1 with transaction 1; nothing to replay.
        (0x14, 1),
        (0x18, 1),
        (0x1c, 0),
        // One file system uses it.
        (0x40, 1),
    ];
    for (at, value) in fields {
        put(&mut raw, at, &value.to_be_bytes());
    }
    put(&mut raw, 0x30, uuid);
    raw
}
