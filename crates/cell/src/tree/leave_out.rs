//! Which paths of a tree stay out of an image.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::job::LeaveOut;

/// The rules, and which of them the tree's own flags have turned off.
pub(super) struct Rules<'a>(Vec<(&'a LeaveOut, bool)>);

impl<'a> Rules<'a> {
    /// Takes `rules`, with `is_there` saying which files the tree has.
    pub(super) fn new(rules: &'a [LeaveOut], is_there: impl Fn(&Path) -> bool) -> Self {
        let holds = |rule: &LeaveOut| !rule.unless.as_deref().is_some_and(&is_there);
        Self(rules.iter().map(|rule| (rule, holds(rule))).collect())
    }

    /// Says whether `path`, relative to the root, stays out by itself: the
    /// first rule that names it decides. What lies below such a path is the
    /// walker's to leave out.
    pub(super) fn leave_out(&self, path: &Path, is_folder: bool) -> bool {
        let mut rules = self.0.iter();
        rules.find(|(rule, _)| is_named(rule, path, is_folder)).is_some_and(|(_, holds)| *holds)
    }
}

fn is_named(rule: &LeaveOut, path: &Path, is_folder: bool) -> bool {
    rule.paths.iter().any(|pattern| match pattern.strip_suffix("/**") {
        Some(folder) => !is_folder && starts_with(folder, path),
        None => names(pattern).count() == path.iter().count() && starts_with(pattern, path),
    })
}

fn starts_with(pattern: &str, path: &Path) -> bool {
    let mut parts = path.iter();
    names(pattern)
        .all(|name| parts.next().is_some_and(|part| glob(name.as_bytes(), part.as_bytes())))
}

fn names(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('/')
}

/// Matches a name against a pattern in which `*` is any run of characters.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|n| glob(rest, &name[n..])),
        Some((byte, rest)) => {
            name.split_first().is_some_and(|(first, name)| first == byte && glob(rest, name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, path: &str, is_folder: bool, expected: bool) {
        let rules = [LeaveOut { paths: vec![pattern.to_owned()], unless: None }];
        let rules = Rules::new(&rules, |_| false);
        assert_eq!(rules.leave_out(Path::new(path), is_folder), expected, "{pattern} {path}");
    }

    #[test]
    fn patterns_match_names_not_depths() {
        check("tmp/*", "tmp/x", true, true);
        check("tmp/*", "tmp", true, false);
        check("tmp/*", "tmp/x/y", false, false);
        check("etc/ssh/ssh_host_*", "etc/ssh/ssh_host_rsa_key.pub", false, true);
        check("etc/ssh/ssh_host_*", "etc/ssh/sshd_config", false, false);
        check("home/*/.ssh/authorized_keys", "home/ann/.ssh/authorized_keys", false, true);
        check("etc/hostname", "etc/hostname", false, true);
        check("etc/hostname", "etc/hostname.d", true, false);
    }

    #[test]
    fn two_stars_spare_folders() {
        check("var/log/**", "var/log/apt/term.log", false, true);
        check("var/log/**", "var/log/apt", true, false);
        check("var/log/**", "var/logs", false, false);
    }

    #[test]
    fn the_first_rule_that_names_a_path_decides() {
        let rule = |path: &str, flag: &str| LeaveOut {
            paths: vec![path.to_owned()],
            unless: Some(flag.into()),
        };
        let rules = [rule("var/log/ssm/*", "tmp/ssm"), rule("var/log/**", "tmp/logs")];
        let check = |flag: &str, expected: [bool; 2]| {
            let rules = Rules::new(&rules, |path| path == Path::new(flag));
            let left_out =
                ["var/log/ssm/a", "var/log/b"].map(|path| rules.leave_out(Path::new(path), false));
            assert_eq!(left_out, expected, "{flag}");
        };
        check("none", [true, true]);
        check("tmp/ssm", [false, true]);
        check("tmp/logs", [true, false]);
    }
}
