//! Extended attributes: in the inode, or in leaves and further blocks for
//! large values ("Extended Attributes").

use std::io::{Read, Seek};

use super::inode::{Fork, Form};
use super::map;
use super::source::Source;
use crate::bytes::{be_u16_at, be_u32_at};
use crate::read::{Attributes, ReadErrorKind, Stretch, corrupt};

const LEAF_MAGIC: u16 = 0x3bee;
const LEAF_HEADER: usize = 80;
const VALUE_MAGIC: [u8; 4] = *b"XARM";
const VALUE_HEADER: usize = 56;

/// The value is in the leaf.
const LOCAL: u8 = 0x1;
/// `trusted.`
const TRUSTED: u8 = 0x2;
/// `security.`
const SECURITY: u8 = 0x4;
/// The name of the file itself, kept for repairs.
const PARENT: u8 = 0x8;
/// A change that was not finished.
const INCOMPLETE: u8 = 0x80;

/// The largest value that Linux accepts.
const LARGEST_VALUE: u32 = 64 << 10;
/// The bytes that attributes of one file take at most, with what helps to find
/// them and the names of the file itself.
const LARGEST_FORK: u64 = 16 << 20;

/// Access control lists are kept under these names, in a form of XFS's own.
const LISTS: [(&[u8], &[u8]); 2] = [
    (b"SGI_ACL_FILE", b"system.posix_acl_access"),
    (b"SGI_ACL_DEFAULT", b"system.posix_acl_default"),
];

/// Returns the attributes that `fork` holds.
pub(super) fn read<T: Read + Seek>(
    source: &mut Source<T>,
    fork: &Fork<'_>,
) -> Result<Attributes, ReadErrorKind> {
    let mut attributes = Attributes::default();
    if fork.form == Form::Local {
        short_form(fork.bytes, &mut attributes)?;
        return Ok(attributes);
    }
    if fork.form == Form::Extents && fork.extents == 0 {
        return Ok(attributes);
    }
    let stretches = map::stretches(source, fork)?;
    let blocks: u64 = stretches.iter().map(|stretch| stretch.length).sum();
    if blocks > LARGEST_FORK / source.block_size {
        return Err(broken());
    }
    // Nodes only help to find a name; all leaves together have all names.
    for stretch in &stretches {
        for number in 0..stretch.length {
            let position = (stretch.physical + number) * source.block_size;
            let block = source.window.bytes(position, source.block_size)?;
            if be_u16_at(&block, 8) == LEAF_MAGIC && block[..4] != VALUE_MAGIC {
                leaf(source, &block, &stretches, &mut attributes)?;
            }
        }
    }
    Ok(attributes)
}

fn short_form(bytes: &[u8], attributes: &mut Attributes) -> Result<(), ReadErrorKind> {
    let (header, mut rest) = bytes.split_at_checked(4).ok_or_else(broken)?;
    for _ in 0..header[2] {
        let (entry, more) = rest.split_at_checked(3).ok_or_else(broken)?;
        let (name, more) = more.split_at_checked(entry[0].into()).ok_or_else(broken)?;
        let (value, more) = more.split_at_checked(entry[1].into()).ok_or_else(broken)?;
        insert(attributes, entry[2], name, value)?;
        rest = more;
    }
    Ok(())
}

fn leaf<T: Read + Seek>(
    source: &mut Source<T>,
    block: &[u8],
    stretches: &[Stretch],
    attributes: &mut Attributes,
) -> Result<(), ReadErrorKind> {
    let count = usize::from(be_u16_at(block, 56));
    let entries = block.get(LEAF_HEADER..LEAF_HEADER + count * 8).ok_or_else(broken)?;
    for entry in entries.chunks_exact(8) {
        let flags = entry[6];
        let place = block.get(usize::from(be_u16_at(entry, 4))..).ok_or_else(broken)?;
        if flags & (INCOMPLETE | PARENT) != 0 {
            continue;
        }
        if flags & LOCAL != 0 {
            let (head, rest) = place.split_at_checked(3).ok_or_else(broken)?;
            let (name, rest) = rest.split_at_checked(head[2].into()).ok_or_else(broken)?;
            let value = rest.get(..be_u16_at(head, 0).into()).ok_or_else(broken)?;
            insert(attributes, flags, name, value)?;
        } else {
            let (head, rest) = place.split_at_checked(9).ok_or_else(broken)?;
            let name = rest.get(..head[8].into()).ok_or_else(broken)?;
            let value = remote(source, stretches, be_u32_at(head, 0), be_u32_at(head, 4))?;
            insert(attributes, flags, name, &value)?;
        }
    }
    Ok(())
}

/// Returns a value of `length` bytes that begins in the fork's `block`.
fn remote<T: Read + Seek>(
    source: &mut Source<T>,
    stretches: &[Stretch],
    block: u32,
    length: u32,
) -> Result<Vec<u8>, ReadErrorKind> {
    if length > LARGEST_VALUE {
        return Err(broken());
    }
    let length = length as usize;
    let mut value = Vec::with_capacity(length);
    let mut logical = u64::from(block);
    while value.len() < length {
        let found = stretches
            .iter()
            .find(|stretch| (stretch.logical..stretch.logical + stretch.length).contains(&logical));
        let found = found.ok_or_else(broken)?;
        let position = (found.physical + logical - found.logical) * source.block_size;
        let bytes = source.window.bytes(position, source.block_size)?;
        if bytes[..4] != VALUE_MAGIC {
            return Err(broken());
        }
        let content = &bytes[VALUE_HEADER..];
        value.extend(&content[..content.len().min(length - value.len())]);
        logical += 1;
    }
    Ok(value)
}

fn insert(
    attributes: &mut Attributes,
    flags: u8,
    name: &[u8],
    value: &[u8],
) -> Result<(), ReadErrorKind> {
    if flags & PARENT != 0 {
        return Ok(());
    }
    let list = LISTS.iter().find(|(list, _)| flags & TRUSTED != 0 && *list == name);
    if let Some((_, name)) = list {
        return attributes.insert(name.to_vec(), access_list(value).ok_or_else(broken)?);
    }
    let prefix: &[u8] = match flags & (TRUSTED | SECURITY) {
        0 => b"user.",
        TRUSTED => b"trusted.",
        SECURITY => b"security.",
        _ => return Err(broken()),
    };
    attributes.insert([prefix, name].concat(), value.to_vec())
}

/// Returns an access control list as `getxattr` gives it, or `None` if it is
/// none (`struct xfs_acl`).
fn access_list(raw: &[u8]) -> Option<Vec<u8>> {
    let (count, entries) = raw.split_at_checked(4)?;
    let entries = entries.get(..(be_u32_at(count, 0) as usize).checked_mul(12)?)?;
    let mut value = 2u32.to_le_bytes().to_vec();
    for entry in entries.chunks_exact(12) {
        let tag = u16::try_from(be_u32_at(entry, 0)).ok()?;
        // Only named users and groups have an id.
        let id = if matches!(tag, 2 | 8) { be_u32_at(entry, 4) } else { u32::MAX };
        value.extend(tag.to_le_bytes());
        value.extend(be_u16_at(entry, 8).to_le_bytes());
        value.extend(id.to_le_bytes());
    }
    Some(value)
}

fn broken() -> ReadErrorKind {
    corrupt("its attributes")
}
