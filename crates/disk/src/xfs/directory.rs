//! The names in a directory, in an inode or in blocks ("Directories").
//!
//! What helps to find a name quickly, leaves and nodes, lies beyond the data
//! and is not read.

use crate::bytes::{be_u16_at, be_u32_at, be_u64_at};
use crate::read::{Names, ReadErrorKind, corrupt};

/// A directory that is one block, which ends in its leaf.
const BLOCK_MAGIC: [u8; 4] = *b"XDB3";
/// A block of a larger one.
const DATA_MAGIC: [u8; 4] = *b"XDD3";
const HEADER: usize = 64;
const UNUSED: u16 = 0xffff;
/// A block's leaf: a number of entries of this length, and a tail of it.
const LEAF_ENTRY: usize = 8;

/// Reads a directory that is held in its inode ("Short Form Directories").
pub(super) fn short_form(bytes: &[u8], file_types: bool) -> Result<Names<u64>, ReadErrorKind> {
    let (header, mut rest) = bytes.split_at_checked(2).ok_or_else(broken)?;
    let (count, wide) = (header[0], header[1] > 0);
    // Without the entries `.` and `..`; the parent comes first.
    let number_length = if wide { 8 } else { 4 };
    rest = rest.get(number_length..).ok_or_else(broken)?;
    let mut children = Names::new();
    for _ in 0..count {
        let name_end = 3 + usize::from(*rest.first().ok_or_else(broken)?);
        let number_at = name_end + usize::from(file_types);
        let end = number_at + number_length;
        let entry = rest.get(..end).ok_or_else(broken)?;
        let number =
            if wide { be_u64_at(entry, number_at) } else { be_u32_at(entry, number_at).into() };
        children.push(&entry[3..name_end], number)?;
        rest = &rest[end..];
    }
    Ok(children)
}

/// Adds the names in one block; one of zeros is a hole.
pub(super) fn data_block(
    block: &[u8],
    file_types: bool,
    children: &mut Names<u64>,
) -> Result<(), ReadErrorKind> {
    let magic = block.get(..4).ok_or_else(broken)?;
    let end = if magic == DATA_MAGIC {
        block.len()
    } else if magic == BLOCK_MAGIC {
        let tail = block.len() - LEAF_ENTRY;
        let entries = (be_u32_at(block, tail) as usize).saturating_mul(LEAF_ENTRY);
        tail.checked_sub(entries).ok_or_else(broken)?
    } else if magic == [0; 4] {
        return Ok(());
    } else {
        return Err(broken());
    };
    let mut rest = block.get(HEADER..end).ok_or_else(broken)?;
    while !rest.is_empty() {
        let head = rest.get(..4).ok_or_else(broken)?;
        let length = if be_u16_at(head, 0) == UNUSED {
            usize::from(be_u16_at(head, 2))
        } else {
            let start = rest.get(..9).ok_or_else(broken)?;
            let name_end = 9 + usize::from(start[8]);
            let name = rest.get(9..name_end).ok_or_else(broken)?;
            if name != b"." && name != b".." {
                children.push(name, be_u64_at(start, 0))?;
            }
            // A tag ends the entry.
            (name_end + usize::from(file_types) + 2).next_multiple_of(8)
        };
        if length < 8 {
            return Err(broken());
        }
        rest = rest.get(length..).ok_or_else(broken)?;
    }
    Ok(())
}

fn broken() -> ReadErrorKind {
    corrupt("an entry of the directory")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_directory_is_read_as_documented() {
        let narrow = [
            &[2, 0][..],
            &[0, 0, 0, 128],
            &[1, 0, 0x60, b'a', 1, 0, 0, 0, 131],
            &[2, 0, 0x70, b'b', b'c', 2, 0, 0, 0, 132],
        ]
        .concat();
        let found = short_form(&narrow, true).unwrap().into_vec();
        assert_eq!(found, [(b"a".to_vec(), 131), (b"bc".to_vec(), 132)]);
        let wide = [&[1, 1][..], &[0; 8], &[1, 0, 0x60, b'a', 0, 0, 0, 1, 0, 0, 0, 131]].concat();
        assert_eq!(
            short_form(&wide, false).unwrap().into_vec(),
            [(b"a".to_vec(), (1 << 32) + 131)]
        );
    }

    proptest! {
        #[test]
        fn noise_never_panics(mut noise: Vec<u8>, file_types: bool, single: bool) {
            let _ = short_form(&noise, file_types);
            let magic = if single { BLOCK_MAGIC } else { DATA_MAGIC };
            noise.splice(..0, [&magic[..], &[0; HEADER - 4]].concat());
            let _ = data_block(&noise, file_types, &mut Names::new());
        }
    }
}
