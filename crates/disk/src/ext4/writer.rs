//! Writes a file system in one pass over its entries.
//!
//! Blocks and inodes are given out strictly in the order of the entries, so
//! two file systems whose entries begin alike hold the same bytes in the same
//! places as far as that goes.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, Write};

use super::allocate::{self, Allocator};
use super::directory::Directory;
use super::error::{AddError, AddErrorKind, FinishError, NewError, lossy};
use super::extent::Extents;
use super::geometry::{BLOCK, BLOCK_SIZE, Geometry};
use super::inode::{self, Inode};
use super::output::Output;
use super::superblock::Seed;
use super::table::{self, InodeTable};
use super::tree::{Node, Tree};
use super::xattr::{self, Attributes};
use crate::entry::{Entry, Kind, LARGEST_FILE, Time};
use crate::sparse::{Content, is_zero, read_full};

/// The content read at once, in bytes; a multiple of [`BLOCK`].
const CHUNK: usize = 1 << 20;
/// The longest target of a link that fits into the inode, in bytes.
const SHORT_TARGET: usize = 59;
/// The longest target that Linux follows, in bytes.
pub(super) const LONGEST_TARGET: usize = 4095;
/// The most names that an inode can have.
pub(super) const MOST_LINKS: u16 = 65_000;
/// The length of a label, in bytes.
pub(super) const LONGEST_LABEL: usize = 16;

/// What a file system is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Identifies the file system; also the seed of its checksums.
    pub uuid: [u8; 16],
    /// The volume's name, at most 16 bytes.
    pub label: String,
    /// In bytes, a multiple of 4096.
    pub size: u64,
    /// Seeds the hashes of directories that the kernel will index.
    pub hash_seed: [u8; 16],
    /// Seconds since 1970: when the file system says it was made.
    pub epoch: i64,
}

/// What a finished file system holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The number of blocks of 4096 bytes.
    pub blocks: u64,
    /// How many of them are in use, metadata and journal included.
    pub blocks_used: u64,
    /// The number of inodes.
    pub inodes: u32,
    /// How many of them are in use, the 10 reserved ones included.
    pub inodes_used: u32,
}

/// Writes one file system.
///
/// The output must be zero, or not there yet, wherever the file system goes,
/// and a file must be open for reading too: inodes of hard links are read back.
/// Memory grows by about 100 bytes an entry, whatever the content.
pub struct Writer<T> {
    pub(super) out: Output<T>,
    pub(super) options: Options,
    pub(super) geometry: Geometry,
    pub(super) seed: Seed,
    pub(super) allocator: Allocator,
    pub(super) inodes: InodeTable,
    pub(super) tree: Tree,
    /// The further names of inodes that have any.
    pub(super) links: BTreeMap<u32, u16>,
    pub(super) resize_root: u64,
    chunk: Vec<u8>,
}

impl<T: Read + Write + Seek> Writer<T> {
    /// Begins a file system at byte `offset` of `out`.
    pub fn new(out: T, offset: u64, options: Options) -> Result<Self, NewError> {
        let geometry = Geometry::new(options.size).map_err(NewError::Size)?;
        if options.label.len() > LONGEST_LABEL {
            return Err(NewError::Label { label: options.label });
        }
        let mut writer = Self {
            out: Output::new(out, offset),
            seed: Seed::of(&options.uuid),
            allocator: Allocator::new(geometry),
            inodes: InodeTable::new(geometry),
            tree: Tree::default(),
            links: BTreeMap::new(),
            resize_root: 0,
            chunk: vec![0; CHUNK],
            geometry,
            options,
        };
        writer.begin().map_err(NewError::Begin)?;
        Ok(writer)
    }

    /// Adds an entry; a file's content is read from `content`, which nothing
    /// else looks at.
    ///
    /// Parents and the targets of hard links come first. The root and
    /// lost+found are there from the start; adding them sets their attributes.
    pub fn add(&mut self, entry: &Entry, content: &mut dyn Content) -> Result<(), AddError> {
        self.add_entry(entry, content).map_err(|kind| AddError { path: lossy(&entry.path), kind })
    }

    /// Writes what could not be written before and returns what there is.
    pub fn finish(mut self) -> Result<Summary, FinishError> {
        self.complete().map_err(FinishError)
    }

