//! Folders and files that other users of the machine have no business in: images and logs hold
//! what is in the image, its passwords' hashes among it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Makes a folder, and those it is in, for this user alone. One that is there keeps its mode.
///
/// For the data folder: root's cells, which are other users, are given the way through it, and
/// nothing else, by [`cell::Cells::new`].
pub fn make_data_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a folder, or takes one that was made by an earlier version, for this user alone.
pub(crate) fn take_folder(path: &Path) -> io::Result<()> {
    make_data_folder(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// Opens a file to be read and added to; if it is not there, makes it for this user alone.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use crate::fixture;

    use super::*;

    #[tokio::test]
    async fn the_data_folder_is_closed_to_others_but_for_the_way_through_it() {
        let folder = tempfile::tempdir().unwrap();
        let factory = fixture::factory(folder.path()).await;
        let data = fs::metadata(factory.cells.data()).unwrap().permissions().mode() & 0o777;
        let way = if factory.cells.ids().privileged { 0o001 } else { 0 };
        assert_eq!(data, 0o700 | way);
    }
}
