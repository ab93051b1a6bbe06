//! File systems made by mke2fs, in all the ways it offers, can be read.

use std::os::unix::fs::symlink;

use disk::{Format, Kind, OpenError, ReadError, Reader};

use crate::support::{Image, noise, run_ok};

/// Makes a file system from a directory with some of everything.
fn made(arguments: &[&str], requests: &[&str]) -> Image {
    let image = Image::new();
    let tree = image.beside("tree");
    std::fs::create_dir_all(tree.join("d/e")).unwrap();
    std::fs::write(tree.join("d/file"), noise(6 << 20, 1)).unwrap();
    std::fs::write(tree.join("d/e/empty"), "").unwrap();
    std::fs::hard_link(tree.join("d/file"), tree.join("z")).unwrap();
    symlink("d/file", tree.join("short")).unwrap();
    symlink("x".repeat(90), tree.join("long")).unwrap();
    for number in 0..600 {
        std::fs::write(tree.join(format!("d/e/entry-with-a-longer-name-{number:04}")), "").unwrap();
    }
    let path = image.path();
    let path = path.to_str().unwrap();
    let tree = tree.to_str().unwrap();
    let fixed = ["-q", "-F", "-L", "made", "-d", tree];
    run_ok("mke2fs", &[&fixed, arguments, &[path, "64M"]].concat());
    if !requests.is_empty() {
        let script = image.beside("script");
        std::fs::write(&script, requests.join("\n")).unwrap();
        run_ok("debugfs", &["-w", "-f", script.to_str().unwrap(), path]);
    }
    image
}

#[track_caller]
fn check(arguments: &[&str]) {
    let image = made(
        arguments,
        &["ea_set d/file user.colour blue", "mknod pipe p", "mknod null c 1 3", "sif null uid 7"],
    );
    let mut reader = Reader::open(image.open(), 0).unwrap();
    assert_eq!(reader.label(), "made");
    let mut found = Vec::new();
    reader
        .walk(|entry, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).unwrap();
            found.push((entry.clone(), bytes));
            Ok::<_, ReadError>(())
        })
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {error:?}"));
    let get = |path: &str| {
        let found = found.iter().find(|(entry, _)| entry.path == path.as_bytes());
        found.unwrap_or_else(|| panic!("no {path}"))
    };
    assert!(get("d/file").1 == noise(6 << 20, 1));
    assert_eq!(get("d/file").0.kind, Kind::File { size: 6 << 20, dense: true });
    assert_eq!(get("d/file").0.xattrs[&b"user.colour"[..]], b"blue");
    assert_eq!(get("z").0.kind, Kind::HardLink(b"d/file".to_vec()));
    assert_eq!(get("short").0.kind, Kind::Symlink(b"d/file".to_vec()));
    assert_eq!(get("long").0.kind, Kind::Symlink(vec![b'x'; 90]));
    assert_eq!(get("pipe").0.kind, Kind::Fifo);
    assert_eq!(get("null").0.kind, Kind::CharDevice { major: 1, minor: 3 });
    assert_eq!(get("null").0.uid, 7);
    // Root, 2 directories, 601 files, file and its other name, 2 links, 2
    // devices; lost+found is empty.
    assert_eq!(found.len(), 1 + 2 + 601 + 2 + 2 + 2);
}

#[test]
fn file_systems_of_every_make() {
    check(&["-t", "ext4"]);
    check(&["-t", "ext4", "-b", "1024"]);
    check(&["-t", "ext4", "-I", "128", "-O", "^64bit,^metadata_csum"]);
    check(&["-t", "ext4", "-O", "meta_bg,^resize_inode", "-b", "1024"]);
    check(&["-t", "ext4", "-O", "bigalloc", "-C", "16384"]);
    check(&["-t", "ext4", "-O", "metadata_csum_seed,large_dir,mmp"]);
    check(&["-t", "ext3"]);
    check(&["-t", "ext3", "-b", "1024"]);
    check(&["-t", "ext2", "-b", "2048"]);
}

#[track_caller]
fn refused(image: &Image) -> OpenError {
    Reader::open(image.open(), 0).err().unwrap()
}

#[test]
fn what_cannot_be_read_is_refused() {
    let image = made(&["-t", "ext4", "-O", "inline_data"], &[]);
    let mut reader = Reader::open(image.open(), 0).unwrap();
    let error = reader.walk(|_, _| Ok::<_, ReadError>(())).unwrap_err();
    assert_eq!(error.kind.to_string(), "content inside the inode cannot be read");

    let image = made(&["-t", "ext4"], &["feature needs_recovery"]);
    assert!(matches!(refused(&image), OpenError::NotClean { format: Format::Ext4, .. }));
    let image = made(&["-t", "ext4"], &[]);
    image.open().set_len(32 << 20).unwrap();
    assert!(matches!(refused(&image), OpenError::Truncated { .. }));
    image.open().set_len(100).unwrap();
    assert!(matches!(refused(&image), OpenError::Unknown));
    image.create().set_len(1 << 20).unwrap();
    assert!(matches!(refused(&image), OpenError::Unknown));
}
