//! Equal entries give equal bytes, and file systems that begin alike share
//! what they have in common.

use std::io::Read;

use disk::Kind;
use disk::ext4::{AddErrorKind, MINIMUM_SIZE, NewError, Options, Writer, minimum_size};

use crate::support::{Image, Item, directory, entry, file, fsck, noise, options, other, write};

fn tree(directories: usize) -> Vec<Item> {
    let mut items = Vec::new();
    for number in 0..directories {
        items.push(directory(&format!("d{number:03}")));
        for inner in 0..8 {
            let content = noise(inner * 9000, (number * 8 + inner) as u64);
            items.push(file(&format!("d{number:03}/f{inner}"), content));
        }
    }
    items
}

fn bytes(image: &Image) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.open().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn same_entries_same_bytes() {
    let (one, two) = (Image::new(), Image::new());
    write(&one, 64 << 20, &tree(20));
    write(&two, 64 << 20, &tree(20));
    assert!(bytes(&one) == bytes(&two));
}

/// Later entries must not move or change the content of earlier ones, and
/// change few of the 512 KiB blocks that snapshots are made of.
#[test]
fn a_common_beginning_is_shared() {
    const BLOCK: usize = 512 << 10;
    let (base, layered) = (Image::new(), Image::new());
    let mut items = tree(100);
    write(&base, 128 << 20, &items);
    for number in 0..100 {
        items.push(file(&format!("d{number:03}/new"), "small"));
    }
    write(&layered, 128 << 20, &items);
    fsck(&layered.path());
    let (base, layered) = (bytes(&base), bytes(&layered));
    let in_use = base.chunks(BLOCK).filter(|block| !disk::sparse::is_zero(block)).count();
    let changed = base.chunks(BLOCK).zip(layered.chunks(BLOCK)).filter(|(a, b)| a != b).count();
    // Superblock, bitmaps and inodes, directories, the end of the content,
    // the journal that follows it.
    assert!(changed <= 7, "{changed} of {in_use} blocks changed");
    assert!(in_use > 50, "{in_use}");
}

/// Where content lies does not depend on the size of the file system.
#[test]
fn sizes_share_content() {
    let (small, large) = (Image::new(), Image::new());
    write(&small, 64 << 20, &tree(20));
    write(&large, 256 << 20, &tree(20));
    let content = 771 * 4096..771 * 4096 + (4 << 20);
    assert!(bytes(&small)[content.clone()] == bytes(&large)[content]);
}

#[test]
fn the_estimated_size_is_enough() {
    for directories in [0, 3, 40] {
        let items = tree(directories);
        let blocks = items.iter().map(|(entry, content)| {
            let directory = u64::from(entry.kind == Kind::Directory);
            directory + content.len().div_ceil(4096) as u64
        });
        let size = minimum_size(blocks.sum(), items.len() as u64).unwrap();
        let image = Image::new();
        write(&image, size, &items);
        fsck(&image.path());
    }
}

#[track_caller]
fn refused(items: &[Item]) -> (String, AddErrorKind) {
    let mut writer = Writer::new(Image::new().create(), 0, options(MINIMUM_SIZE)).unwrap();
    for (entry, content) in items {
        if let Err(error) = writer.add(entry, &mut &content[..]) {
            return (error.path, error.kind);
        }
    }
    panic!("nothing was refused");
}

