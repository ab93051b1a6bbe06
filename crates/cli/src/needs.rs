//! What Goldsmith needs from the machine: programs and files, by package and by
//! what is done with them.
//!
//! Read off the table that the installation script reads too, so that the two
//! never differ. Whether things work is for `doctor` to find out.

use std::ffi::OsStr;
use std::path::Path;

use model::ParentImage;
use name::Owner;

use crate::apt::Apt;
use crate::environment::Environment;
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

/// What is done that needs something from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// A base is made from Debian's archive.
    Base,
    /// A disk image is taken as a base.
    Import,
    /// Components run in a sandbox.
    Sandbox,
    /// A disk is booted.
    Machine,
    /// Any of these, which an ordinary user needs help with.
    Cell,
}

impl Work {
    const ALL: [Self; 5] = [Self::Base, Self::Import, Self::Sandbox, Self::Machine, Self::Cell];

    /// Returns what gets `parent` at hand; images that were built here are.
    pub(crate) fn on(parent: &ParentImage) -> Option<Self> {
        match parent {
            ParentImage::Name(_) => Some(Self::Base),
            ParentImage::Arn(arn) => match arn.owner() {
                Owner::Managed(_) => Some(Self::Base),
                Owner::Account(_) => None,
            },
            ParentImage::Ami(_) => None,
            ParentImage::Disk { .. } => Some(Self::Import),
        }
    }

    /// Returns the table's word for it.
    fn word(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Import => "import",
            Self::Sandbox => "sandbox",
            Self::Machine => "machine",
            Self::Cell => "cell",
        }
    }
}

const TABLE: &str = include_str!("../../../scripts/packages.txt");

/// Returns what `works` need when a user does them who is `root` or not.
fn of(works: &[Work], root: bool) -> Vec<Need> {
    let wanted = |words: &str| {
        let mut works = works.iter().filter(|work| !root || **work != Work::Cell);
        works.any(|work| words.split(',').any(|word| word == work.word()))
    };
    rows(TABLE).filter(|(words, _)| wanted(words)).map(|(_, need)| need).collect()
}

/// Returns all that images need when this user makes them.
pub(crate) fn all(environment: &Environment) -> Vec<Need> {
    of(&Work::ALL, environment.root)
}

/// Returns the rows of a table: for which works, and what.
fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, Need)> {
    table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (words, rest) = line.split_once(char::is_whitespace)?;
        let (what, rest) = rest.trim_start().split_once(char::is_whitespace)?;
        let (package, purpose) = rest.trim_start().split_once(char::is_whitespace)?;
        Some((words, Need { what, package, purpose: purpose.trim_start() }))
    })
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

/// Fails with the command to run if this machine lacks what `works` need.
pub(crate) fn check(works: &[Work], environment: &Environment) -> Result<(), CliError> {
    let works = [works, &[Work::Cell]].concat();
    let path = environment.path.as_deref().unwrap_or_default();
    check_needs(of(&works, environment.root), path, &Apt::of_this_machine())
}

fn check_needs(needs: Vec<Need>, path: &OsStr, apt: &Apt) -> Result<(), CliError> {
    let lacking: Vec<Need> = needs.into_iter().filter(|need| !need.is_met(path)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let commands = apt.installation(lacking.iter().map(|need| need.package));
    Err(CliError::Lacking {
        mend: format!("as root run: {}", commands.join(" && ")),
        lacking: lacking.into_iter().map(|need| need.what.to_owned()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use name::Digest;

    use super::*;

    #[track_caller]
    fn check_of(works: &[Work], root: bool, expected: Expect) {
        let names: Vec<_> = of(works, root).into_iter().map(|need| need.what).collect();
        expected.assert_eq(&names.join(" "));
    }

    #[test]
    fn each_work_needs_exactly_this() {
        check_of(
            &[Work::Base],
            true,
            expect![
                "mmdebstrap /usr/share/keyrings/debian-archive-keyring.gpg /etc/ssl/certs/ca-certificates.crt mount"
            ],
        );
        check_of(&[Work::Import], true, expect!["ip qemu-img"]);
        check_of(&[Work::Sandbox], true, expect!["runc pasta ip"]);
        check_of(
            &[Work::Machine],
            true,
            expect!["pasta ip qemu-img qemu-system-x86_64 /usr/share/OVMF/OVMF_CODE_4M.fd"],
        );
        check_of(&[Work::Cell], true, expect![""]);
        check_of(&[Work::Cell], false, expect!["newuidmap"]);
    }

    #[test]
    fn images_need_nothing_of_the_source() {
        check_of(
            &Work::ALL,
            false,
            expect![
                "mmdebstrap /usr/share/keyrings/debian-archive-keyring.gpg /etc/ssl/certs/ca-certificates.crt mount runc pasta ip newuidmap qemu-img qemu-system-x86_64 /usr/share/OVMF/OVMF_CODE_4M.fd"
            ],
        );
    }

    #[test]
    fn every_row_is_for_something_known() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(rows(TABLE).count(), lines.count());
        for (words, need) in rows(TABLE) {
            for word in words.split(',') {
                let known = Work::ALL.iter().any(|work| work.word() == word);
                assert!(known || words == "source", "{}: {word}", need.what);
            }
        }
    }

    #[test]
    fn only_what_is_not_at_hand_is_made() {
        let arn = |owner: &str| format!("arn:aws:imagebuilder:local-1:{owner}:image/web/1.0.0/1");
        for (parent, work) in [
            ("debian-server-12".to_owned(), Some(Work::Base)),
            (arn("aws"), Some(Work::Base)),
            (arn("000000000000"), None),
            ("ami-00123456789abcdef".to_owned(), None),
            ("./disk.qcow2".to_owned(), Some(Work::Import)),
            ("https://mirror.example/disk.raw".to_owned(), Some(Work::Import)),
        ] {
            let parsed = ParentImage::parse(&parent, None)
                .or_else(|_| ParentImage::parse(&parent, Some(Digest::of(b""))));
            assert_eq!(Work::on(&parsed.unwrap()), work, "{parent}");
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
        let path = OsStr::new("/usr/bin:/bin");
        let error = check_needs(needs, path, &Apt::default()).unwrap_err();
        assert_eq!(
            error.render(),
            "error: this machine lacks goldsmith-no-such-program, /no/such/file, /no/such/other\n\
             hint: as root run: apt-get install a b\n"
        );
        assert!(check_needs(vec![need("sh", "dash")], path, &Apt::default()).is_ok());
    }
}
