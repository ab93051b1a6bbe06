//! Extended attributes: in the inode while there is room, then in one block
//! ("Extended Attributes").
//!
//! Values in inodes of their own (`ea_inode`) are neither made nor read.

use std::collections::BTreeMap;

use super::acl;
use super::crc32c::crc32c;
use super::geometry::BLOCK;
use super::inode::{ATTRIBUTES_AT, LENGTH};
use super::superblock::Seed;
use crate::bytes::{low_u16, low_u32, put, put_u16, put_u32, u16_at, u32_at};
use crate::read::{self, ReadErrorKind, corrupt};

const MAGIC: u32 = 0xea02_0000;
const INODE_HEADER: usize = 4;
const BLOCK_HEADER: usize = 32;
const ENTRY_HEADER: usize = 16;
/// Four zero bytes end the list of entries.
const END: usize = 4;
const HASH_AT: usize = 0xc;
const CHECKSUM_AT: usize = 0x10;

/// How names begin, and the number that stands for it.
const PREFIXES: [(u8, &[u8]); 3] = [(1, b"user."), (4, b"trusted."), (6, b"security.")];
/// Names which are wholly replaced by a number.
const LISTS: [(u8, &[u8]); 2] = [(2, b"system.posix_acl_access"), (3, b"system.posix_acl_default")];
/// The attribute in which the kernel keeps a small file's content.
const INLINE_DATA: (u8, &[u8]) = (7, b"data");

/// Attributes by full name.
pub(super) type Attributes = BTreeMap<Vec<u8>, Vec<u8>>;

/// Attributes cannot be stored.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// ext4 has no number for the beginning of this name.
    Name(Vec<u8>),
    /// The value of this name is no access control list.
    List(Vec<u8>),
    /// They do not fit into the inode and a block.
    TooLarge,
}

/// Where a file's attributes go.
#[derive(Debug)]
pub(super) struct Placed {
    /// What the inode holds; empty for none.
    pub(super) inode: Vec<u8>,
    /// What the block holds, if one is needed; [`seal`] completes it.
    pub(super) block: Option<Vec<u8>>,
}

/// Divides `attributes` between the inode and a block.
pub(super) fn place(attributes: &Attributes) -> Result<Placed, Refused> {
    if attributes.is_empty() {
        return Ok(Placed { inode: Vec::new(), block: None });
    }
    let mut coded = Vec::new();
    for (name, value) in attributes {
        coded.push(Coded::new(name, value)?);
    }
    // The kernel looks attributes up in this order.
    coded.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut inode = Area::new(INODE_HEADER, LENGTH - ATTRIBUTES_AT);
    let mut block = Area::new(BLOCK_HEADER, BLOCK);
    for attribute in coded {
        if !inode.fits(&attribute) && !block.fits(&attribute) {
            return Err(Refused::TooLarge);
        }
        let area = if inode.fits(&attribute) { &mut inode } else { &mut block };
        area.push(attribute);
    }
    Ok(Placed { inode: inode.into_inode(), block: block.into_block() })
}

/// Puts the checksum into what is to be block `number`.
pub(super) fn seal(block: &mut [u8], seed: Seed, number: u64) {
    put_u32(block, CHECKSUM_AT, 0);
    let checksum = crc32c(crc32c(seed.0, &number.to_le_bytes()), block);
    put_u32(block, CHECKSUM_AT, checksum);
}

/// Adds to `found` what an inode holds after its extra fields.
pub(super) fn read_inode(raw: &[u8], found: &mut read::Attributes) -> Result<(), ReadErrorKind> {
    match raw.split_at_checked(INODE_HEADER) {
        Some((magic, entries)) if u32_at(magic, 0) == MAGIC => {
            read_entries(entries, entries, found)
        }
        Some(_) | None => Ok(()),
    }
}

/// Adds to `found` what a block holds.
pub(super) fn read_block(raw: &[u8], found: &mut read::Attributes) -> Result<(), ReadErrorKind> {
    let entries = raw.get(BLOCK_HEADER..).ok_or_else(broken)?;
    if u32_at(raw, 0) != MAGIC {
        return Err(broken());
    }
    read_entries(entries, raw, found)
}

