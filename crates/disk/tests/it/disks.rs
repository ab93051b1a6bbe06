//! Partition tables and FAT volumes, judged by util-linux and dosfstools, and
//! read back by others' libraries.

use std::io::{Cursor, Read};

use disk::fat::{self, File, PathError, Volume, Width};
use disk::gpt::Table;
use disk::layout::Layout;
use uuid::Uuid;

use crate::support::{Image, noise, run_ok};

#[test]
fn sfdisk_accepts_the_table() {
    let layout = Layout {
        disk_guid: Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff),
        esp_guid: Uuid::from_u128(1),
        root_guid: Uuid::from_u128(2),
        esp_size: 64 << 20,
        root_size: 1 << 30,
    };
    let image = Image::new();
    layout.table().write(image.create()).unwrap();
    let path = image.path();
    run_ok("sfdisk", &["--verify".as_ref(), path.as_os_str()]);
    let dump = run_ok("sfdisk", &["-d".as_ref(), path.as_os_str()]);
    let dump = dump.replace(path.to_str().unwrap(), "disk").replace(' ', "");
    let expected = "label:gpt\n\
        label-id:00112233-4455-6677-8899-AABBCCDDEEFF\n\
        device:disk\n\
        unit:sectors\n\
        first-lba:34\n\
        last-lba:2232286\n\
        sector-size:512\n\
        \n\
        disk1:start=2048,size=131072,type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B,\
        uuid=00000000-0000-0000-0000-000000000001,name=\"esp\"\n\
        disk2:start=133120,size=2097152,type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709,\
        uuid=00000000-0000-0000-0000-000000000002,name=\"root\",attrs=\"GUID:59\"\n";
    assert_eq!(dump, expected);
    assert_eq!(Table::read(image.open()).unwrap(), layout.table());
}

/// Returns a disk with an ESP and a Linux partition, made by sfdisk.
fn partitioned() -> Image {
    let image = Image::new();
    image.create().set_len(64 << 20).unwrap();
    let script = image.beside("script");
    std::fs::write(&script, "label: gpt\nsize=8MiB, type=U, name=esp\ntype=L\n").unwrap();
    let shell = format!("sfdisk -q {} < {}", image.path().display(), script.display());
    run_ok("sh", &["-c", &shell]);
    image
}

#[test]
fn sfdisk_accepts_an_enlarged_table() {
    let image = partitioned();
    let table = Table::read(image.open()).unwrap();
    let enlarged = table.enlarged(3 << 30, table.partitions[1].offset());
    image.open().set_len(3 << 30).unwrap();
    enlarged.rewrite(image.open()).unwrap();
    let judged = run_ok("sfdisk", &["--verify".as_ref(), image.path().as_os_str()]);
    assert!(judged.contains("No errors detected."), "{judged}");
    let listed = run_ok("sfdisk", &["-l".as_ref(), image.path().as_os_str()]);
    assert!(listed.contains(" 18432 6289407 6270976 "), "{listed}");
}

#[test]
fn a_table_by_sfdisk_is_read() {
    let image = partitioned();
    let table = Table::read(image.open()).unwrap();
    assert_eq!(table.partitions.len(), 2);
    assert_eq!(table.partitions[0].type_guid, disk::gpt::EFI_SYSTEM);
    assert_eq!((table.partitions[0].offset(), table.partitions[0].size()), (1 << 20, 8 << 20));
    assert_eq!(table.partitions[0].name, "esp");
    assert_eq!(table.partitions[1].type_guid, disk::gpt::LINUX_FILE_SYSTEM);
}

