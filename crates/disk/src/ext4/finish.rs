//! Completes a file system: everything that is known only when all entries
//! are there.

use std::io::{self, Read, Seek, Write};

use super::allocate::{self, set_bits};
use super::crc32c::crc32c;
use super::extent::Extents;
use super::geometry::{BLOCK, BLOCK_SIZE, DESCRIPTOR_SIZE, INODES_PER_GROUP};
use super::group::{self, Descriptor};
use super::inode::{self, Inode};
use super::superblock::{self, Superblock};
use super::writer::{Summary, Writer};
use super::{journal, resize};
use crate::entry::Time;

impl<T: Read + Write + Seek> Writer<T> {
    /// Writes directories, the file system's own inodes and all that counts.
    pub(super) fn complete(&mut self) -> io::Result<Summary> {
        self.inodes.flush(&mut self.out)?;
        let directories = self.write_directories()?;
        self.write_links()?;
        let journal = self.write_journal()?;
        self.write_resize_inode()?;
        let descriptors = self.write_groups(&directories)?;
        let free = self.write_superblocks(&journal, &group::table(&descriptors))?;
        self.out.finish(self.options.size)?;
        Ok(Summary {
            blocks: self.geometry.blocks(),
            blocks_used: self.geometry.blocks() - free,
            inodes: self.geometry.inodes(),
            inodes_used: self.inodes.total_used(),
        })
    }

    /// Writes all directories and returns how many each group has.
    fn write_directories(&mut self) -> io::Result<Vec<u32>> {
        let mut counts = vec![0; self.geometry.groups() as usize];
        for (number, mut directory) in std::mem::take(&mut self.tree.directories) {
            let (block, bytes) = directory.close(self.seed.of_inode(number));
            self.out.write_block(block, &bytes)?;
            let mut made = Inode {
                mode: inode::DIRECTORY | directory.mode,
                uid: directory.uid,
                gid: directory.gid,
                size: directory.size(),
                links: directory.links(),
                time: directory.time,
                flags: 0,
                blocks: u64::from(directory.attribute_block != 0),
                field: [0; 60],
                attribute_block: directory.attribute_block,
                attributes: directory.attributes,
            };
            let blocks = self.take_reserved(directory.extents.tree_blocks())?;
            self.store_tree(&mut made, number, &directory.extents, &blocks)?;
            self.store_inode(number, &made)?;
            counts[((number - 1) / INODES_PER_GROUP) as usize] += 1;
        }
        Ok(counts)
    }

    /// Corrects the count of links of inodes with several names.
    fn write_links(&mut self) -> io::Result<()> {
        for (number, more) in &self.links {
            let position = self.geometry.inode_position(*number);
            let mut raw = [0; inode::LENGTH];
            self.out.read_at(position, &mut raw)?;
            inode::add_links(&mut raw, self.seed, *number, *more);
            self.out.write_at(position, &raw)?;
        }
        Ok(())
    }

    /// Writes an empty journal and returns its inode.
    fn write_journal(&mut self) -> io::Result<Inode> {
        let length = self.geometry.journal_blocks();
        let mut extents = Extents::default();
        let mut first = None;
        while extents.mapped() < length {
            let wanted = length - extents.mapped();
            let run = self.allocator.take_reserved(wanted).map_err(no_reserve)?;
            first.get_or_insert(run.start);
            extents.push(extents.mapped() as u32, run);
        }
        let mut made = self.reserved_inode(length * BLOCK_SIZE);
        let blocks = self.take_reserved(extents.tree_blocks())?;
        self.store_tree(&mut made, inode::JOURNAL, &extents, &blocks)?;
        if let Some(block) = first {
            let bytes = journal::superblock(length as u32, &self.options.uuid);
            self.out.write_block(block, &bytes)?;
        }
        self.store_inode(inode::JOURNAL, &made)?;
        Ok(made)
    }

    fn write_resize_inode(&mut self) -> io::Result<()> {
        let map = resize::map(&self.geometry, self.resize_root);
        for (block, node) in &map.nodes {
            self.out.write_block(*block, node)?;
        }
        let mut made = self.reserved_inode(resize::SIZE);
        (made.field, made.blocks) = (map.field, map.blocks);
        self.store_inode(inode::RESIZE, &made)
    }