    /// Makes the directories that are always there and sets blocks aside.
    fn begin(&mut self) -> Result<(), AddErrorKind> {
        self.resize_root = self.take(1)?.start;
        // The extents of the largest journal need one block more.
        self.reserve(self.geometry.journal_blocks() + 1)?;
        let time = Time { seconds: self.options.epoch, nanos: 0 };
        let block = self.take_pooled()?;
        let mut root = Directory::new(inode::ROOT, inode::ROOT, block);
        (root.mode, root.time) = (0o755, time);
        self.tree.directories.insert(inode::ROOT, root);

        let number = self.take_inode()?;
        let mut lost = Directory::new(number, inode::ROOT, self.take_pooled()?);
        (lost.mode, lost.time) = (0o700, time);
        // e2fsck must not need to allocate when it puts files there; 16 KiB
        // as from mke2fs.
        for _ in 1..4 {
            let block = self.take_pooled()?;
            let bytes = lost.append_empty(block, self.seed.of_inode(number));
            self.out.write_block(block, &bytes).map_err(AddErrorKind::Write)?;
        }
        self.tree.directories.insert(number, lost);
        self.enter(inode::ROOT, b"lost+found", Node { inode: number, mode: inode::DIRECTORY })
    }

    fn add_entry(&mut self, entry: &Entry, content: &mut dyn Content) -> Result<(), AddErrorKind> {
        if entry.path.is_empty() {
            return self.describe(inode::ROOT, entry);
        }
        let (parent, name) = self.tree.parent(&entry.path)?;
        if let Some(node) = self.tree.get(parent, name) {
            return match node.inode {
                inode::LOST_AND_FOUND => self.describe(node.inode, entry),
                _ => Err(AddErrorKind::Exists),
            };
        }
        let node = match &entry.kind {
            Kind::HardLink(target) => self.link(target)?,
            Kind::Directory => {
                let number = self.take_inode()?;
                let block = self.take_pooled()?;
                self.tree.directories.insert(number, Directory::new(number, parent, block));
                self.describe(number, entry)?;
                Node { inode: number, mode: inode::DIRECTORY }
            }
            Kind::File { .. }
            | Kind::Symlink(_)
            | Kind::CharDevice { .. }
            | Kind::BlockDevice { .. }
            | Kind::Fifo
            | Kind::Socket => self.write_inode(entry, content)?,
        };
        self.enter(parent, name, node)
    }

    /// Gives a directory that exists the attributes of `entry`.
    fn describe(&mut self, number: u32, entry: &Entry) -> Result<(), AddErrorKind> {
        if entry.kind != Kind::Directory {
            return Err(AddErrorKind::NotADirectory);
        }
        let (attributes, attribute_block) = self.write_attributes(&entry.xattrs)?;
        let directory = self.tree.directories.get_mut(&number).ok_or(AddErrorKind::NoParent)?;
        if directory.given {
            return Err(AddErrorKind::Exists);
        }
        directory.given = true;
        directory.mode = entry.mode & 0o7777;
        (directory.uid, directory.gid, directory.time) = (entry.uid, entry.gid, entry.mtime);
        (directory.attributes, directory.attribute_block) = (attributes, attribute_block);
        Ok(())
    }

    /// Counts one more name for the inode of `target`.
    fn link(&mut self, target: &[u8]) -> Result<Node, AddErrorKind> {
        let node = match self.tree.find(target) {
            Ok(Some(node)) => node,
            Ok(None) | Err(_) => {
                return Err(AddErrorKind::NoTarget { target: lossy(target) });
            }
        };
        if node.is_directory() {
            return Err(AddErrorKind::TargetIsADirectory { target: lossy(target) });
        }
        let more = self.links.entry(node.inode).or_default();
        if *more + 1 >= MOST_LINKS {
            return Err(AddErrorKind::TooManyLinks);
        }
        *more += 1;
        Ok(node)
    }