/// Reads entries whose values are placed relative to `values`.
fn read_entries(
    mut entries: &[u8],
    values: &[u8],
    found: &mut read::Attributes,
) -> Result<(), ReadErrorKind> {
    loop {
        let end = entries.get(..END).ok_or_else(broken)?;
        if u32_at(end, 0) == 0 {
            return Ok(());
        }
        let header = entries.get(..ENTRY_HEADER).ok_or_else(broken)?;
        let name_end = ENTRY_HEADER + usize::from(header[0]);
        let suffix = entries.get(ENTRY_HEADER..name_end).ok_or_else(broken)?;
        if u32_at(header, 4) != 0 {
            return Err(ReadErrorKind::Unsupported { what: "an attribute in an inode" });
        }
        let start = usize::from(u16_at(header, 2));
        let size = u32_at(header, 8) as usize;
        let value = match size {
            0 => &[],
            _ => values.get(start..start.saturating_add(size)).ok_or_else(broken)?,
        };
        if (header[1], suffix) != INLINE_DATA {
            let (name, value) = decode(header[1], suffix, value)?;
            found.insert(name, value)?;
        }
        entries = entries.get(name_end.next_multiple_of(4)..).ok_or_else(broken)?;
    }
}

/// Returns full name and value of what is on disk.
fn decode(index: u8, suffix: &[u8], value: &[u8]) -> Result<(Vec<u8>, Vec<u8>), ReadErrorKind> {
    if let Some((_, name)) = LISTS.iter().find(|(number, _)| *number == index) {
        let value = acl::from_disk(value).ok_or_else(broken)?;
        return Ok((name.to_vec(), value));
    }
    let prefix = PREFIXES.iter().find(|(number, _)| *number == index);
    let unknown = || ReadErrorKind::Unsupported { what: "an attribute of unknown kind" };
    let (_, prefix) = prefix.ok_or_else(unknown)?;
    Ok(([prefix, suffix].concat(), value.to_vec()))
}

fn broken() -> ReadErrorKind {
    corrupt("its attributes")
}

/// An attribute as it is stored.
struct Coded {
    index: u8,
    suffix: Vec<u8>,
    value: Vec<u8>,
}

impl Coded {
    fn new(name: &[u8], value: &[u8]) -> Result<Self, Refused> {
        if let Some((index, _)) = LISTS.iter().find(|(_, list)| *list == name) {
            let value = acl::to_disk(value).ok_or_else(|| Refused::List(name.to_vec()))?;
            return Ok(Self { index: *index, suffix: Vec::new(), value });
        }
        for (index, prefix) in PREFIXES {
            let suffix = name.strip_prefix(prefix).unwrap_or_default();
            if (1..=255).contains(&suffix.len()) {
                return Ok(Self { index, suffix: suffix.to_vec(), value: value.to_vec() });
            }
        }
        Err(Refused::Name(name.to_vec()))
    }

    fn order(&self) -> (u8, usize, &[u8]) {
        (self.index, self.suffix.len(), &self.suffix)
    }

    fn entry_length(&self) -> usize {
        (ENTRY_HEADER + self.suffix.len()).next_multiple_of(4)
    }

    fn value_length(&self) -> usize {
        self.value.len().next_multiple_of(4)
    }

    /// Returns the hash of name and value, read as numbers of 32 bits.
    fn hash(&self) -> u32 {
        let name =
            self.suffix.iter().fold(0u32, |hash, byte| hash.rotate_left(5) ^ u32::from(*byte));
        let mut value = self.value.clone();
        value.resize(self.value_length(), 0);
        value.chunks(4).fold(name, |hash, word| hash.rotate_left(16) ^ u32_at(word, 0))
    }
}

/// Attributes that share an inode's rest or a block: entries grow from the
/// front, values from the end.
struct Area {
    header: usize,
    length: usize,
    used: usize,
    attributes: Vec<Coded>,
}

impl Area {
    fn new(header: usize, length: usize) -> Self {
        Self { header, length, used: header + END, attributes: Vec::new() }
    }

    fn fits(&self, attribute: &Coded) -> bool {
        self.used + attribute.entry_length() + attribute.value_length() <= self.length
    }

