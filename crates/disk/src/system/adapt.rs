//! Files that say of what kind the root file system is: what they say once it
//! is ext4.

use super::fstab::generic;

/// The largest file that is looked at, in bytes.
pub(super) const LARGEST: u64 = 1 << 20;
/// The length of GRUB's environment block, in bytes.
const ENVIRONMENT: usize = 1024;

/// A file that may have to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The table of mounts.
    Table,
    /// The kernel's command line is somewhere in it.
    CommandLine,
    /// GRUB's menu: command lines, and modules for file systems.
    Menu,
    /// GRUB's environment block, which is always equally long.
    Environment,
}

impl Place {
    /// Returns what the file at `path` is.
    pub(super) fn of(path: &str) -> Option<Self> {
        if path == "etc/fstab" {
            return Some(Self::Table);
        }
        if let Some(name) = path.strip_prefix("boot/grub2/").or(path.strip_prefix("boot/grub/")) {
            return match name {
                "grub.cfg" => Some(Self::Menu),
                "grubenv" => Some(Self::Environment),
                _ => None,
            };
        }
        let lines = path == "etc/kernel/cmdline"
            || path == "etc/default/grub"
            || path.starts_with("etc/default/grub.d/") && path.ends_with(".cfg")
            || path.starts_with("boot/loader/entries/") && path.ends_with(".conf");
        lines.then_some(Self::CommandLine)
    }
}

/// Returns the text with what its command lines say of the root file system
/// made right for ext4.
pub(super) fn command_lines(text: &str) -> String {
    words(text, |word| {
        if word.starts_with("rootfstype=") {
            return Some("rootfstype=ext4".to_owned());
        }
        let options = generic(word.strip_prefix("rootflags=")?);
        Some(if options == "defaults" { String::new() } else { format!("rootflags={options}") })
    })
}

/// Returns GRUB's menu made right for ext4, of which `ext2` is its module.
pub(super) fn menu(text: &str) -> String {
    let text = command_lines(text);
    let mut rewritten = String::new();
    for line in text.split_inclusive('\n') {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["insmod", "xfs" | "btrfs"] => {
                rewritten += &line.replace("xfs", "ext2").replace("btrfs", "ext2");
            }
            _ => rewritten += line,
        }
    }
    rewritten
}

/// Returns GRUB's environment made right for ext4, and as long as it must be:
/// what no variable needs is filled with `#`.
pub(super) fn environment(text: &str) -> String {
    let text = command_lines(text);
    let text = text.trim_end_matches('#');
    text.to_owned() + &"#".repeat(ENVIRONMENT.saturating_sub(text.len()))
}

/// Replaces words as `replace` says. One that becomes empty takes along the
/// blank before it.
fn words(text: &str, replace: impl Fn(&str) -> Option<String>) -> String {
    let ends = |c: char| c.is_whitespace() || c == '"' || c == '\'';
    let mut rewritten = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        match replace(word) {
            Some(new) if new.is_empty() => {
                if rewritten.ends_with(' ') {
                    rewritten.pop();
                }
            }
            Some(new) => rewritten += &new,
            None => rewritten += word,
        }
        let next = after.chars().next().map_or(0, char::len_utf8);
        rewritten += &after[..next];
        rest = &after[next..];
    }
    rewritten
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_lose_what_ext4_does_not_know() {
        let check = |text, expected: &str| assert_eq!(command_lines(text), expected);
        check(
            "title Fedora\noptions root=UUID=a ro rootflags=subvol=root console=ttyS0\n",
            "title Fedora\noptions root=UUID=a ro console=ttyS0\n",
        );
        check(
            "GRUB_CMDLINE_LINUX=\"quiet rootflags=subvol=root\"\n",
            "GRUB_CMDLINE_LINUX=\"quiet\"\n",
        );
        check("rootfstype=xfs rootflags=noatime,inode64", "rootfstype=ext4 rootflags=noatime");
        check("root=LABEL=/ no'thing' here\n\n", "root=LABEL=/ no'thing' here\n\n");
        check("rootflags=subvol=@", "");
        check("", "");
    }

    #[test]
    fn menus_read_ext4() {
        let given = "\tinsmod btrfs\n insmod xfs\ninsmod part_gpt\nset default_kernelopts=\"root=UUID=a rootflags=subvol=root \"\n";
        let expected = "\tinsmod ext2\n insmod ext2\ninsmod part_gpt\nset default_kernelopts=\"root=UUID=a \"\n";
        assert_eq!(menu(given), expected);
    }

    #[test]
    fn environments_keep_their_length() {
        let check = |given: &str, expected: &str| {
            let block = |options: &str| {
                let text = format!("# GRUB Environment Block\n{options}\n");
                let rest = "#".repeat(1024 - text.len());
                text + &rest
            };
            assert_eq!(environment(&block(given)), block(expected));
        };
        check("kernelopts=ro rootflags=subvol=r", "kernelopts=ro");
        check("a=b#\nkernelopts=ro rootfstype=xfs", "a=b#\nkernelopts=ro rootfstype=ext4");
        check("entry=Größe", "entry=Größe");
    }

    #[test]
    fn files_are_known_by_their_path() {
        let check = |path, place| assert_eq!(Place::of(path), place, "{path}");
        check("etc/fstab", Some(Place::Table));
        check("boot/loader/entries/a-6.1.conf", Some(Place::CommandLine));
        check("etc/default/grub", Some(Place::CommandLine));
        check("etc/default/grub.d/50-cloudimg-settings.cfg", Some(Place::CommandLine));
        check("etc/kernel/cmdline", Some(Place::CommandLine));
        check("boot/grub2/grub.cfg", Some(Place::Menu));
        check("boot/grub2/grubenv", Some(Place::Environment));
        check("boot/grub/fonts/x.pf2", None);
        check("home/etc/fstab", None);
    }

    proptest::proptest! {
        #[test]
        fn other_words_are_left_alone(text in "[a-q \"'=\n]*") {
            proptest::prop_assert_eq!(command_lines(&text), text);
        }
    }
}
