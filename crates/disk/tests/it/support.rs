//! What the integration tests share: external tools, and lists of entries.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use disk::ext4::{Options, Summary, Writer};
use disk::sparse::Content;
use disk::{Entry, Kind, Time};

/// Runs a tool, which must be installed.
pub(crate) fn run<S: AsRef<OsStr>>(tool: &str, arguments: &[S]) -> Output {
    let path = "/usr/sbin:/usr/bin:/sbin:/bin";
    #[expect(clippy::disallowed_methods, reason = "tests compare with the reference tools")]
    let output = Command::new(tool).args(arguments).env("PATH", path).output();
    output.unwrap_or_else(|error| panic!("`{tool}` is needed by the tests: {error}"))
}

/// Runs a tool that must succeed and returns what it wrote.
#[track_caller]
pub(crate) fn run_ok<S: AsRef<OsStr>>(tool: &str, arguments: &[S]) -> String {
    let output = run(tool, arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tool}: {}\n{text}{errors}", output.status);
    text
}

/// A file of its own for one test.
pub(crate) struct Image {
    directory: tempfile::TempDir,
}

impl Image {
    /// Makes room for a file; it does not exist yet.
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// Returns where the file is.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("image")
    }

    /// Returns a path beside the file.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Creates the file, or empties it.
    pub(crate) fn create(&self) -> File {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(true).open(self.path()).unwrap()
    }

    /// Opens the file.
    pub(crate) fn open(&self) -> File {
        File::options().read(true).write(true).open(self.path()).unwrap()
    }
}

/// Checks a file system without changing it; nothing may be amiss.
#[track_caller]
pub(crate) fn fsck(image: &Path) {
    run_ok("e2fsck", &[OsStr::new("-fn"), image.as_os_str()]);
}

/// Asks debugfs and returns its answer.
#[track_caller]
pub(crate) fn debugfs(image: &Path, request: &str) -> String {
    run_ok("debugfs", &[OsStr::new("-R"), OsStr::new(request), image.as_os_str()])
}

/// An entry and its content.
pub(crate) type Item = (Entry, Vec<u8>);

/// Returns options for a file system of `size` bytes.
pub(crate) fn options(size: u64) -> Options {
    Options {
        uuid: *b"goldsmith's test",
        label: "root".to_owned(),
        size,
        hash_seed: [7; 16],
        epoch: 1_700_000_000,
    }
}

/// Writes a file system over `image`.
pub(crate) fn write(image: &Image, size: u64, items: &[Item]) -> Summary {
    let mut writer = Writer::new(image.create(), 0, options(size)).unwrap();
    for (entry, content) in items {
        writer.add(entry, &mut &content[..]).unwrap_or_else(|error| panic!("{error}: {error:?}"));
    }
    writer.finish().unwrap()
}

/// Returns an entry that root made in 2023.
pub(crate) fn entry(path: &str, kind: Kind) -> Entry {
    Entry {
        path: path.into(),
        mode: if kind == Kind::Directory { 0o755 } else { 0o644 },
        kind,
        uid: 0,
        gid: 0,
        mtime: Time { seconds: 1_700_000_000, nanos: 0 },
        xattrs: BTreeMap::new(),
    }
}

/// Returns a directory.
pub(crate) fn directory(path: &str) -> Item {
    (entry(path, Kind::Directory), Vec::new())
}

/// Returns a file whose zero blocks are holes.
pub(crate) fn file(path: &str, content: impl Into<Vec<u8>>) -> Item {
    let content = content.into();
    (entry(path, Kind::File { size: content.len() as u64, dense: false }), content)
}

/// Returns something without content.
pub(crate) fn other(path: &str, kind: Kind) -> Item {
    (entry(path, kind), Vec::new())
}

/// More data than any file of a test has, in bytes.
pub(crate) const MUCH_DATA: u64 = 256 << 20;

/// Reads what of `content` is in no hole, and returns its pieces and where
/// each begins.
pub(crate) fn read_data(content: &mut dyn Content) -> io::Result<Vec<(u64, Vec<u8>)>> {
    let mut pieces = Vec::new();
    let (mut at, mut total) = (0, 0);
    loop {
        at += content.skip_hole()?;
        let mut piece = vec![0; 1 << 16];
        let length = content.read(&mut piece)?;
        if length == 0 {
            return Ok(pieces);
        }
        piece.truncate(length);
        pieces.push((at, piece));
        at += length as u64;
        total += length as u64;
        if total > MUCH_DATA {
            return Err(io::Error::other("a hole is read"));
        }
    }
}

/// Returns `length` bytes that do not repeat soon.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