    /// Writes content and inode of anything but a directory.
    fn write_inode(
        &mut self,
        entry: &Entry,
        content: &mut dyn Content,
    ) -> Result<Node, AddErrorKind> {
        let number = self.take_inode()?;
        let mut made = Inode {
            mode: type_bits(&entry.kind) | entry.mode & 0o7777,
            uid: entry.uid,
            gid: entry.gid,
            size: 0,
            links: 1,
            time: entry.mtime,
            flags: 0,
            blocks: 0,
            field: [0; 60],
            attribute_block: 0,
            attributes: Vec::new(),
        };
        match &entry.kind {
            Kind::File { size, dense } => {
                made.size = *size;
                let extents = self.write_content(*size, *dense, content)?;
                self.write_tree(&mut made, number, &extents)?;
            }
            Kind::Symlink(target) => self.write_target(&mut made, number, target)?,
            Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => {
                if *major >= 1 << 12 || *minor >= 1 << 20 {
                    return Err(AddErrorKind::DeviceNumber { major: *major, minor: *minor });
                }
                made.field = inode::device_field(*major, *minor);
            }
            Kind::Directory | Kind::HardLink(_) | Kind::Fifo | Kind::Socket => {}
        }
        (made.attributes, made.attribute_block) = self.write_attributes(&entry.xattrs)?;
        made.blocks += u64::from(made.attribute_block != 0);
        let raw = made.encode(self.seed, number);
        self.inodes.append(&mut self.out, number, &raw).map_err(AddErrorKind::Write)?;
        Ok(Node { inode: number, mode: made.mode })
    }

    /// Writes `size` bytes of `content` and returns where they went.
    fn write_content(
        &mut self,
        size: u64,
        dense: bool,
        content: &mut dyn Content,
    ) -> Result<Extents, AddErrorKind> {
        if size > LARGEST_FILE {
            return Err(AddErrorKind::FileTooLarge { size });
        }
        let mut chunk = std::mem::take(&mut self.chunk);
        let mut extents = Extents::default();
        let mut done = 0;
        while done < size {
            if !dense {
                let hole = content.skip_hole().map_err(AddErrorKind::Read)?;
                if hole > 0 {
                    done += hole;
                    continue;
                }
            }
            let wanted = (size - done).min(CHUNK as u64) as usize;
            let found = read_full(content, &mut chunk[..wanted]).map_err(AddErrorKind::Read)?;
            if found < wanted {
                return Err(AddErrorKind::ContentEnded { size, found: done + found as u64 });
            }
            let whole = wanted.next_multiple_of(BLOCK);
            chunk[wanted..whole].fill(0);
            let mut logical = (done / BLOCK_SIZE) as u32;
            for blocks in stretches(&chunk[..whole], dense) {
                if dense || !is_zero(blocks) {
                    self.write_blocks(&mut extents, logical, blocks)?;
                }
                logical += (blocks.len() / BLOCK) as u32;
            }
            done += wanted as u64;
        }
        self.chunk = chunk;
        Ok(extents)
    }

    /// Writes whole blocks as a file's blocks from `logical` on.
    fn write_blocks(
        &mut self,
        extents: &mut Extents,
        mut logical: u32,
        mut blocks: &[u8],
    ) -> Result<(), AddErrorKind> {
        while !blocks.is_empty() {
            let run = self.take((blocks.len() / BLOCK) as u64)?;
            let (now, later) = blocks.split_at(run.length as usize * BLOCK);
            self.out.write_content(run.start, now).map_err(AddErrorKind::Write)?;
            extents.push(logical, run);
            logical += run.length as u32;
            blocks = later;
        }
        Ok(())
    }

    /// Gives an inode its extents, in as many blocks as those need.
    fn write_tree(
        &mut self,
        made: &mut Inode,
        number: u32,
        extents: &Extents,
    ) -> Result<(), AddErrorKind> {
        let blocks = (0..extents.tree_blocks())
            .map(|_| self.take(1).map(|run| run.start))
            .collect::<Result<Vec<_>, _>>()?;
        self.store_tree(made, number, extents, &blocks).map_err(AddErrorKind::Write)
    }

    /// Writes an extent tree into `blocks` and gives it to an inode.
    pub(super) fn store_tree(
        &mut self,
        made: &mut Inode,
        number: u32,
        extents: &Extents,
        blocks: &[u64],
    ) -> io::Result<()> {
        let tree = extents.tree(self.seed.of_inode(number), blocks);
        for (block, node) in &tree.nodes {
            self.out.write_block(*block, node)?;
        }
        made.flags |= inode::USES_EXTENTS;
        made.field = tree.root;
        made.blocks += extents.mapped() + blocks.len() as u64;
        Ok(())
    }

