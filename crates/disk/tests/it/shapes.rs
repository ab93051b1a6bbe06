//! Every shape of file system that is written must satisfy e2fsck, and debugfs
//! must find in it what was put there.

use disk::Kind;

use crate::support::{Image, Item, debugfs, directory, file, fsck, noise, other, run_ok, write};

const SIZE: u64 = 64 << 20;

#[track_caller]
fn check(items: &[Item]) -> Image {
    let image = Image::new();
    write(&image, SIZE, items);
    fsck(&image.path());
    image
}

#[test]
fn an_empty_file_system() {
    let image = Image::new();
    for size in [16 << 20, 128 << 20, (128 << 20) + 4096, 300 << 20, 2 << 30, 40 << 30, 3 << 40] {
        let summary = write(&image, size, &[]);
        fsck(&image.path());
        assert_eq!(image.open().metadata().unwrap().len(), size);
        assert_eq!(summary.inodes_used, 11);
    }
}

#[test]
fn files_around_a_block() {
    let sizes = [0, 1, 4095, 4096, 4097, 8192, 1 << 20, (1 << 20) + 1, 3_000_000];
    let items: Vec<Item> =
        sizes.iter().map(|size| file(&format!("f{size}"), noise(*size, 1))).collect();
    let image = check(&items);
    let out = image.beside("out");
    std::fs::create_dir(&out).unwrap();
    debugfs(&image.path(), &format!("rdump / {}", out.display()));
    for (entry, content) in &items {
        let name = String::from_utf8(entry.path.clone()).unwrap();
        assert_eq!(std::fs::read(out.join(&name)).unwrap(), *content, "{name}");
    }
}

/// One block in two is a hole, so that extents cannot be joined.
fn comb(teeth: usize) -> Vec<u8> {
    let mut content = vec![0; teeth * 8192];
    for tooth in 0..teeth {
        content[tooth * 8192] = 1 + (tooth % 255) as u8;
    }
    content
}

#[test]
fn extent_trees_of_every_depth() {
    for teeth in [4, 5, 340, 341, 1360, 1361, 2000] {
        let content = comb(teeth);
        let image = check(&[file("comb", content.clone())]);
        let out = image.beside("comb");
        debugfs(&image.path(), &format!("dump comb {}", out.display()));
        assert!(std::fs::read(&out).unwrap() == content, "{teeth}");
    }
}

#[test]
fn a_file_across_groups() {
    let image = Image::new();
    let content = noise(150 << 20, 2);
    write(&image, 400 << 20, &[file("large", content.clone())]);
    fsck(&image.path());
    let out = image.beside("large");
    debugfs(&image.path(), &format!("dump large {}", out.display()));
    assert!(std::fs::read(&out).unwrap() == content);
}

#[test]
fn many_entries_in_a_directory() {
    let mut items = vec![directory("many")];
    items.extend((0..5000).map(|number| file(&format!("many/entry-{number:05}"), "")));
    let image = check(&items);
    let listing = debugfs(&image.path(), "ls -p many");
    assert_eq!(listing.lines().filter(|line| line.contains("/entry-")).count(), 5000);
}

#[test]
fn long_names_and_deep_paths() {
    let long = "n".repeat(255);
    let mut items = vec![file(&long, "long")];
    let mut path = String::new();
    for depth in 0..200 {
        path += if depth == 0 { "d" } else { "/d" };
        items.push(directory(&path));
    }
    items.extend((0..100).map(|number| file(&format!("{path}/{number:0255}"), "deep")));
    let image = check(&items);
    assert_eq!(debugfs(&image.path(), &format!("cat {path}/{:0255}", 99)), "deep");
}

#[test]
fn hard_links_are_counted() {
    let mut items = vec![directory("d"), file("d/one", "shared")];
    items.extend((0..300).map(|n| other(&format!("l{n}"), Kind::HardLink(b"d/one".to_vec()))));
    items.push(other("fifo", Kind::Fifo));
    items.push(other("d/fifo", Kind::HardLink(b"fifo".to_vec())));
    let image = check(&items);
    assert!(debugfs(&image.path(), "stat l7").contains("Links: 301 "));
    assert_eq!(debugfs(&image.path(), "cat l299"), "shared");
}

#[test]
fn symbolic_links_of_every_length() {
    let lengths = [1, 59, 60, 61, 4095];
    let items: Vec<Item> = lengths
        .iter()
        .map(|length| other(&format!("l{length}"), Kind::Symlink(vec![b'x'; *length])))
        .collect();
    let image = check(&items);
    assert!(debugfs(&image.path(), "stat l59").contains("Fast link dest"));
    assert_eq!(debugfs(&image.path(), "cat l60"), "x".repeat(60));
}

