//! A file of a tree as a file system's entry, and back.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::Path;

use disk::{Entry, Kind, Time};

/// Attributes that say how layers overlap; they are not the file's own.
const OVERLAY: &[u8] = b"user.overlay.";

/// How the first page of a swap file ends (mkswap(8)), and its length.
const SWAP: [u8; 10] = *b"SWAPSPACE2";
const PAGE: u64 = 4096;
/// The least that mkswap(8) accepts, in bytes.
const SWAP_LEAST: u64 = 10 * PAGE;

/// Returns the entry for the file at `full`, which is `path` in the tree.
///
/// Nothing is younger than `epoch`: what a build writes would otherwise tell
/// its hour.
pub(super) fn entry(full: &Path, path: &Path, meta: &Metadata, epoch: i64) -> io::Result<Entry> {
    let kind = kind(full, meta)?;
    let time = if meta.mtime() >= epoch {
        Time { seconds: epoch, nanos: 0 }
    } else {
        Time { seconds: meta.mtime(), nanos: meta.mtime_nsec() as u32 }
    };
    Ok(Entry {
        path: path.as_os_str().as_bytes().to_vec(),
        kind,
        mode: (meta.mode() & 0o7777) as u16,
        uid: meta.uid(),
        gid: meta.gid(),
        mtime: time,
        xattrs: xattrs(full)?,
    })
}

fn kind(full: &Path, meta: &Metadata) -> io::Result<Kind> {
    let file = meta.file_type();
    let (major, minor) = (rustix::fs::major(meta.rdev()), rustix::fs::minor(meta.rdev()));
    Ok(if file.is_dir() {
        Kind::Directory
    } else if file.is_symlink() {
        Kind::Symlink(fs::read_link(full)?.into_os_string().into_vec())
    } else if file.is_char_device() {
        Kind::CharDevice { major, minor }
    } else if file.is_block_device() {
        Kind::BlockDevice { major, minor }
    } else if file.is_fifo() {
        Kind::Fifo
    } else if file.is_socket() {
        Kind::Socket
    } else {
        Kind::File { size: meta.len(), dense: is_swap(full, meta.len())? }
    })
}

/// Says whether a file is one to swap to, which must not have holes though
/// most of it is zero. The blocks that it has here would tell no more: a file
/// system that compresses keeps none for zeros.
fn is_swap(full: &Path, length: u64) -> io::Result<bool> {
    if length < SWAP_LEAST {
        return Ok(false);
    }
    let mut signature = [0; SWAP.len()];
    fs::File::open(full)?.read_exact_at(&mut signature, PAGE - SWAP.len() as u64)?;
    Ok(signature == SWAP)
}

fn xattrs(full: &Path) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let names = sized(|buffer| rustix::fs::llistxattr(full, buffer))?;
    let mut found = BTreeMap::new();
    for name in names.split(|byte| *byte == 0) {
        if name.is_empty() || name.starts_with(OVERLAY) {
            continue;
        }
        let value = sized(|buffer| rustix::fs::lgetxattr(full, name, buffer))?;
        found.insert(name.to_vec(), value);
    }
    Ok(found)
}

/// Calls a function that fills a buffer, with a buffer that is large enough.
fn sized(fill: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; fill(&mut [])?];
    let n = if buffer.is_empty() { 0 } else { fill(&mut buffer)? };
    buffer.truncate(n);
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_files_have_no_holes_whatever_their_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let check = |write: &dyn Fn(&fs::File), dense: bool| {
            let file = fs::File::create(&path).unwrap();
            write(&file);
            let meta = fs::symlink_metadata(&path).unwrap();
            let kind = entry(&path, Path::new("file"), &meta, 0).unwrap().kind;
            assert_eq!(kind, Kind::File { size: meta.len(), dense });
        };
        let signed = |file: &fs::File| file.write_all_at(&SWAP, 4086).unwrap();
        check(&|file| (file.set_len(SWAP_LEAST).unwrap(), signed(file)).1, true);
        check(&|file| (file.set_len(SWAP_LEAST - 1).unwrap(), signed(file)).1, false);
        check(&|file| file.write_all_at(&[0; SWAP_LEAST as usize], 0).unwrap(), false);
        check(&|file| file.write_all_at(b"text", 0).unwrap(), false);
    }
}
