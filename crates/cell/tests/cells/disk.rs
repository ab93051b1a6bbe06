//! Disks are written of the tree and of nothing else.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cell::{Content, Disk, Source, SpawnError, Task, Written};

use crate::setting::Setting;

/// Writes the tree as a disk with `loader` on its ESP.
fn write(setting: &Setting, loader: &str) -> Result<Written, SpawnError> {
    setting.cells.make_folder("image".as_ref()).unwrap();
    let source = Source::New {
        size: None,
        guids: [[1; 16], [2; 16], [3; 16]],
        esp_id: 4,
        esp: vec![("EFI/BOOT/BOOTX64.EFI".to_owned(), Content::Tree(loader.into()))],
        root_uuid: [5; 16],
        root_label: "root".to_owned(),
    };
    let task = Task::WriteDisk(Disk {
        layers: vec![PathBuf::from("tree")],
        out: PathBuf::from("image/disk.raw"),
        source,
        extras: Vec::new(),
        leave_out: Vec::new(),
        epoch: 1_700_000_000,
    });
    let written = setting.cells.run("image", task, &mut io::empty());
    if let Ok(made) = fs::metadata(setting.cells.data().join("image/disk.raw")) {
        assert_eq!(made.mode() & 0o7777, 0o600);
    }
    let remove = Task::Remove { paths: vec![PathBuf::from("image")] };
    setting.cells.run("remove", remove, &mut io::empty()).unwrap();
    Ok(serde_json::from_slice(&written?).unwrap())
}

pub(crate) fn a_disk_takes_no_file_of_the_host() {
    let setting = Setting::new();
    setting.make_tree(
        "echo loader >loader; ln -s /loader link; ln -s /proc/self/environ environ; \
         ln -s /dev/zero endless; mkfifo pipe; truncate -s 65M sparse",
    );
    for good in ["loader", "link"] {
        assert_eq!(write(&setting, good).unwrap().entries, 6, "{good}");
    }
    for (bad, why) in [
        ("environ", "No such file or directory"),
        ("endless", "No such file or directory"),
        ("pipe", "it is not a regular file"),
        ("sparse", "the files need"),
    ] {
        let error = write(&setting, bad).unwrap_err().to_string();
        assert!(error.contains(why), "{bad}: {error}");
    }
}

pub(crate) fn reading_a_disk_is_bounded_in_memory() {
    let setting = Setting::new();
    let name = format!("pipe-{}", std::process::id());
    setting.make_tree(&format!("mkfifo {name}; mkdir into"));
    let disk = PathBuf::from("tree").join(name);
    let read = |process: &Path, file| {
        String::from_utf8_lossy(&fs::read(process.join(file)).unwrap_or_default()).into_owned()
    };
    let is_the_cell = |process: &PathBuf| {
        let arguments = read(process, "cmdline");
        arguments.contains("cell-inner") && arguments.contains(disk.to_str().unwrap())
    };
    let is_bounded = || {
        let mut processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let limits = processes.find(is_the_cell).map(|cell| read(&cell, "limits"));
        let limits = limits.unwrap_or_default();
        let limit = limits.lines().find(|line| line.starts_with("Max data size"));
        limit.is_some_and(|line| line.split_whitespace().nth(4) == Some("2147483648"))
    };
    // Nobody ever writes to the pipe, for which the cell waits.
    let (asked, bounded) = (AtomicUsize::new(0), AtomicBool::new(false));
    let is_given_up = || {
        bounded.fetch_or(is_bounded(), Ordering::Relaxed);
        bounded.load(Ordering::Relaxed) || asked.fetch_add(1, Ordering::Relaxed) > 100
    };
    let task = Task::ReadDisk { disk: disk.clone(), into: "tree/into".into() };
    let ended = setting.cells.run_unless(&is_given_up, "read", task, &mut io::empty());
    assert!(matches!(ended, Err(SpawnError::Cancelled)), "{ended:?}");
    assert!(bounded.into_inner());
}
