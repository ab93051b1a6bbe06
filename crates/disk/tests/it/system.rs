//! Systems on disks as clouds have them are found, mounted and made ext4.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;

use disk::gpt::{EFI_SYSTEM, LINUX_FILE_SYSTEM, LINUX_ROOT_X86_64, Partition, Table};
use disk::system::{FindError, System, WalkError};
use disk::{Format, Kind, ReadErrorKind};
use uuid::Uuid;

use crate::support::{Image, Item, directory, file, other, run_ok, write};

const MIB: u64 = 1 << 20;

/// Makes a disk of file systems in a row, after an empty system partition.
fn disk(parts: &[&Path]) -> Image {
    let image = Image::new();
    let mut out = image.create();
    let mut partitions = Vec::new();
    let mut start = MIB;
    let mut add = |size: u64, type_guid: Uuid| {
        let number = partitions.len() as u32 + 1;
        let (first, last) = (start / 512, (start + size) / 512 - 1);
        let guid = Uuid::from_u128(number.into());
        let name = format!("part{number}");
        partitions.push(Partition { number, type_guid, guid, first, last, name, attributes: 0 });
        start += size;
        start - size
    };
    add(MIB, EFI_SYSTEM);
    for part in parts {
        let size = fs::metadata(part).unwrap().len();
        let offset = add(size, LINUX_FILE_SYSTEM);
        out.seek(SeekFrom::Start(offset)).unwrap();
        disk::sparse::copy(File::open(part).unwrap(), &mut out).unwrap();
    }
    let sectors = start / 512 + 2048;
    out.set_len(sectors * 512).unwrap();
    Table { disk_guid: Uuid::from_u128(9), sectors, partitions }.write(&out).unwrap();
    image
}

fn find(image: &Image) -> Result<System<File>, FindError> {
    let table = Table::read(image.open()).unwrap();
    System::find(&table, || File::open(image.path()))
}

/// What a system holds: links as `-> target`, folders as nothing.
type Files = BTreeMap<String, String>;

fn files(system: &mut System<File>) -> Result<(Files, Vec<String>), WalkError<io::Error>> {
    let mut files = Files::new();
    let walked = system.walk(|entry, content| {
        let mut text = Vec::new();
        match &entry.kind {
            Kind::File { .. } => drop(content.take(5000).read_to_end(&mut text)?),
            Kind::Symlink(target) => text = [b"-> ", &target[..]].concat(),
            _ => {}
        }
        let path = String::from_utf8(entry.path.clone()).unwrap();
        let before = files.insert(path.clone(), String::from_utf8_lossy(&text).into_owned());
        assert_eq!(before, None, "{path}");
        Ok(())
    })?;
    Ok((files, walked.notes))
}

/// Makes a file system of `files` with a tool of its kind.
fn make(image: &Image, kind: &str, uuid: &str, files: &[(&str, &str)]) {
    let tree = image.beside("tree");
    for (path, text) in files {
        let path = tree.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let path = image.path();
    let (path, tree) = (path.to_str().unwrap(), tree.to_str().unwrap());
    match kind {
        "ext4" => {
            run_ok(
                "mke2fs",
                &["-q", "-t", "ext4", "-U", uuid, "-L", "boot", "-d", tree, path, "32M"],
            );
        }
        "xfs" => {
            let proto = image.beside("proto");
            fs::write(&proto, format!("x\n1 1\nd--755 0 0\n{}$\n", protofile(Path::new(tree))))
                .unwrap();
            image.create().set_len(300 * MIB).unwrap();
            let uuid = format!("uuid={uuid}");
            run_ok(
                "mkfs.xfs",
                &["-q", "-m", &uuid, "-L", "/", "-p", proto.to_str().unwrap(), path],
            );
        }
        kind => {
            image.create().set_len(128 * MIB).unwrap();
            assert_eq!(kind, "btrfs");
            run_ok("mkfs.btrfs", &["-q", "-U", uuid, "--rootdir", tree, path]);
        }
    }
}

/// Describes the files below a folder to mkfs.xfs.
fn protofile(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            text += &format!("{name} d--755 0 0\n{}$\n", protofile(&path));
        } else {
            text += &format!("{name} ---644 0 0 {}\n", path.display());
        }
    }
    text
}