#[test]
fn wrong_entries_are_named() {
    #[track_caller]
    fn check(items: &[Item], path: &str, message: &str) {
        let (at, kind) = refused(items);
        assert_eq!((at.as_str(), kind.to_string().as_str()), (path, message));
    }
    let malformed = "the path has an empty, `.`, `..` or longer than 255 bytes component";
    for path in ["/a", "a/", "a//b", ".", "..", "a/../b", &"x".repeat(256)] {
        check(&[file("a", ""), file(path, "")], path, malformed);
    }
    check(&[file("a/b", "")], "a/b", "its parent directory was not added before it");
    check(&[file("a", ""), file("a/b", "")], "a/b", "its parent is not a directory");
    check(&[file("a", ""), file("a", "")], "a", "there is such an entry already");
    check(&[directory(""), directory("")], "", "there is such an entry already");
    check(&[file("", "")], "", "it can only be a directory");
    check(&[file("lost+found", "")], "lost+found", "it can only be a directory");
    let link = |target: &str| other("l", Kind::HardLink(target.into()));
    check(&[link("x")], "l", "the target `/x` of the hard link was not added before it");
    check(&[directory("d"), link("d")], "l", "the target `/d` of the hard link is a directory");
    let symlink = |length| other("s", Kind::Symlink(vec![b'x'; length]));
    for length in [0, 4096] {
        let message = format!("a link's target has 1 to 4095 bytes without NUL, not {length}");
        check(&[symlink(length)], "s", &message);
    }
    let device = other("c", Kind::CharDevice { major: 4096, minor: 0 });
    check(&[device], "c", "there is no device 4096:0");
    let short = (entry("f", Kind::File { size: 9, dense: false }), vec![1; 5]);
    check(&[short], "f", "its content ended after 5 of 9 bytes");
    let mut odd = file("f", "");
    odd.0.xattrs.insert(b"odd".to_vec(), Vec::new());
    check(&[odd], "f", "ext4 has no attributes named `odd`");
}

#[test]
fn a_full_file_system_says_so() {
    let (path, kind) = refused(&[file("big", noise(20 << 20, 1))]);
    assert_eq!(path, "big");
    assert!(matches!(kind, AddErrorKind::OutOfSpace { size: MINIMUM_SIZE }), "{kind}");

    let many: Vec<Item> = (0..9000).map(|n| other(&format!("s{n}"), Kind::Socket)).collect();
    let (path, kind) = refused(&many);
    assert_eq!(path, "s8181");
    assert_eq!(kind.to_string(), "all 8192 inodes are in use");
}

/// Filled to the last block, it must still have what `finish` needs.
#[test]
fn a_file_system_can_be_filled_up() {
    let image = Image::new();
    let mut writer = Writer::new(image.create(), 0, options(MINIMUM_SIZE)).unwrap();
    let add = |writer: &mut Writer<_>, (entry, content): Item| {
        writer.add(&entry, &mut &content[..]).is_ok()
    };
    // Directories whose blocks alternate need extent trees.
    let long = "n".repeat(240);
    for name in ["a", "b"] {
        assert!(add(&mut writer, directory(name)));
    }
    for number in 0..400 {
        for name in ["a", "b"] {
            assert!(add(&mut writer, file(&format!("{name}/{long}{number}"), "")));
        }
    }
    let mut number = 0;
    while add(&mut writer, file(&format!("f{number}"), noise(4096, 1))) {
        number += 1;
    }
    assert!(number > 1000, "{number}");
    // The entry that was refused took an inode, which `finish` leaves empty;
    // such a file system is not for use.
    let summary = writer.finish().unwrap();
    assert!(summary.blocks - summary.blocks_used < 200, "{summary:?}");
}

#[test]
fn wrong_options_are_refused() {
    let check = |options: Options, message: &str| {
        let error = Writer::new(Image::new().create(), 0, options).err().unwrap();
        let source = match &error {
            NewError::Size(source) => source.to_string(),
            NewError::Label { .. } | NewError::Begin(_) => error.to_string(),
        };
        assert_eq!(source, message);
    };
    check(options(4096), "4096 bytes are fewer than 16777216");
    check(options((16 << 20) + 1), "16777217 bytes are not a multiple of 4096");
    let label = "x".repeat(17);
    let message = format!("the label `{label}` is longer than 16 bytes");
    check(Options { label, ..options(MINIMUM_SIZE) }, &message);
}
