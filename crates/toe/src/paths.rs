//! Paths as documents write them: a `/` at the end, `*` in the last segment.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Whether `path` says by a `/` at its end that it is a folder.
pub(crate) fn names_folder(path: &str) -> bool {
    path.ends_with('/')
}

/// Returns the paths that `pattern` stands for, sorted; a path without `*`
/// stands for itself, whether it exists or not.
///
/// Unlike in a shell, `*` matches a leading dot too, as it does for AWS's runner.
pub(crate) fn expand(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(folder), Some(last)) = (pattern.parent(), pattern.file_name()) else {
        return Ok(vec![pattern.to_owned()]);
    };
    if !last.as_encoded_bytes().contains(&b'*') {
        return Ok(vec![pattern.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if matches(last, &entry.file_name()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Whether `name` is what `pattern` says, `*` standing for any text.
pub(crate) fn matches(pattern: &OsStr, name: &OsStr) -> bool {
    let mut name = name.as_encoded_bytes();
    let mut pieces = pattern.as_encoded_bytes().split(|&byte| byte == b'*');
    let first = pieces.next().unwrap_or_default();
    let Some(rest) = name.strip_prefix(first) else { return false };
    name = rest;
    let Some(last) = pieces.next_back() else { return name.is_empty() };
    // The leftmost place is always good enough for the pieces between two stars.
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        let Some(at) = name.windows(piece.len()).position(|window| window == piece) else {
            return false;
        };
        name = &name[at + piece.len()..];
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, name: &str, expected: bool) {
        assert_eq!(matches(pattern.as_ref(), name.as_ref()), expected, "{pattern} on {name}");
    }

    #[test]
    fn stars_match_any_text() {
        check("*", "", true);
        check("*", ".hidden", true);
        check("*.conf", "a.conf", true);
        check("*.conf", ".conf", true);
        check("*.conf", "a.conf.bak", false);
        check("a*b", "ab", true);
        check("a*b", "a", false);
        check("ab*ba", "aba", false);
        check("*a*b*c", "xxaybzzc", true);
        check("*a*b*c", "xxbyazzc", false);
        check("plain", "plain", true);
        check("plain", "plainer", false);
        check("a?[b]*", "a?[b]c", true);
    }

    /// Tries every text that a star may stand for.
    fn matches_slowly(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|at| matches_slowly(rest, &name[at..])),
            Some((first, rest)) => name
                .split_first()
                .is_some_and(|(it, name)| it == first && matches_slowly(rest, name)),
        }
    }

    proptest::proptest! {
        #[test]
        fn stars_match_what_trying_everything_finds(pattern in "[ab*]{0,7}", name in "[ab]{0,9}") {
            let expected = matches_slowly(pattern.as_bytes(), name.as_bytes());
            proptest::prop_assert_eq!(matches(pattern.as_ref(), name.as_ref()), expected);
        }
    }

    #[test]
    fn only_the_last_segment_is_a_pattern() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.txt", "a.txt", "a.md"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let found = expand(&folder.path().join("*.txt")).unwrap();
        assert_eq!(found, [folder.path().join("a.txt"), folder.path().join("b.txt")]);
        let absent = folder.path().join("absent");
        assert_eq!(expand(&absent).unwrap(), std::slice::from_ref(&absent));
        assert!(expand(&absent.join("*")).is_err());
    }
}
