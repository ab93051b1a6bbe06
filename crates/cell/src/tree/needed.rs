//! How large a file system has to be for a tree.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use disk::ext4;

use super::holes::{next_data, next_hole};
use super::write::WriteError;

const BLOCK: u64 = 4096;

/// Returns the least size in bytes of a file system for `paths` of the tree.
pub(super) fn needed(tree: &Path, paths: &[PathBuf]) -> Result<u64, WriteError> {
    let mut blocks = 0;
    let mut linked = HashSet::new();
    for path in paths {
        let fail = |source| WriteError::Tree { path: path.clone(), source };
        let full = tree.join(path);
        let meta = fs::symlink_metadata(&full).map_err(fail)?;
        if !meta.is_dir() && meta.nlink() > 1 && !linked.insert((meta.dev(), meta.ino())) {
            continue;
        }
        // One more for a folder, or for attributes.
        blocks += 1 + if meta.is_dir() { 0 } else { content(&full, &meta).map_err(fail)? };
    }
    ext4::minimum_size(blocks, paths.len() as u64 + 16).ok_or(WriteError::TooLarge)
}

/// Returns the blocks of a file's content, or of a link's target.
fn content(full: &Path, meta: &Metadata) -> io::Result<u64> {
    let all = meta.len().div_ceil(BLOCK);
    if !meta.is_file() || meta.blocks() * 512 >= meta.len() {
        return Ok(all);
    }
    // Fewer blocks than bytes are those of a file with holes, or of one that
    // this file system keeps compressed.
    let file = File::open(full)?;
    let (mut blocks, mut stretches, mut at) = (0, 0, 0);
    while let Some(data) = next_data(&file, at)? {
        at = next_hole(&file, data)?;
        blocks += at.div_ceil(BLOCK) - data / BLOCK;
        stretches += 1;
    }
    Ok(ext4::sparse_blocks(blocks, stretches))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn holes_and_further_names_need_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let sparse = File::create(folder.path().join("sparse")).unwrap();
        sparse.set_len(4 << 40).unwrap();
        sparse.write_all_at(&[1; 5000], 3 << 40).unwrap();
        fs::write(folder.path().join("first"), vec![1; 40 * MIB as usize]).unwrap();
        fs::hard_link(folder.path().join("first"), folder.path().join("second")).unwrap();
        let check = |paths: &[&str], least: u64, most: u64| {
            let paths: Vec<_> = paths.iter().map(PathBuf::from).collect();
            let needed = needed(folder.path(), &paths).unwrap();
            assert!((least * MIB..=most * MIB).contains(&needed), "{paths:?}: {needed}");
        };
        check(&["sparse"], 16, 16);
        check(&["first"], 40, 60);
        check(&["first", "second"], 40, 60);
    }
}
