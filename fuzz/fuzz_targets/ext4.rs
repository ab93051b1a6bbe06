//! ext4 as our writer makes it, damaged: reading it ends, in files or in an error.
#![no_main]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::{LazyLock, Mutex, PoisonError};

use disk::ext4::{Options, Writer};
use disk::{Entry, Kind, Time};
use fuzz::Damaged;
use libfuzzer_sys::fuzz_target;

static DISK: LazyLock<Mutex<Damaged>> = LazyLock::new(|| Mutex::new(Damaged::new(&sound()[..])));

fuzz_target!(|noise: &[u8]| {
    DISK.lock().unwrap_or_else(PoisonError::into_inner).exhaust(noise);
});

/// Returns a file system with an entry of each kind that has a form of its own.
fn sound() -> Vec<u8> {
    let options = Options {
        uuid: [7; 16],
        label: "fuzz".to_owned(),
        size: 32 << 20,
        hash_seed: [9; 16],
        epoch: 1_700_000_000,
    };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = Writer::new(&mut bytes, 0, options).expect("the options are good ones");
    let mut add = |path: &str, kind: Kind, content: &[u8]| {
        let xattrs = BTreeMap::from([(b"user.noise".to_vec(), vec![1; 100])]);
        let entry = Entry {
            path: path.as_bytes().to_vec(),
            kind,
            mode: 0o644,
            uid: 1,
            gid: 2,
            mtime: Time::default(),
            xattrs,
        };
        writer.add(&entry, &mut &*content).expect("the entry is a good one");
    };
    add("etc", Kind::Directory, b"");
    for (name, content) in [("etc/os-release", &b"ID=test\n"[..]), ("large", &[3; 300_000])] {
        add(name, Kind::File { size: content.len() as u64, dense: false }, content);
    }
    add("many", Kind::Directory, b"");
    for number in 0..300 {
        add(&format!("many/a-rather-long-name-{number}"), Kind::Fifo, b"");
    }
    add("again", Kind::HardLink(b"large".to_vec()), b"");
    add("short", Kind::Symlink(b"large".to_vec()), b"");
    add("long", Kind::Symlink(vec![b'x'; 300]), b"");
    add("null", Kind::CharDevice { major: 1, minor: 3 }, b"");
    writer.finish().expect("memory is written to");
    bytes.into_inner()
}