    fn push(&mut self, attribute: Coded) {
        self.used += attribute.entry_length() + attribute.value_length();
        self.attributes.push(attribute);
    }

    fn into_inode(self) -> Vec<u8> {
        if self.attributes.is_empty() {
            return Vec::new();
        }
        // Values are placed relative to the first entry, and entries in an
        // inode have no hash.
        self.encode(INODE_HEADER, |_| 0)
    }

    fn into_block(self) -> Option<Vec<u8>> {
        if self.attributes.is_empty() {
            return None;
        }
        let hash = self
            .attributes
            .iter()
            .fold(0u32, |hash, attribute| hash.rotate_left(16) ^ attribute.hash());
        let mut raw = self.encode(0, Coded::hash);
        // One reference, one block.
        put_u32(&mut raw, 4, 1);
        put_u32(&mut raw, 8, 1);
        put_u32(&mut raw, HASH_AT, hash);
        Some(raw)
    }

    fn encode(&self, origin: usize, hash: impl Fn(&Coded) -> u32) -> Vec<u8> {
        let mut raw = vec![0; self.length];
        put_u32(&mut raw, 0, MAGIC);
        let mut at = self.header;
        let mut value_at = self.length;
        for attribute in &self.attributes {
            value_at -= attribute.value_length();
            raw[at] = attribute.suffix.len() as u8;
            raw[at + 1] = attribute.index;
            if !attribute.value.is_empty() {
                put_u16(&mut raw, at + 2, low_u16((value_at - origin) as u32));
            }
            put_u32(&mut raw, at + 8, low_u32(attribute.value.len() as u64));
            put_u32(&mut raw, at + 12, hash(attribute));
            put(&mut raw, at + ENTRY_HEADER, &attribute.suffix);
            put(&mut raw, value_at, &attribute.value);
            at += attribute.entry_length();
        }
        raw
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attributes(list: &[(&[u8], &[u8])]) -> Attributes {
        list.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
    }

    fn read(placed: &Placed) -> Attributes {
        let mut found = read::Attributes::default();
        read_inode(&placed.inode, &mut found).unwrap();
        if let Some(block) = &placed.block {
            read_block(block, &mut found).unwrap();
        }
        found.into_map()
    }

    #[test]
    fn small_ones_live_in_the_inode() {
        let given = attributes(&[(b"security.capability", &[7; 20]), (b"user.empty", b"")]);
        let placed = place(&given).unwrap();
        assert_eq!(placed.inode.len(), 96);
        assert!(placed.block.is_none());
        assert_eq!(read(&placed), given);
    }

    #[test]
    fn large_ones_live_in_the_block() {
        let given = attributes(&[(b"user.large", &[1; 3000]), (b"user.small", b"x")]);
        let placed = place(&given).unwrap();
        assert!(placed.block.is_some());
        assert_eq!(read(&placed), given);
    }

    #[test]
    fn what_has_no_place_is_refused() {
        let check = |name: &[u8], value: &[u8], refused| {
            assert_eq!(place(&attributes(&[(name, value)])).unwrap_err(), refused);
        };
        check(b"user.a", &[0; 4096], Refused::TooLarge);
        check(b"user.", b"", Refused::Name(b"user.".to_vec()));
        check(b"system.data", b"", Refused::Name(b"system.data".to_vec()));
        let list = b"system.posix_acl_access";
        check(list, b"x", Refused::List(list.to_vec()));
    }

    proptest! {
        #[test]
        fn all_are_found_again(
            given in proptest::collection::btree_map(
                "(user|trusted|security)[.][a-z]{1,40}".prop_map(String::into_bytes),
                proptest::collection::vec(any::<u8>(), 0..200),
                0..12,
            )
        ) {
            prop_assert_eq!(read(&place(&given).unwrap()), given);
        }

        #[test]
        fn noise_never_panics(noise: Vec<u8>) {
            let mut found = read::Attributes::default();
            let mut raw = MAGIC.to_le_bytes().to_vec();
            raw.extend(noise);
            let _ = read_inode(&raw, &mut found);
            let _ = read_block(&raw, &mut found);
        }
    }
}
