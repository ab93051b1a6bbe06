//! The table of what is mounted where (fstab(5)), read and rewritten.

use crate::reader::Subvolume;

/// Options that mean the same for every file system (mount(8)).
const GENERIC: [&str; 30] = [
    "async",
    "atime",
    "auto",
    "defaults",
    "dev",
    "diratime",
    "dirsync",
    "discard",
    "exec",
    "group",
    "iversion",
    "lazytime",
    "loud",
    "noatime",
    "noauto",
    "nodev",
    "nodiratime",
    "noexec",
    "nofail",
    "norelatime",
    "nostrictatime",
    "nosuid",
    "nouser",
    "owner",
    "relatime",
    "ro",
    "rw",
    "strictatime",
    "suid",
    "sync",
];

/// A line that mounts something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What is mounted, for example `UUID=…`.
    pub(super) what: String,
    /// Where, without a leading slash; empty for the root.
    pub(super) place: String,
    /// The kind of file system.
    pub(super) kind: String,
    options: String,
}

impl Line {
    /// Returns the subvolume that the options name.
    pub(super) fn subvolume(&self) -> Option<Subvolume> {
        self.options.split(',').find_map(|option| match option.split_once('=')? {
            ("subvol", path) => Some(Subvolume::Path(path.to_owned())),
            ("subvolid", number) => Some(Subvolume::Number(number.parse().ok()?)),
            _ => None,
        })
    }
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays as it is.
    Stay,
    /// It mounts an ext4 file system from now on.
    Change,
    /// What it mounts has become part of another file system.
    Go,
}

/// Returns the lines of a table that mount something.
pub(super) fn lines(text: &str) -> Vec<Line> {
    text.lines().filter_map(parse).collect()
}

/// Returns the table with each line changed as `decide` says.
pub(super) fn rewrite(text: &str, decide: impl Fn(&Line) -> Fate) -> String {
    let mut rewritten = String::new();
    for raw in text.split_inclusive('\n') {
        let line = parse(raw);
        match line.as_ref().map_or(Fate::Stay, &decide) {
            Fate::Stay => rewritten += raw,
            Fate::Change => {
                let fields: Vec<&str> = raw.split_whitespace().collect();
                let options = generic(fields.get(3).copied().unwrap_or("defaults"));
                let passes = fields.get(4..).unwrap_or_default().join(" ");
                let line = format!("{} {} ext4 {options} {passes}", fields[0], fields[1]);
                rewritten += line.trim_end();
                rewritten.push('\n');
            }
            Fate::Go => {}
        }
    }
    rewritten
}

/// Returns those of a list of options that ext4 understands.
pub(super) fn generic(options: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for option in options.split(',') {
        let name = option.split('=').next().unwrap_or_default();
        // `discard=async` is Btrfs's.
        let option = if name == "discard" { name } else { option };
        if GENERIC.contains(&option) || name.starts_with("x-") || name == "comment" {
            kept.push(option);
        }
    }
    if kept.is_empty() { "defaults".to_owned() } else { kept.join(",") }
}

fn parse(raw: &str) -> Option<Line> {
    let mut fields = raw.split_whitespace();
    let what = fields.next().filter(|what| !what.starts_with('#'))?;
    let place = fields.next().and_then(place)?;
    let kind = fields.next()?;
    Some(Line {
        what: what.trim_matches('"').replace('"', ""),
        place: place.to_owned(),
        kind: kind.to_owned(),
        options: fields.next().unwrap_or_default().to_owned(),
    })
}

/// Returns where a line mounts, without the outer slashes. Nothing is mounted
/// where a path has `.`, `..` or empty components: files are unpacked to this
/// place, and a hostile table would lead them out of their tree.
fn place(field: &str) -> Option<&str> {
    let place = field.strip_prefix('/')?.trim_matches('/');
    let is_normal = place.split('/').all(|name| !matches!(name, "" | "." | ".."));
    (place.is_empty() || is_normal).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEDORA: &str = "#\n# /etc/fstab\n\
        UUID=aaaa\t/\tbtrfs\tsubvol=root,compress=zstd:1 0 0\n\
        UUID=bbbb /boot ext4 defaults 1 2\n\
        UUID=aaaa /home btrfs subvol=home,compress=zstd:1 0 0\n\
        UUID=CCCC-DDDD /boot/efi vfat defaults,uid=0,gid=0,umask=077,shortname=winnt 0 2\n";

    #[test]
    fn lines_are_understood() {
        let lines = lines(FEDORA);
        let places: Vec<_> = lines.iter().map(|line| line.place.as_str()).collect();
        assert_eq!(places, ["", "boot", "home", "boot/efi"]);
        assert_eq!(lines[0].subvolume(), Some(Subvolume::Path("root".to_owned())));
        assert_eq!(lines[1].subvolume(), None);
        let swap = "/dev/sda2 none swap sw 0 0\nx\n\nUUID=a /x btrfs rw,subvolid=300\n";
        let lines = super::lines(swap);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].subvolume(), Some(Subvolume::Number(300)));
    }

    #[test]
    fn places_stay_in_the_tree() {
        let check = |field, expected: &[&str]| {
            let lines = lines(&format!("UUID=a {field} ext4 defaults 0 0\n"));
            let places: Vec<_> = lines.iter().map(|line| line.place.as_str()).collect();
            assert_eq!(places, expected, "{field}");
        };
        check("/", &[""]);
        check("//boot/", &["boot"]);
        check("/srv/..data/a.b", &["srv/..data/a.b"]);
        for field in ["/..", "/../../home/ann", "/srv/../../x", "/./x", "/srv//x", "none", "x"] {
            check(field, &[]);
        }
    }

    #[test]
    fn lines_change_stay_and_go() {
        let rewritten = rewrite(FEDORA, |line| match line.place.as_str() {
            "" => Fate::Change,
            "home" => Fate::Go,
            _ => Fate::Stay,
        });
        let expected = "#\n# /etc/fstab\n\
            UUID=aaaa / ext4 defaults 0 0\n\
            UUID=bbbb /boot ext4 defaults 1 2\n\
            UUID=CCCC-DDDD /boot/efi vfat defaults,uid=0,gid=0,umask=077,shortname=winnt 0 2\n";
        assert_eq!(rewritten, expected);
    }

    #[test]
    fn options_of_others_are_dropped() {
        let check = |options, expected: &str| assert_eq!(generic(options), expected);
        check("defaults,noatime", "defaults,noatime");
        check("subvol=root,compress=zstd:1", "defaults");
        check("rw,inode64,logbufs=8,noquota,x-systemd.growfs", "rw,x-systemd.growfs");
        check("discard=async,ssd,space_cache=v2", "discard");
    }
}
