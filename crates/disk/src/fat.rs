//! FAT file systems made from a list of files: an EFI system partition, a
//! seed disk for cloud-init.
//!
//! Deterministic: files lie in a row in the order they are given, and every
//! time is the first one FAT can express. Section numbers are those of the
//! Microsoft FAT specification of 2005. Nothing is read back or changed.

mod geometry;
mod name;
mod tree;

use std::io::{self, Seek, SeekFrom, Write};

use crate::bytes::{put, put_u16, put_u32};
use geometry::{Geometry, SECTOR, Type};
use tree::{Content, Tree};

pub use tree::PathError;

const LABEL_LENGTH: usize = 11;
/// The attribute of the entry that holds the label.
const VOLUME_LABEL: u8 = 0x08;
/// Where FAT32 keeps its count of free clusters, and the backups of that and
/// of the boot sector, in sectors.
const INFO_SECTOR: u64 = 1;
const BACKUP_SECTOR: u64 = 6;

/// What a volume is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// In bytes, a multiple of 512.
    pub size: u64,
    /// How wide the entries of its table are.
    pub width: Width,
    /// 1 to 11 upper-case ASCII letters, digits, spaces, `-` and `_`.
    pub label: String,
    /// The serial number.
    pub id: u32,
}

/// The kinds of FAT; the size of a volume decides what is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// FAT12 or FAT16, whichever suits the size: below 2 GiB.
    Narrow,
    /// FAT32: 33 MiB and more, as firmware expects of a system partition.
    Fat32,
}

/// A file and where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File<'a> {
    /// Relative, with slashes; directories are made as needed.
    pub path: &'a str,
    /// The whole content.
    pub content: &'a [u8],
}

/// A volume cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The label cannot be expressed.
    #[error("`{label}` is not a FAT label: 1 to {LABEL_LENGTH} upper-case ASCII characters")]
    Label {
        /// The label asked for.
        label: String,
    },
    /// A volume of this size and width does not exist.
    #[error("a FAT volume of this width cannot have {size} bytes")]
    Size {
        /// The size asked for, in bytes.
        size: u64,
    },
    /// A file cannot have its path.
    #[error("failed to add `{path}` to the FAT volume")]
    Path {
        /// The file's path.
        path: String,
        /// What is wrong with it.
        #[source]
        source: PathError,
    },
    /// The files do not fit.
    #[error("the files need {needed} bytes, but the FAT volume has room for {room}")]
    OutOfSpace {
        /// What files and directories take up, in bytes.
        needed: u64,
        /// What there is, in bytes.
        room: u64,
    },
    /// The output failed.
    #[error("failed to write the FAT volume")]
    Write(#[source] io::Error),
}