const UUID: &str = "11111111-2222-3333-4444-777777777777";

/// As Amazon Linux 2023 comes.
#[test]
fn a_system_on_xfs_becomes_ext4() {
    let root = Image::new();
    let options = "options root=UUID=x ro console=ttyS0 rootfstype=xfs rootflags=noquota\n";
    let table =
        format!("UUID={UUID} / xfs defaults,noatime 1 1\nUUID=AB /boot/efi vfat defaults 0 2\n");
    make(
        &root,
        "xfs",
        UUID,
        &[
            ("etc/fstab", &table),
            ("usr/lib/os-release", "ID=amzn\n"),
            ("boot/loader/entries/a.conf", options),
            ("usr/lib/modules/6.1/modules.builtin", "kernel/fs/ext4/ext4.ko\n"),
        ],
    );
    let image = disk(&[&root.path()]);
    let mut system = find(&image).unwrap();
    let volumes = system.volumes();
    assert_eq!(volumes.len(), 1);
    assert_eq!((volumes[0].offset, volumes[0].label.as_str()), (2 * MIB, "/"));
    assert_eq!(Uuid::from_bytes(volumes[0].uuid).to_string(), UUID);
    let (files, notes) = files(&mut system).unwrap();
    let expected =
        format!("UUID={UUID} / ext4 defaults,noatime 1 1\nUUID=AB /boot/efi vfat defaults 0 2\n");
    assert_eq!(files["etc/fstab"], expected);
    let options = "options root=UUID=x ro console=ttyS0 rootfstype=ext4\n";
    assert_eq!(files["boot/loader/entries/a.conf"], options);
    assert_eq!(notes, ["/ is xfs and becomes ext4"]);
}