fn read_file(image: &Image, path: &str) -> Vec<u8> {
    let volume = fatfs::FileSystem::new(image.open(), fatfs::FsOptions::new()).unwrap();
    let mut bytes = Vec::new();
    volume.root_dir().open_file(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[track_caller]
fn check(volume: &Volume, files: &[File<'_>]) -> Image {
    let image = Image::new();
    fat::write(image.create(), 0, volume, files).unwrap();
    assert_eq!(image.open().metadata().unwrap().len(), volume.size);
    let judged = run_ok("fsck.vfat", &["-n".as_ref(), image.path().as_os_str()]);
    assert!(!judged.contains("uninitialized") && !judged.contains("differ"), "{judged}");
    for file in files {
        assert!(read_file(&image, file.path) == file.content, "{}", file.path);
    }
    image
}

#[test]
fn a_system_partition() {
    let kernel = noise(5 << 20, 1);
    let files = [
        File { path: "EFI/BOOT/BOOTX64.EFI", content: &kernel },
        File { path: "EFI/debian/grub.cfg", content: b"configfile\n" },
        File { path: "EFI/empty", content: b"" },
    ];
    let volume =
        Volume { size: 64 << 20, width: Width::Fat32, label: "ESP".to_owned(), id: 0x1234_abcd };
    let image = check(&volume, &files);
    let again = check(&volume, &files);
    assert!(std::fs::read(image.path()).unwrap() == std::fs::read(again.path()).unwrap());
    let shown = run_ok("blkid", &["-p".as_ref(), image.path().as_os_str()]);
    for text in ["LABEL=\"ESP\"", "UUID=\"1234-ABCD\"", "VERSION=\"FAT32\"", "TYPE=\"vfat\""] {
        assert!(shown.contains(text), "no {text} in {shown}");
    }
}

#[test]
fn a_seed_disk() {
    let agent = noise(5 << 20, 2);
    let files = [
        File { path: "user-data", content: b"#cloud-config\n" },
        File { path: "meta-data", content: b"instance-id: i\n" },
        File { path: "agent", content: &agent },
    ];
    for size in [6 << 20, 16 << 20, 100 << 20] {
        let label = "CIDATA".to_owned();
        let image = check(&Volume { size, width: Width::Narrow, label, id: 1 }, &files);
        let shown = run_ok("blkid", &["-p".as_ref(), image.path().as_os_str()]);
        assert!(shown.contains("LABEL=\"CIDATA\""), "{shown}");
        assert!(!shown.contains("FAT32"), "{shown}");
    }
}

#[test]
fn a_volume_stays_in_its_place() {
    let mut disk = Cursor::new(vec![0xaa; 3 << 20]);
    disk.get_mut()[1 << 20..2 << 20].fill(0);
    let volume = Volume { size: 1 << 20, width: Width::Narrow, label: "A".to_owned(), id: 1 };
    fat::write(&mut disk, 1 << 20, &volume, &[File { path: "f", content: b"x" }]).unwrap();
    let bytes = disk.into_inner();
    assert!(bytes[..1 << 20].iter().chain(&bytes[2 << 20..]).all(|byte| *byte == 0xaa));
}

#[test]
fn impossible_volumes_are_refused() {
    #[track_caller]
    fn check(size: u64, width: Width, label: &str, content: &[u8], message: &str) {
        let volume = Volume { size, width, label: label.to_owned(), id: 1 };
        let files = [File { path: "d/f", content }];
        let error = fat::write(Cursor::new(Vec::new()), 0, &volume, &files).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let refused = "`esp` is not a FAT label: 1 to 11 upper-case ASCII characters";
    check(1 << 20, Width::Narrow, "esp", b"", refused);
    let size = "a FAT volume of this width cannot have 1000 bytes";
    check(1000, Width::Narrow, "A", b"", size);
    let size = "a FAT volume of this width cannot have 1048576 bytes";
    check(1 << 20, Width::Fat32, "A", b"", size);
    let space = "the files need 2097664 bytes, but the FAT volume has room for 1025536";
    check(1 << 20, Width::Narrow, "A", &[1; 2 << 20], space);
}

#[test]
fn impossible_paths_are_refused() {
    #[track_caller]
    fn check(paths: &[&str], expected: PathError) {
        let volume = Volume { size: 1 << 20, width: Width::Narrow, label: "A".to_owned(), id: 1 };
        let files: Vec<File<'_>> = paths.iter().map(|path| File { path, content: b"x" }).collect();
        let error = fat::write(Cursor::new(Vec::new()), 0, &volume, &files).unwrap_err();
        let fat::WriteError::Path { path, source } = error else { panic!("{error}") };
        assert_eq!((Some(&path.as_str()), source), (paths.last(), expected));
    }
    for path in ["", "/a", "a/", "a//b", "a/../b", "a:b"] {
        check(&[path], PathError::Name);
    }
    check(&["f", "F"], PathError::Exists);
    check(&["f", "f/g"], PathError::NotADirectory);
    let many: Vec<String> = (0..256).map(|number| format!("f{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    check(&many, PathError::Full);
}

#[test]
fn many_files_with_long_names() {
    let names: Vec<String> =
        (0..300).map(|number| format!("deep/er/A long name with spaces {number}.txt")).collect();
    let contents: Vec<Vec<u8>> = (0..300).map(|number| noise(number * 7, number as u64)).collect();
    let files: Vec<File<'_>> =
        names.iter().zip(&contents).map(|(path, content)| File { path, content }).collect();
    for (size, width) in [(3 << 20, Width::Narrow), (40 << 20, Width::Fat32)] {
        check(&Volume { size, width, label: "MANY".to_owned(), id: 1 }, &files);
    }
}