/// Writes a volume with `files` at byte `offset` of `out`.
///
/// The output must be zero, or not there yet, wherever the volume goes.
pub fn write(
    out: impl Write + Seek,
    offset: u64,
    volume: &Volume,
    files: &[File<'_>],
) -> Result<(), WriteError> {
    let size = volume.size;
    let geometry = Geometry::new(size, volume.width).ok_or(WriteError::Size { size })?;
    let label = padded_label(&volume.label)?;
    let mut tree = Tree::new(geometry);
    for file in files {
        tree.add(file.path, file.content)
            .map_err(|source| WriteError::Path { path: file.path.to_owned(), source })?;
    }
    let used = tree.place();
    if used > geometry.clusters {
        let bytes = |clusters| u64::from(clusters) * geometry.cluster_size();
        return Err(WriteError::OutOfSpace { needed: bytes(used), room: bytes(geometry.clusters) });
    }
    let mut target = Target { out, offset };
    write_all(&mut target, volume, geometry, label, &tree, used).map_err(WriteError::Write)
}

fn write_all(
    target: &mut Target<impl Write + Seek>,
    volume: &Volume,
    geometry: Geometry,
    label: [u8; LABEL_LENGTH],
    tree: &Tree<'_>,
    used: u32,
) -> io::Result<()> {
    let boot = boot_sector(volume, &geometry, &label);
    target.write(0, &boot)?;
    if geometry.kind == Type::Fat32 {
        let info = info_sector(geometry.clusters - used, 2 + used);
        target.write(INFO_SECTOR * SECTOR, &info)?;
        target.write(BACKUP_SECTOR * SECTOR, &boot)?;
        target.write((BACKUP_SECTOR + INFO_SECTOR) * SECTOR, &info)?;
    }
    let table = tree.table();
    for copy in 0..geometry::COPIES {
        let sector = geometry.reserved + copy * geometry.table_sectors;
        target.write(sector * SECTOR, &table)?;
    }
    let mut first = [0; 32];
    put(&mut first, 0, &label);
    first[11] = VOLUME_LABEL;
    tree.stamp(&mut first);
    tree.visit(&mut |position, content| match content {
        Content::Root(entries) => target.write(position, &[&first[..], entries].concat()),
        Content::Directory(entries) => target.write(position, entries),
        Content::File(bytes) => target.write(position, bytes),
    })?;
    target.extend(volume.size)
}

/// Returns the boot sector (section 3).
fn boot_sector(volume: &Volume, geometry: &Geometry, label: &[u8; LABEL_LENGTH]) -> Vec<u8> {
    let mut raw = vec![0; SECTOR as usize];
    let wide = geometry.kind == Type::Fat32;
    // A jump over the parameters, to an endless loop: nobody boots this.
    put(&mut raw, 0, if wide { &[0xeb, 0x58, 0x90] } else { &[0xeb, 0x3c, 0x90] });
    put(&mut raw, 3, b"mkfs.fat");
    put_u16(&mut raw, 11, SECTOR as u16);
    raw[13] = geometry.cluster_sectors;
    put_u16(&mut raw, 14, geometry.reserved as u16);
    raw[16] = geometry::COPIES as u8;
    put_u16(&mut raw, 17, geometry.root_entries());
    let sectors = (volume.size / SECTOR) as u32;
    match u16::try_from(sectors) {
        Ok(sectors) if !wide => put_u16(&mut raw, 19, sectors),
        Ok(_) | Err(_) => put_u32(&mut raw, 32, sectors),
    }
    // A hard disk with a made-up shape.
    raw[21] = 0xf8;
    put_u16(&mut raw, 24, 32);
    put_u16(&mut raw, 26, 64);
    let rest = if wide {
        put_u32(&mut raw, 36, geometry.table_sectors as u32);
        put_u32(&mut raw, 44, 2);
        put_u16(&mut raw, 48, INFO_SECTOR as u16);
        put_u16(&mut raw, 50, BACKUP_SECTOR as u16);
        64
    } else {
        put_u16(&mut raw, 22, geometry.table_sectors as u16);
        36
    };
    raw[rest] = 0x80;
    raw[rest + 2] = 0x29;
    put_u32(&mut raw, rest + 3, volume.id);
    put(&mut raw, rest + 7, label);
    put(&mut raw, rest + 18, geometry.kind.name());
    put(&mut raw, rest + 26, &[0xeb, 0xfe]);
    put(&mut raw, 510, &[0x55, 0xaa]);
    raw
}

/// Returns FAT32's count of free clusters (section 5).
fn info_sector(free: u32, next: u32) -> Vec<u8> {
    let mut raw = vec![0; SECTOR as usize];
    put(&mut raw, 0, b"RRaA");
    put(&mut raw, 484, b"rrAa");
    put_u32(&mut raw, 488, free);
    put_u32(&mut raw, 492, next);
    put(&mut raw, 510, &[0x55, 0xaa]);
    raw
}

fn padded_label(label: &str) -> Result<[u8; LABEL_LENGTH], WriteError> {
    let fits = |byte: &u8| matches!(byte, b' ' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z');
    let bytes = label.as_bytes();
    if bytes.is_empty() || bytes.len() > LABEL_LENGTH || !bytes.iter().all(fits) {
        return Err(WriteError::Label { label: label.to_owned() });
    }
    let mut padded = [b' '; LABEL_LENGTH];
    padded[..bytes.len()].copy_from_slice(bytes);
    Ok(padded)
}

/// The output, addressed from the volume's start.
struct Target<T> {
    out: T,
    offset: u64,
}

impl<T: Write + Seek> Target<T> {
    fn write(&mut self, position: u64, bytes: &[u8]) -> io::Result<()> {
        self.out.seek(SeekFrom::Start(self.offset + position))?;
        self.out.write_all(bytes)
    }

    /// Makes the output at least long enough for a volume of `size` bytes.
    fn extend(&mut self, size: u64) -> io::Result<()> {
        if self.out.seek(SeekFrom::End(0))? < self.offset + size {
            self.write(size - 1, &[0])?;
        }
        self.out.flush()
    }
}