/// Makes a Btrfs file system with the subvolumes `root` and `home`.
fn fixture(image: &Image) {
    let path = "/../../fixtures/file-systems/btrfs.raw.zst";
    let packed = fs::read(format!("{}{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    disk::sparse::copy(&zstd::decode_all(&packed[..]).unwrap()[..], image.create()).unwrap();
}

/// Makes a disk as Fedora's: subvolumes, and a /boot of its own.
fn fedora() -> Image {
    let boot = Image::new();
    let entry = "options root=UUID=x ro rootflags=subvol=root\n";
    make(
        &boot,
        "ext4",
        UUID,
        &[("loader/entries/f.conf", entry), ("grub2/grub.cfg", "insmod btrfs\n")],
    );
    let root = Image::new();
    fixture(&root);
    disk(&[&root.path(), &boot.path()])
}

#[test]
fn subvolumes_and_boot_become_one_tree() {
    let mut system = find(&fedora()).unwrap();
    let volumes = system.volumes();
    let places: Vec<_> = volumes.iter().map(|v| (v.place.as_str(), v.format)).collect();
    assert_eq!(places, [("", Format::Btrfs), ("boot", Format::Ext4)]);
    let (files, notes) = files(&mut system).unwrap();
    let expected = "UUID=11111111-2222-3333-4444-666666666666 / ext4 defaults 0 0\n\
        LABEL=boot /boot ext4 defaults 1 2\nUUID=ABCD-EF01 /boot/efi vfat umask=077 0 2\n";
    assert_eq!(files["etc/fstab"], expected);
    assert_eq!(files["boot/loader/entries/f.conf"], "options root=UUID=x ro\n");
    assert_eq!(files["boot/grub2/grub.cfg"], "insmod ext2\n");
    assert_eq!(files["home/zstd/inline"].len(), 1000);
    assert_eq!(files["nested/file"], "n\n");
    assert!(!files.contains_key("root"));
    assert_eq!(notes, ["/ is btrfs and becomes ext4"]);
}

#[test]
fn subvolumes_that_cannot_be_mounted_are_told_of() {
    let image = fedora();
    // The table lies in a node of a tree, as it is.
    let line = "/home btrfs subvol=home,compress=zstd:1";
    let mut places = Vec::new();
    let mut node = vec![0; 16 << 10];
    let file = image.open();
    for start in (0..file.metadata().unwrap().len()).step_by(node.len()) {
        let length = file.read_at(&mut node, start).unwrap();
        if node[..length].contains(&b'/') {
            let found = node.windows(line.len()).position(|bytes| bytes == line.as_bytes());
            places.extend(found.map(|at| start + at as u64));
        }
    }
    let find_with = |new: &str| {
        assert_eq!(new.len(), line.len());
        for place in &places {
            file.write_all_at(new.as_bytes(), *place).unwrap();
        }
        find(&image)
    };
    let check = |new: &str, stays: bool, expected: &[&str]| {
        let (files, notes) = files(&mut find_with(new).unwrap()).unwrap();
        assert_eq!(files["etc/fstab"].contains(new), stays, "{}", files["etc/fstab"]);
        assert_eq!(files["home"], "");
        assert_eq!(notes, [&["/ is btrfs and becomes ext4"], expected].concat());
    };
    check("/home btrfs subvol=gone,compress=zstd:1", true, &[]);
    let told = "warning: /home is empty: what was mounted there has another place";
    check("/home btrfs subvol=root,compress=zstd:1", false, &[told]);

    let error = find_with("/boot/h btrfs subvol=home,compress=zlib").err().unwrap();
    let message = "a subvolume is mounted at `/boot/h`, in the partition at `/boot`: take one of \
                   their lines out of the disk's `/etc/fstab`";
    assert_eq!(error.to_string(), message);

    let mut system = find_with("/h/home btrfs subvol=home,compress=zlib").unwrap();
    let Err(WalkError::Read(error)) = files(&mut system) else { panic!("it has no mount point") };
    assert_eq!(error.path, "h/home");
    assert!(matches!(error.kind, ReadErrorKind::NoMountPoint));
}

#[test]
fn another_partition_has_one_subvolume_mounted() {
    let (root, other) = (Image::new(), Image::new());
    fixture(&other);
    let find_with = |lines: &str| {
        let table = format!("UUID={UUID} / ext4 defaults 0 1\n{lines}");
        make(&root, "ext4", UUID, &[("etc/fstab", &table), ("etc/os-release", "ID=x\n")]);
        let image = disk(&[&root.path(), &other.path()]);
        // Linux is on both.
        let mut table = Table::read(image.open()).unwrap();
        table.partitions[1].type_guid = LINUX_ROOT_X86_64;
        table.write(image.open()).unwrap();
        find(&image)
    };
    let home = "PARTLABEL=part3 /home btrfs subvol=home 0 0\n";
    let srv = "PARTLABEL=part3 /srv btrfs subvol=root 0 0\n";
    let (files, _) = files(&mut find_with(home).unwrap()).unwrap();
    assert!(files.contains_key("home/zstd/inline") && !files.contains_key("home/home"));
    assert!(files["etc/fstab"].ends_with("PARTLABEL=part3 /home ext4 defaults 0 0\n"));

    let error = find_with(&format!("{home}{srv}")).err().unwrap();
    let message = "partition 3 is mounted at `/home` and at `/srv`, which ext4 cannot be: take one \
                   of the lines out of the disk's `/etc/fstab`";
    assert_eq!(error.to_string(), message);
    let gone = "PARTLABEL=part3 /home btrfs subvol=gone 0 0\n";
    assert_eq!(find_with(gone).unwrap().volumes().len(), 1);
}

#[test]
fn ext4_stays_as_it_is() {
    let root = Image::new();
    let table = format!("UUID={UUID} / ext4 rootflags=x,inode64 0 1\n");
    let listed = [("etc/fstab", table.as_str()), ("etc/os-release", "ID=x\n")];
    make(&root, "ext4", UUID, &listed);
    let (files, notes) = files(&mut find(&disk(&[&root.path()])).unwrap()).unwrap();
    assert_eq!(files["etc/fstab"], table);
    assert!(notes.is_empty());
}

/// What is never part of the tree does not count: devices, and what lies where
/// something else is mounted.
#[test]
fn a_walk_tells_when_the_last_change_was_made() {
    let check = |newest: &str| {
        let at = |mut item: Item, seconds| {
            item.0.mtime.seconds = if item.0.path == newest.as_bytes() { 500 } else { seconds };
            item
        };
        let (root, boot) = (Image::new(), Image::new());
        let table = "PARTLABEL=part3 /boot ext4 defaults 0 2\n";
        let items = [
            at(directory(""), 1),
            at(directory("etc"), 2),
            at(file("etc/fstab", table), 3),
            at(file("etc/os-release", "ID=x\n"), -4),
            at(other("link", Kind::Symlink(b"etc".to_vec())), 5),
            at(other("null", Kind::CharDevice { major: 1, minor: 3 }), 6000),
            at(directory("boot"), 7000),
            at(file("boot/hidden", ""), 8000),
        ];
        write(&root, 16 * MIB, &items);
        write(&boot, 16 * MIB, &[at(directory(""), 9), at(file("kernel", ""), 10)]);
        let mut system = find(&disk(&[&root.path(), &boot.path()])).unwrap();
        let walked = system.walk(|_, _| Ok::<_, io::Error>(())).unwrap();
        assert_eq!(walked.newest, if newest == "none" { 10 } else { 500 }, "{newest}");
    };
    for newest in ["none", "etc", "etc/os-release", "link", "kernel"] {
        check(newest);
    }
}

#[test]
fn kernels_without_ext4_are_refused_or_told_of() {
    let told = |module: &str| {
        let root = Image::new();
        let module = format!("lib/modules/5.14/{module}");
        make(&root, "btrfs", UUID, &[("etc/os-release", "ID=x\n"), (&module, "")]);
        files(&mut find(&disk(&[&root.path()])).unwrap()).map(|(_, notes)| notes)
    };
    let error = told("kernel/fs/xfs/xfs.ko").unwrap_err();
    assert!(matches!(error, WalkError::NoExt4(releases) if releases == ["5.14"]));
    let notes = told("kernel/fs/ext4/ext4.ko.xz").unwrap();
    assert!(notes[1].starts_with("warning: ext4 is a module of the kernels 5.14: "), "{notes:?}");
}

#[test]
fn labels_matter_where_something_is_mounted() {
    let (root, other) = (Image::new(), Image::new());
    make(&other, "btrfs", &UUID.replace('7', "8"), &[("file", "")]);
    let mut labelled = other.open();
    labelled.seek(SeekFrom::Start(0x1_012b)).unwrap();
    io::Write::write_all(&mut labelled, b"backups of last year").unwrap();
    let find_with = |line: &str| {
        let table = format!("UUID={UUID} / ext4 defaults 0 1\n{line}\n");
        make(&root, "ext4", UUID, &[("etc/fstab", &table), ("etc/os-release", "ID=x\n")]);
        find(&disk(&[&root.path(), &other.path()])).map(|system| system.volumes().len())
    };
    assert_eq!(find_with("LABEL=absent /srv ext4 defaults 0 2").unwrap(), 1);
    let error = find_with("PARTLABEL=part3 /srv btrfs defaults 0 2").unwrap_err();
    let message = "the label `backups of last year` of partition 3 is longer than 16 bytes";
    assert_eq!(error.to_string(), message);
}

#[test]
fn disks_without_a_system_say_what_is_on_them() {
    let (ext4, xfs) = (Image::new(), Image::new());
    make(&ext4, "ext4", UUID, &[("file", "")]);
    make(&xfs, "xfs", UUID, &[("file", "")]);
    // The version.
    let mut damaged = xfs.open();
    damaged.seek(SeekFrom::Start(100)).unwrap();
    io::Write::write_all(&mut damaged, &[0xb4, 0xa4]).unwrap();
    let error = find(&disk(&[&ext4.path(), &xfs.path()])).err().unwrap();
    let message = "none of its 3 partitions holds Linux; partition 3: the xfs file system is not \
                   of version 5, which cannot be read";
    assert_eq!(error.to_string(), message);
}
