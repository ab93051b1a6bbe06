//! Which user and group ids a cell may use.
//!
//! Root takes a fixed range above those that useradd(8) and systemd hand out;
//! everyone else is root over themselves and the ranges that subuid(5) and
//! subgid(5) give them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The first host id of root's cells: just above systemd's container range
/// (`UIDS-GIDS.md` of systemd ends that at 1879048191).
const ROOT_FIRST: u32 = 1_879_048_192;

/// The first id that useradd(8) gives out as a subordinate one.
const SUBORDINATE_FIRST: u32 = 100_000;

const SUBUID: &str = "/etc/subuid";
const SUBGID: &str = "/etc/subgid";

/// How many ids a cell has. Images use ids up to 65535 (`nogroup` is 65534).
const COUNT: u32 = 65_536;

/// A run of ids: `inside..inside + count` in the cell are
/// `outside..outside + count` on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first id as the cell sees it.
    pub inside: u32,
    /// The first id as the host sees it.
    pub outside: u32,
    /// The number of ids.
    pub count: u32,
}

/// The ids of this user's cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids {
    /// User ids.
    pub users: Vec<Range>,
    /// Group ids.
    pub groups: Vec<Range>,
    /// Whether the kernel lets this process write the maps itself.
    pub privileged: bool,
}

/// This user may not have ids of their own.
#[derive(Debug, thiserror::Error)]
pub enum IdsError {
    /// The file that lists subordinate ids cannot be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// `/etc/subuid` or `/etc/subgid`.
        path: PathBuf,
        /// What root can run to mend it.
        mend: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file does not give this user enough ids.
    #[error("{} gives `{user}` fewer than 65535 ids", path.display())]
    TooFew {
        /// `/etc/subuid` or `/etc/subgid`.
        path: PathBuf,
        /// The user's name.
        user: String,
        /// What root can run to mend it.
        mend: String,
    },
}

impl IdsError {
    /// Returns the command that root can run to mend it.
    pub fn mend(&self) -> &str {
        match self {
            Self::Read { mend, .. } | Self::TooFew { mend, .. } => mend,
        }
    }
}

impl Ids {
    /// Returns the ids that this process's user may use for cells.
    pub fn of_this_user() -> Result<Self, IdsError> {
        let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        if uid == 0 {
            let range = Range { inside: 0, outside: ROOT_FIRST, count: COUNT };
            return Ok(Self { users: vec![range], groups: vec![range], privileged: true });
        }
        let user = user_name(uid);
        Ok(Self {
            users: subordinate(Path::new(SUBUID), &user, uid, uid)?,
            groups: subordinate(Path::new(SUBGID), &user, uid, gid)?,
            privileged: false,
        })
    }

    /// Returns the host's user and group id of the cell's root.
    pub fn root(&self) -> (u32, u32) {
        let outside = |ranges: &[Range]| ranges.first().map_or(0, |range| range.outside);
        (outside(&self.users), outside(&self.groups))
    }
}

fn user_name(uid: u32) -> String {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let wanted = uid.to_string();
    let line = passwd.lines().find(|line| line.split(':').nth(2) == Some(&wanted));
    line.and_then(|line| line.split(':').next()).map_or(wanted.clone(), str::to_owned)
}

fn subordinate(path: &Path, user: &str, uid: u32, own: u32) -> Result<Vec<Range>, IdsError> {
    // What cannot be read names no range that a new one could overlap.
    let mend = || mend([SUBUID, SUBGID].map(|path| fs::read_to_string(path).ok()), user);
    let text = fs::read_to_string(path).map_err(|source| IdsError::Read {
        path: path.to_owned(),
        mend: mend(),
        source,
    })?;
    ranges(&text, user, uid, own).ok_or_else(|| IdsError::TooFew {
        path: path.to_owned(),
        user: user.to_owned(),
        mend: mend(),
    })
}

/// Returns the command that gives `user` the first ids above all that `files`,
/// those of subuid(5) and subgid(5), give to anybody.
fn mend(files: [Option<String>; 2], user: &str) -> String {
    // usermod(8) has no such options where a file is missing.
    let make =
        if files.contains(&None) { format!("touch {SUBUID} {SUBGID} && ") } else { String::new() };
    let lines = files.iter().flatten().flat_map(|text| text.lines());
    let ends = lines.filter_map(|line| {
        let mut numbers = line.split(':').skip(1).map(str::parse::<u32>);
        numbers.next()?.ok()?.checked_add(numbers.next()?.ok()?)
    });
    let first = ends.max().unwrap_or(0).max(SUBORDINATE_FIRST);
    let range = format!("{first}-{}", first.saturating_add(COUNT - 1));
    format!("{make}usermod --add-subuids {range} --add-subgids {range} {user}")
}

/// Maps the cell's root to `own` and its other ids to the ranges that `text`,
/// in the format of subuid(5), gives to `user`; `None` if they do not suffice.
fn ranges(text: &str, user: &str, uid: u32, own: u32) -> Option<Vec<Range>> {
    let mut ranges = vec![Range { inside: 0, outside: own, count: 1 }];
    let mut next = 1;
    for line in text.lines() {
        let mut fields = line.split(':');
        let owner = fields.next()?;
        if owner != user && owner.parse() != Ok(uid) {
            continue;
        }
        let (Some(Ok(first)), Some(Ok(count))) =
            (fields.next().map(str::parse::<u32>), fields.next().map(str::parse::<u32>))
        else {
            continue;
        };
        let count = count.min(COUNT - next);
        if count > 0 {
            ranges.push(Range { inside: next, outside: first, count });
            next += count;
        }
    }
    (next == COUNT).then_some(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subordinate_ids_follow_the_users_own() {
        let own = Range { inside: 0, outside: 1000, count: 1 };
        let rest = Range { inside: 1, outside: 100_000, count: 65_535 };
        let text = "other:1:65536\nann:100000:65536\n";
        assert_eq!(ranges(text, "ann", 1000, 1000), Some(vec![own, rest]));
        assert_eq!(ranges("1000:100000:65536\n", "ann", 1000, 1000), Some(vec![own, rest]));
        let split = "ann:100000:60000\nann:300000:65536\n";
        assert_eq!(ranges(split, "ann", 1000, 1000).map(|r| r.len()), Some(3));
        assert_eq!(ranges("ann:100000:60000\n", "ann", 1000, 1000), None);
        assert_eq!(ranges("ann:x:y\n\n", "ann", 1000, 1000), None);
    }

    #[test]
    fn the_next_free_ids_are_offered() {
        let some = |text: &str| Some(text.to_owned());
        for (users, groups, command) in [
            (
                some(""),
                some("# none\n"),
                "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ann",
            ),
            (
                some("bob:100000:65536\neve:1:5\n"),
                some("bob:165536:65536\nbob:x:y\n"),
                "usermod --add-subuids 231072-296607 --add-subgids 231072-296607 ann",
            ),
            (
                some("bob:100000:65536\n"),
                None,
                "touch /etc/subuid /etc/subgid && usermod --add-subuids 165536-231071 --add-subgids 165536-231071 ann",
            ),
        ] {
            assert_eq!(mend([users, groups], "ann"), command);
        }
    }
}
