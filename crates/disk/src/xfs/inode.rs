//! The fields of an inode ("On-disk Inode").

use crate::bytes::{be_u16_at, be_u32_at, be_u64_at};
use crate::entry::Time;
use crate::read::{ReadErrorKind, corrupt};

const MAGIC: u16 = 0x494e;
/// The length of an inode of version 3 without its forks.
const CORE: usize = 176;
/// Content on the real-time device.
const REALTIME: u16 = 1;
const BIG_TIMES: u64 = 1 << 3;
const BIG_COUNTS: u64 = 1 << 4;
/// Large times count nanoseconds from 1901-12-13.
const BIG_EPOCH: i64 = 1 << 31;
const NANOS: u64 = 1_000_000_000;

/// How a fork holds what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A device's number.
    Device,
    /// The content itself.
    Local,
    /// A list of extents.
    Extents,
    /// The root of a tree of extents.
    Tree,
}

/// A part of an inode: its content or its attributes.
pub(super) struct Fork<'a> {
    pub(super) form: Form,
    pub(super) bytes: &'a [u8],
    /// The number of extents.
    pub(super) extents: u64,
}

/// The bytes of an inode.
pub(super) struct Inode(Vec<u8>);

impl Inode {
    /// Checks what all the rest relies on.
    pub(super) fn new(raw: Vec<u8>) -> Result<Self, ReadErrorKind> {
        if raw.len() < CORE || be_u16_at(&raw, 0) != MAGIC || raw[4] != 3 {
            return Err(corrupt("there is no such inode"));
        }
        let inode = Self(raw);
        if inode.links() == 0 || inode.mode() == 0 {
            return Err(corrupt("the inode is not in use"));
        }
        if be_u16_at(&inode.0, 90) & REALTIME != 0 {
            return Err(ReadErrorKind::Unsupported { what: "content on a real-time device" });
        }
        Ok(inode)
    }

    pub(super) fn mode(&self) -> u16 {
        be_u16_at(&self.0, 2)
    }

    pub(super) fn uid(&self) -> u32 {
        be_u32_at(&self.0, 8)
    }

    pub(super) fn gid(&self) -> u32 {
        be_u32_at(&self.0, 12)
    }

    pub(super) fn links(&self) -> u32 {
        be_u32_at(&self.0, 16)
    }

    pub(super) fn size(&self) -> u64 {
        be_u64_at(&self.0, 56)
    }

    pub(super) fn mtime(&self) -> Time {
        let raw = be_u64_at(&self.0, 40);
        if self.flags() & BIG_TIMES != 0 {
            let seconds = (raw / NANOS) as i64 - BIG_EPOCH;
            return Time { seconds, nanos: (raw % NANOS) as u32 };
        }
        let nanos = (raw as u32).min(NANOS as u32 - 1);
        Time { seconds: i64::from((raw >> 32) as i32), nanos }
    }

    fn flags(&self) -> u64 {
        be_u64_at(&self.0, 120)
    }

    /// Returns where the attributes begin, if there are any.
    fn attributes_at(&self) -> Option<usize> {
        match usize::from(self.0[82]) * 8 {
            0 => None,
            offset => Some(CORE + offset),
        }
    }

    /// Returns what holds the content.
    pub(super) fn data(&self) -> Result<Fork<'_>, ReadErrorKind> {
        let end = self.attributes_at().unwrap_or(self.0.len());
        let bytes = self.0.get(CORE..end).ok_or_else(|| corrupt("where its attributes begin"))?;
        let extents = if self.flags() & BIG_COUNTS != 0 {
            be_u64_at(&self.0, 24)
        } else {
            be_u32_at(&self.0, 76).into()
        };
        Ok(Fork { form: form(self.0[5])?, bytes, extents })
    }

    /// Returns what holds the attributes.
    pub(super) fn attributes(&self) -> Result<Option<Fork<'_>>, ReadErrorKind> {
        let Some(start) = self.attributes_at() else { return Ok(None) };
        let bytes = self.0.get(start..).ok_or_else(|| corrupt("where its attributes begin"))?;
        let extents = if self.flags() & BIG_COUNTS != 0 {
            be_u32_at(&self.0, 76).into()
        } else {
            be_u16_at(&self.0, 80).into()
        };
        Ok(Some(Fork { form: form(self.0[83])?, bytes, extents }))
    }
}

fn form(number: u8) -> Result<Form, ReadErrorKind> {
    match number {
        0 => Ok(Form::Device),
        1 => Ok(Form::Local),
        2 => Ok(Form::Extents),
        3 => Ok(Form::Tree),
        _ => Err(corrupt("the form of its content")),
    }
}