    /// Writes all bitmaps that are needed and returns the descriptors.
    fn write_groups(&mut self, directories: &[u32]) -> io::Result<Vec<[u8; DESCRIPTOR_SIZE]>> {
        let groups = self.geometry.groups();
        let mut descriptors = Vec::with_capacity(groups as usize);
        for group in 0..groups {
            let used = self.inodes.used(group);
            let mut descriptor = Descriptor {
                block_bitmap: self.geometry.block_bitmap(group),
                inode_bitmap: self.geometry.inode_bitmap(group),
                inode_table: self.geometry.inode_table(group),
                free_blocks: self.allocator.free(group),
                free_inodes: INODES_PER_GROUP - used,
                directories: directories[group as usize],
                unused_inodes: INODES_PER_GROUP - used,
                flags: group::ZEROED,
                block_bitmap_checksum: 0,
                inode_bitmap_checksum: 0,
            };
            // The kernel makes up the bitmap of an untouched group by itself,
            // except at the end, where blocks may be missing.
            if self.allocator.is_untouched(group) && group + 1 < groups {
                descriptor.flags |= group::NO_BLOCK_BITMAP;
            } else {
                let bits = self.allocator.bitmap(group);
                descriptor.block_bitmap_checksum = crc32c(self.seed.0, &bits[..]);
                self.out.write_block(descriptor.block_bitmap, &bits[..])?;
            }
            if used == 0 {
                descriptor.flags |= group::NO_INODE_BITMAP;
            } else {
                let mut bits = vec![0; BLOCK];
                set_bits(&mut bits, 0, u64::from(used));
                let covered = INODES_PER_GROUP as usize / 8;
                descriptor.inode_bitmap_checksum = crc32c(self.seed.0, &bits[..covered]);
                bits[covered..].fill(0xff);
                self.out.write_block(descriptor.inode_bitmap, &bits)?;
            }
            descriptors.push(descriptor.encode(self.seed, group));
        }
        Ok(descriptors)
    }

    /// Writes superblocks and group descriptors with their backups; returns
    /// the number of free blocks.
    fn write_superblocks(&mut self, journal: &Inode, descriptors: &[u8]) -> io::Result<u64> {
        let free_blocks = self.geometry.capacity() - self.allocator.used();
        let superblock = Superblock {
            geometry: &self.geometry,
            uuid: &self.options.uuid,
            label: self.options.label.as_bytes(),
            hash_seed: &self.options.hash_seed,
            epoch: self.options.epoch.clamp(0, u32::MAX.into()) as u32,
            free_blocks,
            free_inodes: self.geometry.inodes() - self.inodes.total_used(),
            journal_field: &journal.field,
            journal_size: journal.size,
        };
        for group in std::iter::once(0).chain(self.geometry.backups()) {
            let start = self.geometry.start(group);
            let into = if group == 0 { superblock::POSITION } else { 0 };
            self.out.write_at(start * BLOCK_SIZE + into, &superblock.encode(group))?;
            self.out.write_at((start + 1) * BLOCK_SIZE, descriptors)?;
        }
        Ok(free_blocks)
    }

    /// Returns an inode of the file system's own, without blocks.
    fn reserved_inode(&self, size: u64) -> Inode {
        Inode {
            mode: inode::REGULAR | 0o600,
            uid: 0,
            gid: 0,
            size,
            links: 1,
            time: Time { seconds: self.options.epoch, nanos: 0 },
            flags: 0,
            blocks: 0,
            field: [0; 60],
            attribute_block: 0,
            attributes: Vec::new(),
        }
    }

    fn store_inode(&mut self, number: u32, made: &Inode) -> io::Result<()> {
        let position = self.geometry.inode_position(number);
        self.out.write_at(position, &made.encode(self.seed, number))
    }

    fn take_reserved(&mut self, count: u64) -> io::Result<Vec<u64>> {
        (0..count)
            .map(|_| self.allocator.take_reserved(1).map(|run| run.start).map_err(no_reserve))
            .collect()
    }
}

/// The blocks for the end were set aside; they cannot be missing.
fn no_reserve(_: allocate::Full) -> io::Error {
    io::Error::other("the blocks set aside for the journal and directories are gone")
}
