//! Users and groups of this machine, read from `/etc/passwd` and `/etc/group`.
//!
//! The C library's lookups are not used: in a static binary they would load
//! the machine's own libraries. Directories such as LDAP are thus not asked.

use std::fs;
use std::io;

use rustix::fs::{Gid, Uid};

/// A user or group could not be looked up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    #[error("no user is called `{0}`")]
    NoUser(String),
    #[error("no group is called `{0}`")]
    NoGroup(String),
    #[error("failed to read `{path}`")]
    Read { path: &'static str, source: io::Error },
}

/// One line of `/etc/passwd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) uid: u32,
    /// The primary group; `None` for a number without an entry.
    pub(crate) gid: Option<u32>,
}

/// Looks up `user`, a name or a number.
pub(crate) fn user(user: &str) -> Result<User, AccountError> {
    find_user(&read("/etc/passwd")?, user).ok_or_else(|| AccountError::NoUser(user.to_owned()))
}

/// Looks up `group`, a name or a number.
pub(crate) fn group(group: &str) -> Result<u32, AccountError> {
    find_group(&read("/etc/group")?, group).ok_or_else(|| AccountError::NoGroup(group.to_owned()))
}

/// Returns what to pass to `chown` for an owner and a group given by name.
pub(crate) fn owners(
    owner: Option<&str>,
    group: Option<&str>,
) -> Result<(Option<Uid>, Option<Gid>), AccountError> {
    let uid = owner.map(user).transpose()?.map(|user| Uid::from_raw(user.uid));
    let gid = group.map(self::group).transpose()?.map(Gid::from_raw);
    Ok((uid, gid))
}

fn read(path: &'static str) -> Result<String, AccountError> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        // A bare tree has no accounts, but numbers work all the same.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(AccountError::Read { path, source }),
    }
}

fn find_user(passwd: &str, wanted: &str) -> Option<User> {
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let uid = fields.nth(1)?.parse().ok()?;
        Some((name, User { uid, gid: Some(fields.next()?.parse().ok()?) }))
    };
    let entries: Vec<_> = passwd.lines().filter_map(entry).collect();
    let named = entries.iter().find(|(name, _)| name == wanted);
    let numbered = || {
        let uid = wanted.parse().ok()?;
        let listed = entries.iter().find(|(_, user)| user.uid == uid);
        Some(listed.map_or(User { uid, gid: None }, |(_, user)| *user))
    };
    named.map(|(_, user)| *user).or_else(numbered)
}

fn find_group(group: &str, wanted: &str) -> Option<u32> {
    let gid = |line: &str| {
        let (name, rest) = line.split_once(':')?;
        let gid = rest.split(':').nth(1)?.parse().ok()?;
        (name == wanted).then_some(gid)
    };
    group.lines().find_map(gid).or_else(|| wanted.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        broken line\nwww-data:x:33:34:www:/var/www:/usr/sbin/nologin\n007:x:8:9::/:/bin/sh\n";

    #[test]
    fn users_are_found_by_name_then_by_number() {
        let check = |wanted, expected: Option<(u32, Option<u32>)>| {
            let found = find_user(PASSWD, wanted).map(|user| (user.uid, user.gid));
            assert_eq!(found, expected, "{wanted}");
        };
        check("root", Some((0, Some(0))));
        check("www-data", Some((33, Some(34))));
        check("33", Some((33, Some(34))));
        check("007", Some((8, Some(9))));
        check("1234", Some((1234, None)));
        check("www", None);
        check("broken line", None);
        check("-1", None);
    }

    #[test]
    fn groups_are_found_by_name_then_by_number() {
        let groups = "root:x:0:\nadm:x:4:syslog,me\nhalf\n";
        let check = |wanted, expected| assert_eq!(find_group(groups, wanted), expected);
        check("adm", Some(4));
        check("4", Some(4));
        check("5", Some(5));
        check("half", None);
    }
}
