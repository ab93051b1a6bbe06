//! Which process carries a run out, so that another one can tell whether it lives.
//!
//! A process that makes images holds a lock on a file of its own, `<data>/owners/<name>`, and its
//! runs name the file. Unlike the number of a process, a lock means the same in every container
//! over one data folder.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::build::random;
use crate::lock::lock_folder;
use crate::private;

/// This process, as an owner of runs, for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Owner {
    name: String,
    path: PathBuf,
    _lock: File,
}

impl Owner {
    /// Makes and locks a file for this process, after those of dead ones are removed.
    pub(crate) fn enter(data: &Path) -> io::Result<Self> {
        let folder = folder(data);
        // Nobody else is to hold what is in there.
        private::take_folder(&folder)?;
        // Until the new file has its own lock, the one on all keeps it from
        // being taken for a dead process's.
        let _all = lock_folder(&folder)?;
        remove_dead(&folder)?;
        let name: String = random::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = folder.join(&name);
        let lock = File::create_new(&path)?;
        lock.lock()?;
        Ok(Self { name, path, _lock: lock })
    }

    /// Returns what runs call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // What stays is removed by the next process.
        let _ = fs::remove_file(&self.path);
    }
}

/// Says whether the process that runs call `name` lives, as far as this user can tell.
pub(crate) fn lives(data: &Path, name: &str) -> bool {
    match File::open(folder(data).join(name)) {
        Ok(file) => is_locked(&file),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

fn folder(data: &Path) -> PathBuf {
    data.join("owners")
}

fn remove_dead(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if !is_locked(&File::open(&path)?) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Says whether a process holds the file. Those who ask do not see each other.
fn is_locked(file: &File) -> bool {
    file.try_lock_shared().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_lives_as_long_as_its_lock_is_held() {
        let data = tempfile::tempdir().unwrap();
        let [one, two] = [(); 2].map(|()| Owner::enter(data.path()).unwrap());
        let lives = |name: &str| lives(data.path(), name);
        assert!(lives(one.name()) && lives(two.name()));
        assert!(!lives("of another data folder"));

        // As a killed process leaves it: the file is there, and nobody holds it.
        let killed = one.name().to_owned();
        fs::rename(&one.path, folder(data.path()).join("aside")).unwrap();
        drop(one);
        fs::rename(folder(data.path()).join("aside"), folder(data.path()).join(&killed)).unwrap();
        assert!(!lives(&killed));
        let three = Owner::enter(data.path()).unwrap();
        assert!(lives(two.name()) && lives(three.name()));
        drop((two, three));
        assert_eq!(fs::read_dir(folder(data.path())).unwrap().count(), 0);
    }
}
