//! POSIX access control lists: `getxattr` gives them in another form than the
//! one on disk.
//!
//! The forms are those of linux/posix_acl_xattr.h and fs/ext4/acl.h: on disk
//! only entries of named users and groups have an id.

use crate::bytes::{u16_at, u32_at};

const XATTR_VERSION: u32 = 2;
const DISK_VERSION: u32 = 1;
const NAMED_USER: u16 = 2;
const NAMED_GROUP: u16 = 8;
const NO_ID: u32 = u32::MAX;

/// Returns what is on disk for the attribute `value`, or `None` if that is no
/// access control list.
pub(super) fn to_disk(value: &[u8]) -> Option<Vec<u8>> {
    let (version, entries) = value.split_at_checked(4)?;
    if u32_at(version, 0) != XATTR_VERSION || !entries.len().is_multiple_of(8) {
        return None;
    }
    let mut disk = DISK_VERSION.to_le_bytes().to_vec();
    for entry in entries.chunks(8) {
        disk.extend(&entry[..if has_id(u16_at(entry, 0)) { 8 } else { 4 }]);
    }
    Some(disk)
}

/// Returns the attribute's value for what is on disk, or `None` if that is no
/// access control list.
pub(super) fn from_disk(disk: &[u8]) -> Option<Vec<u8>> {
    let (version, mut rest) = disk.split_at_checked(4)?;
    if u32_at(version, 0) != DISK_VERSION {
        return None;
    }
    let mut value = XATTR_VERSION.to_le_bytes().to_vec();
    while !rest.is_empty() {
        let (entry, more) = rest.split_at_checked(4)?;
        value.extend(entry);
        rest = more;
        if has_id(u16_at(entry, 0)) {
            let (id, more) = rest.split_at_checked(4)?;
            value.extend(id);
            rest = more;
        } else {
            value.extend(NO_ID.to_le_bytes());
        }
    }
    Some(value)
}

fn has_id(tag: u16) -> bool {
    tag == NAMED_USER || tag == NAMED_GROUP
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `u::rw-,u:1000:r--,g::r--,m::r--,o::---`
    #[test]
    fn lists_round_trip() {
        let mut value = vec![2, 0, 0, 0];
        for (tag, permissions, id) in
            [(1u16, 6u16, NO_ID), (2, 4, 1000), (4, 4, NO_ID), (16, 4, NO_ID), (32, 0, NO_ID)]
        {
            value.extend(tag.to_le_bytes());
            value.extend(permissions.to_le_bytes());
            value.extend(id.to_le_bytes());
        }
        let disk = to_disk(&value).unwrap();
        let expected = [
            &[1, 0, 0, 0][..],
            &[1, 0, 6, 0],
            &[2, 0, 4, 0, 0xe8, 3, 0, 0],
            &[4, 0, 4, 0],
            &[16, 0, 4, 0],
            &[32, 0, 0, 0],
        ];
        assert_eq!(disk, expected.concat());
        assert_eq!(from_disk(&disk), Some(value));
    }

    #[test]
    fn other_bytes_are_refused() {
        for bad in [&[][..], &[2, 0, 0], &[1, 0, 0, 0], &[2, 0, 0, 0, 1]] {
            assert_eq!(to_disk(bad), None);
        }
        for bad in [&[][..], &[2, 0, 0, 0], &[1, 0, 0, 0, 2, 0, 4, 0], &[1, 0, 0, 0, 1]] {
            assert_eq!(from_disk(bad), None);
        }
    }
}
