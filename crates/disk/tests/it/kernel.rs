//! File systems that the kernel made are read as the kernel reads them.
//!
//! `fixtures/file-systems/make` made them and listed what was in them.

use std::fmt::Write as _;
use std::io::{Cursor, Read};

use disk::{Entry, Format, Kind, Mount, ReadError, Reader, Subvolume};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use sha2::{Digest, Sha256};

use crate::support::read_data;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/file-systems");

fn image(name: &str) -> Vec<u8> {
    let packed = std::fs::read(format!("{FOLDER}/{name}.raw.zst")).unwrap();
    zstd::decode_all(&packed[..]).unwrap()
}

/// Returns the first 16 hex digits of the digest of what is read.
fn digest(input: &mut dyn Read) -> String {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let length = input.read(&mut buffer).unwrap();
        if length == 0 {
            break;
        }
        hash.update(&buffer[..length]);
    }
    let mut text = String::new();
    for byte in &hash.finalize()[..8] {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

fn line(entry: &Entry, content: &mut dyn Read) -> String {
    let path = String::from_utf8_lossy(&entry.path);
    let kind = match &entry.kind {
        Kind::Directory => "directory".to_owned(),
        Kind::File { size, .. } => format!("file {size} {}", digest(content)),
        Kind::Symlink(target) => format!("symlink {}", String::from_utf8_lossy(target)),
        Kind::HardLink(first) => format!("link {}", String::from_utf8_lossy(first)),
        Kind::CharDevice { major, minor } => format!("char {major} {minor}"),
        Kind::BlockDevice { major, minor } => format!("block {major} {minor}"),
        Kind::Fifo => "fifo".to_owned(),
        Kind::Socket => "socket".to_owned(),
    };
    let Entry { mode, uid, gid, mtime, .. } = entry;
    let mut line =
        format!("/{path} {kind} {mode:o} {uid}:{gid} {}.{:09}", mtime.seconds, mtime.nanos);
    for (name, value) in &entry.xattrs {
        let value = digest(&mut &value[..]);
        write!(line, " {}={value}", String::from_utf8_lossy(name)).unwrap();
    }
    line
}

#[track_caller]
fn check(name: &str, format: Format, mounts: &[(&str, Subvolume)]) {
    let mut reader = Reader::open(Cursor::new(image(name)), 0).unwrap();
    assert_eq!((reader.format(), reader.label().as_str()), (format, "kernel"));
    assert_eq!(reader.uuid()[..4], [0x11; 4]);
    if format == Format::Btrfs {
        assert!(!reader.has_linux().unwrap());
        assert!(reader.enter(&Subvolume::Path("root".to_owned())).unwrap());
    }
    assert!(reader.has_linux().unwrap());
    for (place, subvolume) in mounts {
        assert_eq!(reader.mount(place, subvolume).unwrap(), Mount::Done);
    }
    let mut found = Vec::new();
    reader
        .walk(|entry, content| {
            found.push(line(entry, content));
            Ok::<_, ReadError>(())
        })
        .unwrap_or_else(|error| panic!("{error}: {error:?}"));
    let expected = std::fs::read_to_string(format!("{FOLDER}/{name}.txt")).unwrap();
    let expected: Vec<&str> = expected.lines().collect();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn xfs_is_read_as_by_the_kernel() {
    check("xfs", Format::Xfs, &[]);
}

#[test]
fn btrfs_is_read_as_by_the_kernel() {
    check("btrfs", Format::Btrfs, &[("home", Subvolume::Path("/home".to_owned()))]);
}

#[test]
fn holes_are_not_read() {
    for name in ["xfs", "btrfs"] {
        let mut reader = Reader::open(Cursor::new(image(name)), 0).unwrap();
        reader.enter(&Subvolume::Path("root".to_owned())).unwrap();
        let mut found = Vec::new();
        let walked = reader.walk(|entry, content| {
            if let b"sparse" | b"reserved" = &entry.path[..] {
                let pieces = read_data(content).unwrap();
                let total: usize = pieces.iter().map(|(_, bytes)| bytes.len()).sum();
                assert!(total <= 8192, "{name}: {total}");
                for (start, bytes) in pieces {
                    let text = (start..).zip(bytes).filter(|(_, byte)| *byte != 0);
                    found.extend(text.map(|(at, byte)| (at, byte as char)));
                }
            }
            Ok::<_, ReadError>(())
        });
        walked.unwrap();
        let expected =
            (500_000..).zip("middle\n".chars()).chain((300 << 20..).zip("end\n".chars()));
        assert_eq!(found, expected.collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn extents_beyond_any_file_are_refused() {
    // In which block of the file it begins is bits 9 to 62 of an extent.
    let bits = |block: u64| (block << 9).to_be_bytes();
    let walked = |block| {
        let mut bytes = image("xfs");
        let last = bits((300 << 20) / 4096);
        // The log has it too.
        for place in bytes.chunks_exact_mut(8).filter(|place| **place == last) {
            place.copy_from_slice(&bits(block));
        }
        let mut reader = Reader::open(Cursor::new(bytes), 0).unwrap();
        reader.walk(|_, content| {
            read_data(content).unwrap();
            Ok::<_, ReadError>(())
        })
    };
    let last = (1 << 63) / 4096 - 1;
    walked(last).unwrap();
    for block in [last + 1, (1 << 54) - 1] {
        let error = walked(block).unwrap_err();
        let kind = "the file system is corrupt: its map of blocks";
        assert_eq!((error.path.as_str(), error.kind.to_string().as_str()), ("sparse", kind));
    }
}

#[test]
fn subvolumes_are_found_by_path_and_number() {
    let mut reader = Reader::open(Cursor::new(image("btrfs")), 0).unwrap();
    let path = |path: &str| Subvolume::Path(path.to_owned());
    assert!(!reader.enter(&path("root/usr")).unwrap());
    assert!(reader.enter(&path("/root")).unwrap());
    let names = ["home", "old", "root"].map(|name| (name.to_owned(), name == "root"));
    assert_eq!(reader.subvolumes().unwrap(), names);
    let mut check = |place: &str, subvolume, mount| {
        assert_eq!(reader.mount(place, &subvolume).unwrap(), mount, "{place} {subvolume:?}");
    };
    check("x", path(""), Mount::Elsewhere);
    check("x", path("root"), Mount::Elsewhere);
    check("x", path("absent"), Mount::Absent);
    check("x", Subvolume::Number(4), Mount::Absent);
    check("x", Subvolume::Number(5), Mount::Elsewhere);
    check("x", Subvolume::Number(999), Mount::Absent);
    check("home", Subvolume::Number(257), Mount::Done);
    check("again", path("home"), Mount::Elsewhere);
}

#[test]
fn a_subvolume_is_found_in_one_that_is_mounted() {
    let mut reader = Reader::open(Cursor::new(image("btrfs")), 0).unwrap();
    let path = |path: &str| Subvolume::Path(path.to_owned());
    assert!(reader.enter(&path("home")).unwrap());
    for (place, subvolume) in [("x", "root"), ("x/y", "root/nested")] {
        assert_eq!(reader.mount(place, &path(subvolume)).unwrap(), Mount::Done);
    }
    let mut found = Vec::new();
    let walked = reader.walk(|entry, _| {
        found.push(String::from_utf8(entry.path.clone()).unwrap());
        Ok::<_, ReadError>(())
    });
    walked.unwrap();
    found.retain(|path| path.ends_with("nested") || path.ends_with("y/file"));
    assert_eq!(found, ["x/y/file"]);
}

#[test]
fn a_subvolume_without_a_mount_point_is_missed() {
    let check = |place: &str, expected: Result<(), &str>| {
        let mut reader = Reader::open(Cursor::new(image("btrfs")), 0).unwrap();
        reader.enter(&Subvolume::Path("root".to_owned())).unwrap();
        reader.mount(place, &Subvolume::Path("home".to_owned())).unwrap();
        let walked = reader.walk(|_, _| Ok::<_, ReadError>(()));
        let told = walked.map_err(|error| format!("{error}: {}", error.kind));
        assert_eq!(told, expected.map_err(str::to_owned));
    };
    check("absent", Ok(()));
    check("usr/absent", Ok(()));
    let missed = "failed to read `/absent/home` from the file system: the folder it is mounted in \
                  is missing: make that, or take the line out of the disk's `/etc/fstab`";
    check("absent/home", Err(missed));
}

/// Reads all there is, whatever comes of it.
fn exhaust(input: Cursor<&[u8]>) {
    let Ok(mut reader) = Reader::open(input, 0) else { return };
    let _ = reader.has_linux();
    let _ = reader.enter(&Subvolume::Path("root".to_owned()));
    let _ = reader.subvolumes();
    let _ = reader.mount("home", &Subvolume::Path("home".to_owned()));
    let _ = reader.walk(|_, content| {
        let _ = read_data(content);
        Ok::<_, ReadError>(())
    });
}

/// Damages a file system in places that are in use, and reads it.
fn damage(name: &str) {
    let mut bytes = image(name);
    let in_use: Vec<usize> = (0..bytes.len() / 512)
        .filter(|sector| !disk::sparse::is_zero(&bytes[sector * 512..][..512]))
        .collect();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let places = (any::<prop::sample::Index>(), 0..512usize, any::<u8>());
    let damages = proptest::collection::vec(places, 1..40);
    for _ in 0..30 {
        let damage = damages.new_tree(&mut runner).unwrap().current();
        let mut before = Vec::new();
        for (sector, within, byte) in damage {
            let at = in_use[sector.index(in_use.len())] * 512 + within;
            before.push((at, bytes[at]));
            bytes[at] = byte;
        }
        exhaust(Cursor::new(&bytes));
        for (at, byte) in before.into_iter().rev() {
            bytes[at] = byte;
        }
    }
}

#[test]
fn damage_to_xfs_never_breaks_the_reader() {
    damage("xfs");
}

#[test]
fn damage_to_btrfs_never_breaks_the_reader() {
    damage("btrfs");
}
