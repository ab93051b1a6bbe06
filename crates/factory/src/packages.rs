//! What is installed in an image, as its own package database says.
//!
//! Debian's alone is read; other databases are named as what is missing.

use std::fs::File;
use std::path::Path;

use disk::Reader;
use disk::gpt::Table;
use serde_json::{Value, json};

/// The largest database that is read, in bytes; Debian's own with everything
/// installed that there is stays below it.
const LARGEST: u64 = 256 << 20;

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
        status(&mut Reader::open(file, partition.offset()).ok()?).map(|text| parse(&text))
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

/// Returns dpkg's database, where the file system has one.
fn status(reader: &mut Reader<File>) -> Option<String> {
    // The second is its place where `/var` is a volume of its own.
    let bytes = ["var/lib/dpkg/status", "lib/dpkg/status"]
        .iter()
        .find_map(|path| reader.read_file(path, LARGEST).ok().flatten())?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the packages of dpkg's database that are installed, by name
/// (`dpkg-query(1)`: a status whose last word is `installed`).
fn parse(text: &str) -> Vec<Package> {
    let mut packages = Vec::new();
    for paragraph in text.split("\n\n") {
        let field = |name: &str| {
            paragraph.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
        };
        let is_installed = field("Status:")
            .is_some_and(|status| status.split(' ').next_back() == Some("installed"));
        if let (true, Some(name), Some(version)) =
            (is_installed, field("Package:"), field("Version:"))
        {
            packages.push(Package { name, version });
        }
    }
    packages.sort();
    packages
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
        let packages = parse(text);
        assert_eq!(packages, [package("apt", "2.6.1"), package("zlib1g", "1:1.2.13.dfsg-1")]);
        assert_eq!(installed(&to_json(&packages)), packages);
        assert_eq!(parse(""), []);
    }

    #[test]
    fn what_is_no_disk_has_no_packages() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(packages(file.path()), None);
    }
}
