//! What Goldsmith needs from the machine: programs and files, by package.
//!
//! Read off the table that the installation script reads too, so that the two
//! never differ. Whether things work is for `doctor` to find out.

use std::ffi::OsStr;
use std::path::Path;

use crate::error::CliError;

/// A program or file that a package brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    /// The program's name or the file's path.
    pub(crate) what: &'static str,
    /// The Debian package.
    pub(crate) package: &'static str,
    /// What it does for Goldsmith.
    pub(crate) purpose: &'static str,
}

const TABLE: &str = include_str!("../../../scripts/packages.txt");

/// What is only needed to compile and test Goldsmith.
const FOR_THE_SOURCE: [&str; 8] = [
    "cc",
    "/usr/include/stdio.h",
    "make",
    "e2fsck",
    "sfdisk",
    "fsck.vfat",
    "/usr/lib/python3.11/ensurepip",
    "pip3",
];

/// Returns what a user, root or not, needs to build images.
pub(crate) fn needs(root: bool) -> Vec<Need> {
    let mut needs = parse(TABLE);
    needs.retain(|need| !FOR_THE_SOURCE.contains(&need.what));
    // Root writes id maps without help.
    needs.retain(|need| !root || need.what != "newuidmap");
    needs
}

fn parse(table: &'static str) -> Vec<Need> {
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    let need = |line: &'static str| {
        let (what, rest) = line.split_once(char::is_whitespace)?;
        let (package, purpose) = rest.trim_start().split_once(char::is_whitespace)?;
        Some(Need { what, package, purpose: purpose.trim_start() })
    };
    rows.filter_map(need).collect()
}

impl Need {
    /// Says whether it is there; programs are sought in `path`, a `PATH`.
    pub(crate) fn is_met(&self, path: &OsStr) -> bool {
        if self.what.starts_with('/') {
            return Path::new(self.what).exists();
        }
        std::env::split_paths(path).any(|folder| is_program(&folder.join(self.what)))
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let executable = |meta: std::fs::Metadata| meta.permissions().mode() & 0o111 != 0;
    path.is_file() && path.metadata().is_ok_and(executable)
}

/// Returns the command that installs what `needs` lack.
pub(crate) fn installation(needs: &[Need]) -> String {
    let mut packages: Vec<_> = needs.iter().map(|need| need.package).collect();
    packages.sort_unstable();
    packages.dedup();
    format!("apt-get install {}", packages.join(" "))
}

/// Fails with the command to run if one of `needs` is not met.
pub(crate) fn check(needs: Vec<Need>, path: &OsStr) -> Result<(), CliError> {
    let lacking: Vec<Need> = needs.into_iter().filter(|need| !need.is_met(path)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    Err(CliError::Lacking {
        mend: format!("as root run: {}", installation(&lacking)),
        lacking: lacking.into_iter().map(|need| need.what.to_owned()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_is_needed() {
        let all = parse(TABLE);
        let rows = TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        assert_eq!(all.len(), rows.count());
        for name in FOR_THE_SOURCE {
            assert!(all.iter().any(|need| need.what == name), "{name} is not in the table");
        }
        let names = |root| needs(root).into_iter().map(|need| need.what).collect::<Vec<_>>();
        assert!(names(false).contains(&"newuidmap"));
        assert!(!names(true).contains(&"newuidmap"));
        for name in ["mmdebstrap", "runc", "pasta", "qemu-img", "qemu-system-x86_64"] {
            assert!(names(true).contains(&name), "{name}");
        }
    }

    #[test]
    fn what_is_missing_is_told_with_one_command() {
        let need = |what, package| Need { what, package, purpose: "" };
        let needs = vec![
            need("goldsmith-no-such-program", "b"),
            need("/no/such/file", "a"),
            need("/no/such/other", "b"),
            need("/", "root"),
        ];
        let error = check(needs, OsStr::new("/usr/bin:/bin")).unwrap_err();
        assert_eq!(
            error.render(),
            "error: this machine lacks goldsmith-no-such-program, /no/such/file, /no/such/other\n\
             hint: as root run: apt-get install a b\n"
        );
        assert!(check(vec![need("sh", "dash")], OsStr::new("/usr/bin:/bin")).is_ok());
    }
}
