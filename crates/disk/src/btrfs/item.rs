//! The items of inodes: their fields, names and attributes.

use super::tree::{KEY, Key};
use crate::bytes::{u16_at, u32_at, u64_at};
use crate::entry::Time;
use crate::read::{Attributes, ReadErrorKind, corrupt};

/// An inode's fields.
pub(super) const INODE: u8 = 1;
/// Attributes whose names have one hash.
pub(super) const ATTRIBUTE: u8 = 24;
/// Names of a directory by their hash.
pub(super) const NAME: u8 = 84;
/// Names of a directory in the order they were made in.
pub(super) const INDEX: u8 = 96;
/// A part of a file's content.
pub(super) const EXTENT: u8 = 108;
/// A tree.
pub(super) const ROOT: u8 = 132;
/// A tree that has its name in another one.
pub(super) const ROOT_REFERENCE: u8 = 156;

const INODE_LENGTH: usize = 160;
const NAME_HEADER: usize = 30;

/// The fields of an inode.
pub(super) struct Fields {
    pub(super) size: u64,
    pub(super) links: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mode: u32,
    pub(super) device: u64,
    pub(super) mtime: Time,
}

impl Fields {
    /// Reads an inode item.
    pub(super) fn parse(item: &[u8]) -> Result<Self, ReadErrorKind> {
        let raw = item.get(..INODE_LENGTH).ok_or_else(|| corrupt("an inode"))?;
        Ok(Self {
            size: u64_at(raw, 16),
            links: u32_at(raw, 40),
            uid: u32_at(raw, 44),
            gid: u32_at(raw, 48),
            mode: u32_at(raw, 52),
            device: u64_at(raw, 56),
            mtime: Time {
                seconds: u64_at(raw, 136) as i64,
                nanos: u32_at(raw, 144).min(999_999_999),
            },
        })
    }
}

/// A name, what it stands for, and an attribute's value.
pub(super) struct Named<'a> {
    pub(super) target: Key,
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
}

/// Returns the names in an item.
pub(super) fn names(mut item: &[u8]) -> Result<Vec<Named<'_>>, ReadErrorKind> {
    let broken = || corrupt("a name");
    let mut names = Vec::new();
    while !item.is_empty() {
        let (header, rest) = item.split_at_checked(NAME_HEADER).ok_or_else(broken)?;
        let name = rest.split_at_checked(u16_at(header, 27).into());
        let (name, rest) = name.ok_or_else(broken)?;
        let value = rest.split_at_checked(u16_at(header, 25).into());
        let (value, rest) = value.ok_or_else(broken)?;
        names.push(Named { target: Key::parse(&header[..KEY]), name, value });
        item = rest;
    }
    Ok(names)
}

/// Adds the attributes in an item. Btrfs's own properties, which say how files
/// are to be compressed, mean nothing elsewhere.
pub(super) fn attributes(item: &[u8], attributes: &mut Attributes) -> Result<(), ReadErrorKind> {
    for named in names(item)? {
        if !named.name.starts_with(b"btrfs.") {
            attributes.insert(named.name.to_vec(), named.value.to_vec())?;
        }
    }
    Ok(())
}
