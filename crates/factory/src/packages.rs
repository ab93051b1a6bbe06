//! What is installed in an image, as its own package database says.
//!
//! Debian's alone is read; other databases are named as what is missing.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use disk::Reader;
use disk::gpt::Table;
use serde_json::{Value, json};

/// The largest database that is read, in bytes; Debian's own with everything
/// installed that there is stays below it.
const LARGEST: u64 = 256 << 20;

/// How many bytes of a line are looked at; names and versions are shorter.
const LINE: u64 = 4 << 10;

/// How many bytes of memory packages may take: all of Debian's take a third.
const ROOM: usize = 16 << 20;

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version, as its packager writes it.
    pub version: String,
}

/// Returns the packages that a raw disk image has installed, or `None` if none
/// of its file systems has a database that is known.
pub(crate) fn packages(image: &Path) -> Option<Vec<Package>> {
    let table = Table::read(File::open(image).ok()?).ok()?;
    table.partitions.iter().find_map(|partition| {
        let file = File::open(image).ok()?;
        dpkg(&mut Reader::open(file, partition.offset()).ok()?)
    })
}

/// Returns packages as the store keeps them.
pub(crate) fn to_json(packages: &[Package]) -> Value {
    packages.iter().map(|package| json!([package.name, package.version])).collect()
}

/// Returns the packages that the store kept.
pub fn installed(kept: &Value) -> Vec<Package> {
    let pairs = kept.as_array().into_iter().flatten();
    let package = |pair: &Value| {
        let text = |n: usize| Some(pair.get(n)?.as_str()?.to_owned());
        Some(Package { name: text(0)?, version: text(1)? })
    };
    pairs.filter_map(package).collect()
}

/// Returns what dpkg's database has, where the file system has one.
fn dpkg(reader: &mut Reader<File>) -> Option<Vec<Package>> {
    // The second is its place where `/var` is a volume of its own.
    ["var/lib/dpkg/status", "lib/dpkg/status"]
        .iter()
        .find_map(|path| reader.with_file(path, |file| parse(file.take(LARGEST))).ok().flatten())
}

/// Returns the packages of dpkg's database that are installed, by name
/// (`dpkg-query(1)`: a status whose last word is `installed`).
///
/// The database is a component's work as much as anything in the image: it is
/// read line by line, and what it may make this process keep is bounded.
fn parse(database: impl Read) -> io::Result<Vec<Package>> {
    let mut lines = BufReader::new(database);
    let (mut packages, mut room) = (Vec::new(), ROOM);
    let mut paragraph = Paragraph::default();
    let (mut line, mut is_begun) = (Vec::new(), false);
    loop {
        line.clear();
        let read = lines.by_ref().take(LINE).read_until(b'\n', &mut line)?;
        if is_begun {
            // What is left of a line that is longer.
        } else if line.trim_ascii_end().is_empty() {
            if let Some(package) = std::mem::take(&mut paragraph).package() {
                let size = size_of::<Package>() + package.name.len() + package.version.len();
                let Some(left) = room.checked_sub(size) else { break };
                room = left;
                packages.push(package);
            }
        } else {
            paragraph.line(&line);
        }
        if read == 0 {
            break;
        }
        is_begun = line.last() != Some(&b'\n');
    }
    packages.sort();
    Ok(packages)
}

/// What is of interest in a paragraph of dpkg's database.
#[derive(Default)]
struct Paragraph {
    status: Option<String>,
    name: Option<String>,
    version: Option<String>,
}

impl Paragraph {
    fn line(&mut self, line: &[u8]) {
        let fields = [
            (&b"Status:"[..], &mut self.status),
            (b"Package:", &mut self.name),
            (b"Version:", &mut self.version),
        ];
        for (name, field) in fields {
            if let (None, Some(value)) = (&field, line.strip_prefix(name)) {
                *field = Some(String::from_utf8_lossy(value.trim_ascii()).into_owned());
            }
        }
    }

    fn package(self) -> Option<Package> {
        let Self { status, name: Some(name), version: Some(version) } = self else { return None };
        let is_installed = status?.split(' ').next_back() == Some("installed");
        is_installed.then_some(Package { name, version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_is_listed_by_name() {
        let text = "Package: zlib1g\nStatus: install ok installed\nDescription: a library\n \
                    Version: of what\nVersion: 1:1.2.13.dfsg-1\n\nPackage: gone\nStatus: deinstall \
                    ok config-files\nVersion: 1\n\nPackage: half\nStatus: install ok \
                    half-installed\nVersion: 1\n\nPackage: apt\nStatus: hold ok installed\n\
                    Version: 2.6.1\n";
        let package = |name: &str, version: &str| Package {
            name: name.to_owned(),
            version: version.to_owned(),
        };
        let packages = parse(text.as_bytes()).unwrap();
        assert_eq!(packages, [package("apt", "2.6.1"), package("zlib1g", "1:1.2.13.dfsg-1")]);
        assert_eq!(installed(&to_json(&packages)), packages);
        assert_eq!(parse(&b""[..]).unwrap(), []);
    }

    /// A component may write there what it likes.
    #[test]
    fn a_padded_database_is_read_in_bounded_memory() {
        let package = "Package: a\nStatus: install ok installed\nVersion: 1\n";
        let padded = format!("{package}Depends: {}Version: 2\n\n", "x".repeat(3 * LINE as usize));
        let [one] = &parse(padded.as_bytes()).unwrap()[..] else { panic!("it has one package") };
        assert_eq!((one.name.as_str(), one.version.as_str()), ("a", "1"));

        let endless = io::repeat(b'x').take(LARGEST);
        assert_eq!(parse(endless).unwrap(), []);
        let many = format!("{package}\n").repeat(350_000);
        let kept = parse(many.as_bytes()).unwrap().len();
        assert_eq!(kept, ROOM / (size_of::<Package>() + 2));
    }

    #[test]
    fn what_is_no_disk_has_no_packages() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(packages(file.path()), None);
    }
}