#[test]
fn devices_and_owners_and_times() {
    let mut items = vec![
        other("null", Kind::CharDevice { major: 1, minor: 3 }),
        other("wide", Kind::BlockDevice { major: 259, minor: 70_000 }),
        other("whiteout", Kind::CharDevice { major: 0, minor: 0 }),
        other("fifo", Kind::Fifo),
        other("socket", Kind::Socket),
    ];
    for (item, seconds) in items.iter_mut().zip([-1, i64::from(i32::MAX) + 1, 1 << 33, 0, 5]) {
        item.0.uid = 100_000;
        item.0.gid = 70_000;
        item.0.mode = 0o7777;
        item.0.mtime.seconds = seconds;
        item.0.mtime.nanos = 123_456_789;
    }
    let image = check(&items);
    let check = |name: &str, expected: &[&str]| {
        let stat = debugfs(&image.path(), &format!("stat {name}"));
        for text in expected {
            assert!(stat.contains(text), "{name}: no `{text}` in\n{stat}");
        }
    };
    let owner = ["User: 100000", "Group: 70000 ", "Mode:  07777"];
    check("null", &owner);
    check("null", &["Type: character special", "number: 01:03 ", "mtime: 0xffffffff:1d6f3454"]);
    check("wide", &["Type: block special", "259:70000", "mtime: 0x80000000:1d6f3455"]);
    check("whiteout", &["mtime: 0x00000000:1d6f3456"]);
    check("fifo", &["Type: FIFO"]);
    check("socket", &["Type: socket"]);
}

#[test]
fn attributes_in_the_inode_and_a_block() {
    let mut list = vec![2, 0, 0, 0];
    for (tag, permissions, id) in [
        (1u16, 6u16, u32::MAX),
        (2, 4, 1000),
        (4, 4, u32::MAX),
        (16, 4, u32::MAX),
        (32, 0, u32::MAX),
    ] {
        list.extend(tag.to_le_bytes());
        list.extend(permissions.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut items = vec![
        file("ping", "x"),
        directory("shared"),
        other("link", Kind::Symlink(b"ping".to_vec())),
        file("many", "y"),
    ];
    let mut add = |item: usize, name: &str, value: &[u8]| {
        items[item].0.xattrs.insert(name.into(), value.into());
    };
    add(0, "security.capability", &capability);
    add(1, "system.posix_acl_default", &list);
    add(1, "system.posix_acl_access", &list);
    add(2, "trusted.overlay.opaque", b"y");
    for number in 0..60 {
        add(3, &format!("user.a{number}"), &[b'v'; 37]);
    }
    let image = check(&items);
    assert!(debugfs(&image.path(), "ea_list ping").contains("security.capability (20)"));
    let shared = debugfs(&image.path(), "ea_list shared");
    assert!(shared.contains("system.posix_acl_access") && shared.contains("posix_acl_default"));
    let value = format!("user.a59 (37) = \"{}\"\n", "v".repeat(37));
    assert_eq!(debugfs(&image.path(), "ea_get many user.a59").trim_end(), value.trim_end());
}

#[test]
fn dense_files_have_all_their_blocks() {
    let mut items = vec![file("sparse", vec![0; 1 << 20]), file("swap", vec![0; 1 << 20])];
    items[1].0.kind = Kind::File { size: 1 << 20, dense: true };
    let image = check(&items);
    assert!(debugfs(&image.path(), "stat sparse").contains("Blockcount: 0\n"));
    assert!(debugfs(&image.path(), "stat swap").contains("Blockcount: 2048\n"));
    assert_eq!(debugfs(&image.path(), "ex swap").lines().count(), 2);
}

#[test]
fn the_root_and_lost_and_found_can_be_described() {
    let mut items = vec![directory(""), directory("lost+found"), file("lost+found/#12", "found")];
    items[0].0.mode = 0o711;
    items[1].0.uid = 5;
    let image = check(&items);
    assert!(debugfs(&image.path(), "stat <2>").contains("Mode:  0711"));
    assert!(debugfs(&image.path(), "stat lost+found").contains("User:     5"));
}

#[test]
fn it_grows_without_being_mounted() {
    for (from, to) in [(64, "3G"), (1000, "20G"), (3000, "1T")] {
        let image = Image::new();
        write(&image, from << 20, &[directory("d"), file("d/f", noise(1 << 20, 3))]);
        let path = image.path();
        run_ok("resize2fs", &[path.as_os_str(), to.as_ref()]);
        fsck(&path);
        assert!(debugfs(&path, "stat d/f").contains("Size: 1048576"));
    }
}

#[test]
fn superblock_is_as_mke2fs_would_have_it() {
    let image = Image::new();
    write(&image, 2 << 30, &[]);
    let shown = run_ok("dumpe2fs", &["-h".as_ref(), image.path().as_os_str()]);
    for line in [
        "Filesystem volume name:   root",
        "Filesystem features:      has_journal ext_attr resize_inode dir_index filetype extent \
         64bit sparse_super large_file huge_file dir_nlink extra_isize metadata_csum",
        "Inode count:              131072",
        "Block count:              524288",
        "Free blocks:              498132",
        "Free inodes:              131061",
        "Reserved GDT blocks:      255",
        "Total journal blocks:     16384",
        "Journal backup:           inode blocks",
        "Default mount options:    user_xattr acl",
    ] {
        assert!(shown.contains(line), "no `{line}` in\n{shown}");
    }
}
