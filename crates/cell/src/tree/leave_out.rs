//! Which paths of a tree stay out of an image.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::job::LeaveOut;

/// Says whether `path`, relative to the root, matches one of the patterns of
/// `rules` itself. What lies below such a path is the walker's to leave out.
pub(super) fn is_left_out(rules: &[&LeaveOut], path: &Path, is_folder: bool) -> bool {
    let patterns = rules.iter().flat_map(|rule| &rule.paths);
    patterns.into_iter().any(|pattern| match pattern.strip_suffix("/**") {
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
        let rule = LeaveOut { paths: vec![pattern.to_owned()], unless: None };
        assert_eq!(is_left_out(&[&rule], Path::new(path), is_folder), expected, "{pattern} {path}");
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
}
