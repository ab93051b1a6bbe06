//! Says whether the log is empty: whether the last thing written to it is the
//! record of an unmount ("Journaling Log").

use std::io::{Read, Seek};

use crate::bytes::{be_u32_at, be_u64_at};
use crate::read::{ReadErrorKind, Window};

const MAGIC: u32 = 0xfeed_babe;
/// The log is counted in these.
const SECTOR: usize = 512;
/// What is read at once.
const PIECE: u64 = 1 << 20;
/// The part of a record that one sector of header describes.
const PER_HEADER: u32 = 32 << 10;
/// `XLOG_UNMOUNT_TRANS`.
const UNMOUNT: u8 = 0x20;

/// Tells whether the log of `size` bytes at `position` ends in an unmount.
pub(super) fn is_clean<T: Read + Seek>(
    window: &mut Window<T>,
    position: u64,
    size: u64,
) -> Result<bool, ReadErrorKind> {
    let Some(last) = last_record(window, position, size)? else { return Ok(false) };
    let first_operation = last.at + u64::from(last.headers) * SECTOR as u64;
    if last.operations != 1 {
        return Ok(false);
    }
    // The log is a ring.
    let operation = window.bytes(position + first_operation % size, SECTOR as u64)?;
    Ok(operation[9] & UNMOUNT != 0)
}

struct Record {
    at: u64,
    number: u64,
    headers: u32,
    operations: u32,
}

/// Finds the record with the highest number.
fn last_record<T: Read + Seek>(
    window: &mut Window<T>,
    position: u64,
    size: u64,
) -> Result<Option<Record>, ReadErrorKind> {
    let mut last: Option<Record> = None;
    let mut start = 0;
    while start < size {
        let piece = window.bytes(position + start, PIECE.min(size - start))?;
        for (sector, at) in piece.chunks_exact(SECTOR).zip((start..).step_by(SECTOR)) {
            // Each sector of a record that is not its header begins with a
            // cycle number, which is never the magic number.
            let number = be_u64_at(sector, 16);
            let newer = last.as_ref().is_none_or(|last| number > last.number);
            if be_u32_at(sector, 0) == MAGIC && newer {
                let headers = be_u32_at(sector, 320).div_ceil(PER_HEADER).max(1);
                let operations = be_u32_at(sector, 40);
                last = Some(Record { at, number, headers, operations });
            }
        }
        start += PIECE;
    }
    Ok(last)
}
