//! Names of files: the short one that every entry has, and the long one in
//! entries before it (sections 6 and 7).

/// The length of an entry, in bytes.
pub(super) const ENTRY: usize = 32;
/// The attributes that mark a piece of a long name.
const LONG_NAME: u8 = 0x0f;
/// The UTF-16 units in one entry, and where they are in it.
const UNITS_AT: [usize; 13] = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
/// The longest name, in UTF-16 units.
const LONGEST: usize = 255;

/// A short name, padded: 8 characters and 3.
pub(super) type Short = [u8; 11];

/// Tells whether a name can be expressed at all.
pub(super) fn is_valid(name: &str) -> bool {
    let odd = |c: char| c.is_control() || "\"*/:<>?\\|".contains(c);
    let ends = name.starts_with(' ') || name.ends_with(['.', ' ']);
    !name.is_empty() && !ends && !name.contains(odd) && name.encode_utf16().count() <= LONGEST
}

/// Returns the short name of `name` if it needs no long one.
pub(super) fn exact(name: &str) -> Option<Short> {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let plain = |part: &str| part.bytes().all(|byte| is_short(byte) && byte != b'.');
    let fits = (1..=8).contains(&stem.len()) && extension.len() <= 3;
    let whole = !name.ends_with('.') && plain(stem) && plain(extension);
    (fits && whole).then(|| join(stem.as_bytes(), extension.as_bytes()))
}

/// Returns the short name that stands in for a long one, unlike any of
/// `taken`; there must be fewer than a million of those.
pub(super) fn alias(name: &str, taken: &[Short]) -> Short {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let clean = |part: &str, length: usize| -> Vec<u8> {
        let shown = part.bytes().filter(|byte| !matches!(byte, b'.' | b' '));
        let upper = shown.map(|byte| byte.to_ascii_uppercase());
        upper.map(|byte| if is_short(byte) { byte } else { b'_' }).take(length).collect()
    };
    let (stem, extension) = (clean(stem, 8), clean(extension, 3));
    let mut number = 1u32;
    loop {
        let tail = format!("~{number}");
        let kept = stem.len().min(8 - tail.len());
        let short = join(&[&stem[..kept], tail.as_bytes()].concat(), &extension);
        if !taken.contains(&short) {
            return short;
        }
        number += 1;
    }
}

/// Returns the entries that come before the one of `short`.
pub(super) fn long_entries(name: &str, short: &Short) -> Vec<u8> {
    let mut units: Vec<u16> = name.encode_utf16().collect();
    // What is left of the last entry: an end, then ones.
    if !units.len().is_multiple_of(UNITS_AT.len()) {
        units.push(0);
        units.resize(units.len().next_multiple_of(UNITS_AT.len()), 0xffff);
    }
    let pieces = units.len() / UNITS_AT.len();
    let mut entries = Vec::new();
    for (index, piece) in units.chunks(UNITS_AT.len()).enumerate().rev() {
        let mut entry = [0; ENTRY];
        let last = if index + 1 == pieces { 0x40 } else { 0 };
        entry[0] = (index + 1) as u8 | last;
        entry[11] = LONG_NAME;
        entry[13] = checksum(short);
        for (at, unit) in UNITS_AT.iter().zip(piece) {
            entry[*at..*at + 2].copy_from_slice(&unit.to_le_bytes());
        }
        entries.extend(entry);
    }
    entries
}

/// Returns what ties a long name to its short one.
fn checksum(short: &Short) -> u8 {
    short.iter().fold(0u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte))
}

fn is_short(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'0'..=b'9') || b"$%'-_@~`!(){}^#&".contains(&byte)
}

fn join(stem: &[u8], extension: &[u8]) -> Short {
    let mut short = [b' '; 11];
    short[..stem.len()].copy_from_slice(stem);
    short[8..8 + extension.len()].copy_from_slice(extension);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names() {
        let check = |name, expected: Option<&[u8; 11]>| {
            assert_eq!(exact(name).as_ref(), expected, "{name}");
        };
        check("BOOTX64.EFI", Some(b"BOOTX64 EFI"));
        check("EFI", Some(b"EFI        "));
        check("A.B", Some(b"A       B  "));
        check("grub.cfg", None);
        check("USER-DATA", None);
        check("A.B.C", None);
        check(".A", None);
        check("A.LONG", None);
    }

    #[test]
    fn aliases_are_unique() {
        let mut taken = Vec::new();
        for expected in [b"USER-D~1   ", b"USER-D~2   ", b"USER-D~3   "] {
            let alias = alias("user-data", &taken);
            assert_eq!(&alias, expected);
            taken.push(alias);
        }
        assert_eq!(&alias("é.config", &[]), b"__~1    CON");
        assert_eq!(&alias(".profile", &[]), b"~1      PRO");
    }

    #[test]
    fn long_names_go_before_short_ones() {
        let entries = long_entries("a-name-of-15-ch", b"A-NAME~1   ");
        assert_eq!(entries.len(), 64);
        assert_eq!(entries[..6], [0x42, b'c', 0, b'h', 0, 0]);
        assert_eq!(entries[9..12], [0xff, 0xff, 0x0f]);
        assert_eq!(entries[32..36], [0x01, b'a', 0, b'-']);
        assert_eq!(long_entries("thirteen-char", b"THIRTE~1   ").len(), 32);
        // The worked example of many a reference.
        assert_eq!(checksum(b"README  TXT"), 0x73);
    }

    #[test]
    fn odd_names_are_not_valid() {
        for good in ["a", "é", "a b", "user-data", ".a"] {
            assert!(is_valid(good), "{good}");
        }
        for bad in ["", ".", "..", "a.", "a ", " a", "a/b", "a:b", "a\n", &"x".repeat(256)] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}
