//! Folders of the machines that users run, `<data>/machines/<name>`.
//!
//! Each is locked while its machine runs, so that what a crash left behind
//! can be told from what is in use, and removed.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use cell::{Cells, Task};

const FOLDER: &str = "machines";

/// The folder of one machine; removed when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    cells: Cells,
    path: PathBuf,
    _lock: File,
}

impl Room {
    /// Makes a folder that cells may write to, after those that nobody uses
    /// are removed.
    pub(crate) fn make(cells: &Cells) -> io::Result<Self> {
        // Until a new folder has its own lock, the one on all keeps it from
        // being taken for an old one.
        let _all = lock_all(cells)?;
        remove_unused(cells)?;
        let path = Path::new(FOLDER).join(std::process::id().to_string());
        cells.make_folder(&path)?;
        let lock = File::open(cells.data().join(&path))?;
        lock.lock()?;
        Ok(Self { cells: cells.clone(), path, _lock: lock })
    }

    /// Returns the folder, relative to the data folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a file that only the machine can read; returns it and its path
    /// relative to the data folder.
    pub(crate) fn file(&self, name: &str) -> io::Result<(File, PathBuf)> {
        let path = self.path.join(name);
        let mut options = File::options();
        let options = options.write(true).create_new(true).mode(0o600);
        let file = options.open(self.cells.data().join(&path))?;
        self.cells.hand_over(&path)?;
        Ok((file, path))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // What stays is removed when the next machine or factory starts.
        let _ = remove(&self.cells, &self.path);
    }
}

/// Removes the folders of machines that no longer run.
pub(crate) fn tidy(cells: &Cells) -> io::Result<()> {
    let _all = lock_all(cells)?;
    remove_unused(cells)
}

fn lock_all(cells: &Cells) -> io::Result<File> {
    let folder = cells.data().join(FOLDER);
    fs::create_dir_all(&folder)?;
    let lock = File::open(folder)?;
    lock.lock()?;
    Ok(lock)
}

fn remove_unused(cells: &Cells) -> io::Result<()> {
    for entry in fs::read_dir(cells.data().join(FOLDER))? {
        let entry = entry?;
        if File::open(entry.path())?.try_lock().is_ok() {
            let name = entry.file_name();
            remove(cells, &Path::new(FOLDER).join(&name))?;
            // Control groups of a trial whose process was killed.
            let dead = format!("trial-{}", name.to_string_lossy());
            cells.tidy_up(&|name| name == dead || name == format!("{dead}-disk"));
        }
    }
    Ok(())
}

fn remove(cells: &Cells, path: &Path) -> io::Result<()> {
    // In a cell, as the files are its users'. As root the cell may not remove
    // the folder itself from ours, and says so; that is done after it.
    let _ = cells.run("remove", Task::Remove { paths: vec![path.to_owned()] }, &mut io::empty());
    match fs::remove_dir_all(cells.data().join(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
