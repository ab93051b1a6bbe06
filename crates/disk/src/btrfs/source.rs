//! What the superblock says, and which trees there are.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Seek};

use super::chunk::Chunks;
use super::item;
use super::tree::{Key, Recent, Root};
use crate::bytes::{array_at, u32_at, u64_at};
use crate::read::{Format, OpenError, ReadErrorKind, Window, corrupt};

const POSITION: u64 = 0x1_0000;
const LENGTH: u64 = 4096;
const MAGIC: [u8; 8] = *b"_BHRfS_M";
/// The incompatible features under which this reader finds its way, with
/// their names: mixed_backref, default_subvol, mixed_groups, compress_lzo,
/// compress_zstd, big_metadata, extended_iref, raid56, skinny_metadata,
/// no_holes, metadata_uuid, raid1c34, simple_quota.
const KNOWN: u64 = 0xfff | 0x1_0000;

const CHUNKS_AT: usize = 0x32b;
const CHUNK_OBJECT: u64 = 256;
const CHUNK_ITEM: u8 = 228;

/// The tree above all subvolumes.
pub(super) const TOP: u64 = 5;
/// The root directory of each tree of files.
pub(super) const ROOT_DIRECTORY: u64 = 256;
/// Where the default subvolume's name is, in the tree of trees.
const DEFAULT_OBJECT: u64 = 6;

/// An inode of a subvolume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Id {
    pub(super) tree: u64,
    pub(super) number: u64,
}

impl Id {
    /// Returns the root directory of a tree.
    pub(super) fn root_of(tree: u64) -> Self {
        Self { tree, number: ROOT_DIRECTORY }
    }
}

/// A file system that is being read.
pub(crate) struct Source<T> {
    pub(super) window: Window<T>,
    pub(super) chunks: Chunks,
    pub(super) node_size: u64,
    pub(super) sector_size: u64,
    pub(super) recent: Recent,
    trees: Root,
    /// The roots of the trees that were asked for.
    known: HashMap<u64, Root>,
    pub(super) root: Id,
    /// Subvolumes that have another place than the one they are named in.
    pub(super) mounted: HashSet<u64>,
    pub(crate) uuid: [u8; 16],
    pub(crate) label: [u8; 256],
}

impl<T: Read + Seek> Source<T> {
    /// Says whether the superblock's magic number is there.
    pub(crate) fn is_at(window: &mut Window<T>) -> bool {
        window.bytes(POSITION + 0x40, 8).is_ok_and(|magic| magic == MAGIC)
    }

    /// Reads the superblock of what begins with `window`, and what leads to
    /// the default subvolume, which is the root then.
    pub(crate) fn open(mut window: Window<T>) -> Result<Self, OpenError> {
        let format = Format::Btrfs;
        let records = |source| OpenError::Records { format, source };
        let raw = window.bytes(POSITION, LENGTH).map_err(records)?;
        let incompatible = u64_at(&raw, 0xbc);
        if incompatible & !KNOWN != 0 {
            return Err(OpenError::Feature { format, bits: incompatible & !KNOWN });
        }
        if u64_at(&raw, 0x88) != 1 {
            return Err(OpenError::Unsupported { format, what: "spans several devices" });
        }
        if u64_at(&raw, 0x60) != 0 {
            let mend = "its log must be replayed by mounting it";
            return Err(OpenError::NotClean { format, mend });
        }
        let mut source = Self::parse(window, &raw)?;
        let chunks = Root { address: u64_at(&raw, 0x58), level: raw[0xc7] };
        source.read_chunks(chunks).map_err(records)?;
        let default = source.default_subvolume().map_err(records)?;
        source.root = Id::root_of(default);
        Ok(source)
    }

    fn parse(window: Window<T>, raw: &[u8]) -> Result<Self, OpenError> {
        let format = Format::Btrfs;
        let corrupt = |what| OpenError::Corrupt { format, what };
        let [sector_size, node_size] = [0x90, 0x94].map(|at| u64::from(u32_at(raw, at)));
        let sane = |size: u64| size.is_power_of_two() && (4096..=65536).contains(&size);
        if !sane(sector_size) || !sane(node_size) {
            return Err(corrupt("the size of blocks"));
        }
        let size = u64_at(raw, 0x70);
        let truncated = OpenError::Truncated { format, size };
        let array = raw.get(CHUNKS_AT..CHUNKS_AT + (u32_at(raw, 0xa0) as usize).min(2048));
        let array = array.ok_or_else(|| corrupt("its map of chunks"))?;
        let chunks = Chunks::of_superblock(array);
        Ok(Self {
            window: window.bounded(size).ok_or(truncated)?,
            chunks: chunks.map_err(|source| OpenError::Records { format, source })?,
            node_size,
            sector_size,
            recent: Recent::default(),
            trees: Root { address: u64_at(raw, 0x50), level: raw[0xc6] },
            known: HashMap::new(),
            root: Id::root_of(TOP),
            mounted: HashSet::new(),
            uuid: array_at(raw, 0x20),
            label: array_at(raw, 0x12b),
        })
    }

    fn read_chunks(&mut self, root: Root) -> Result<(), ReadErrorKind> {
        let mut items = Vec::new();
        self.scan(root, &Key::all(CHUNK_OBJECT, CHUNK_ITEM), &mut |key, item| {
            items.push((key.offset, item.to_vec()));
            Ok(())
        })?;
        items.into_iter().try_for_each(|(start, item)| self.chunks.add(start, &item))
    }

    fn default_subvolume(&mut self) -> Result<u64, ReadErrorKind> {
        let mut default = TOP;
        self.scan(self.trees, &Key::all(DEFAULT_OBJECT, item::NAME), &mut |_, item| {
            for named in item::names(item)? {
                if named.name == b"default" {
                    default = named.target.object;
                }
            }
            Ok(())
        })?;
        Ok(default)
    }

    /// Returns the root of a tree that there is.
    pub(super) fn tree(&mut self, number: u64) -> Result<Root, ReadErrorKind> {
        self.find_tree(number)?.ok_or_else(|| corrupt("there is no such subvolume"))
    }

    /// Returns the root of a tree, if there is one.
    pub(super) fn find_tree(&mut self, number: u64) -> Result<Option<Root>, ReadErrorKind> {
        if let Some(root) = self.known.get(&number) {
            return Ok(Some(*root));
        }
        let mut found = None;
        self.scan(self.trees, &Key::all(number, item::ROOT), &mut |_, item| {
            let item = item.get(..239).ok_or_else(|| corrupt("a tree's root"))?;
            found = Some(Root { address: u64_at(item, 176), level: item[238] });
            Ok(())
        })?;
        if let Some(root) = found {
            self.known.insert(number, root);
        }
        Ok(found)
    }

    /// Tells whether subvolume `child` has its name in subvolume `parent`, not
    /// only in what that is a snapshot of.
    pub(super) fn is_named_in(&mut self, child: u64, parent: u64) -> Result<bool, ReadErrorKind> {
        let key = Key { object: parent, kind: item::ROOT_REFERENCE, offset: child };
        let mut found = false;
        self.scan(self.trees, &(key..=key), &mut |_, _| {
            found = true;
            Ok(())
        })?;
        Ok(found)
    }
}