    /// Puts a link's target into the inode or a block ("Symbolic Links").
    fn write_target(
        &mut self,
        made: &mut Inode,
        number: u32,
        target: &[u8],
    ) -> Result<(), AddErrorKind> {
        if !(1..=LONGEST_TARGET).contains(&target.len()) || target.contains(&0) {
            return Err(AddErrorKind::LinkTarget { length: target.len() });
        }
        made.size = target.len() as u64;
        if target.len() <= SHORT_TARGET {
            made.field[..target.len()].copy_from_slice(target);
            return Ok(());
        }
        let mut block = target.to_vec();
        block.resize(BLOCK, 0);
        let mut extents = Extents::default();
        self.write_blocks(&mut extents, 0, &block)?;
        self.write_tree(made, number, &extents)
    }

    /// Writes the attributes that need a block; returns the inode's and the
    /// block, or zero.
    fn write_attributes(
        &mut self,
        attributes: &Attributes,
    ) -> Result<(Vec<u8>, u64), AddErrorKind> {
        let placed = xattr::place(attributes)?;
        let Some(mut bytes) = placed.block else {
            return Ok((placed.inode, 0));
        };
        let block = self.take(1)?.start;
        xattr::seal(&mut bytes, self.seed, block);
        self.out.write_block(block, &bytes).map_err(AddErrorKind::Write)?;
        Ok((placed.inode, block))
    }

    /// Enters `name` into a directory, which grows when its last block is full.
    fn enter(&mut self, parent: u32, name: &[u8], node: Node) -> Result<(), AddErrorKind> {
        let seed = self.seed.of_inode(parent);
        let directory = self.tree.directories.get_mut(&parent).ok_or(AddErrorKind::NoParent)?;
        if !directory.has_room(name) {
            let full = |_| AddErrorKind::OutOfSpace { size: self.options.size };
            let next = self.allocator.take_pooled().map_err(full)?;
            let (block, bytes) = directory.close(seed);
            self.out.write_block(block, &bytes).map_err(AddErrorKind::Write)?;
            // The blocks of the extent tree are taken when the directory is
            // complete; running out of them must show now.
            let before = directory.extents.tree_blocks();
            directory.begin(next);
            let more = directory.extents.tree_blocks() - before;
            self.allocator.reserve(more).map_err(full)?;
        }
        directory.push(name, node.inode, node.mode);
        if node.is_directory() {
            directory.adopt();
        }
        self.tree.insert(parent, name, node);
        Ok(())
    }

    fn take_inode(&mut self) -> Result<u32, AddErrorKind> {
        let inodes = self.geometry.inodes();
        self.inodes.take().map_err(|table::Full| AddErrorKind::OutOfInodes { inodes })
    }

    fn take(&mut self, wanted: u64) -> Result<allocate::Run, AddErrorKind> {
        let size = self.options.size;
        self.allocator.take(wanted).map_err(|allocate::Full| AddErrorKind::OutOfSpace { size })
    }

    fn take_pooled(&mut self) -> Result<u64, AddErrorKind> {
        let size = self.options.size;
        self.allocator.take_pooled().map_err(|allocate::Full| AddErrorKind::OutOfSpace { size })
    }

    fn reserve(&mut self, blocks: u64) -> Result<(), AddErrorKind> {
        let size = self.options.size;
        self.allocator.reserve(blocks).map_err(|allocate::Full| AddErrorKind::OutOfSpace { size })
    }
}

/// Cuts whole blocks where zero blocks and others meet; not at all if `dense`.
fn stretches(blocks: &[u8], dense: bool) -> impl Iterator<Item = &[u8]> {
    let mut rest = blocks;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut length = rest.len();
        if !dense {
            let zero = is_zero(&rest[..BLOCK]);
            let same = rest.chunks(BLOCK).take_while(|block| is_zero(block) == zero);
            length = same.count() * BLOCK;
        }
        let (stretch, more) = rest.split_at(length);
        rest = more;
        Some(stretch)
    })
}

fn type_bits(kind: &Kind) -> u16 {
    match kind {
        Kind::Directory => inode::DIRECTORY,
        Kind::File { .. } | Kind::HardLink(_) => inode::REGULAR,
        Kind::Symlink(_) => inode::SYMLINK,
        Kind::CharDevice { .. } => inode::CHAR_DEVICE,
        Kind::BlockDevice { .. } => inode::BLOCK_DEVICE,
        Kind::Fifo => inode::FIFO,
        Kind::Socket => inode::SOCKET,
    }
}
