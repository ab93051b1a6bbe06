//! After a crash: what earlier processes left behind is ended and removed.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use cell::{Cells, SpawnError, Task};
use store::{Db, StoreError, run};

use crate::clock::now_micros;
use crate::lock::lock_folder;
use crate::owner;

/// What a recovery did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The images whose builds had been cut short, now failed.
    pub failed: Vec<String>,
    /// Why folders of theirs are still there, if any are. The next recovery
    /// tries again.
    pub left: Option<String>,
}

/// What earlier processes left behind could not be found or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// The catalogue failed.
    #[error("failed to end the runs that lost their process")]
    Store(#[from] StoreError),
    /// The folders of runs cannot be read.
    #[error("failed to look for the folders of runs")]
    Folders(#[from] io::Error),
}

/// Ends the runs whose process is gone; returns the names of their images.
///
/// Enough for those who only read the catalogue: they see what is true now,
/// and the folders are removed when the factory is opened next.
pub async fn end_dead_runs(db: &Db, data: &Path) -> Result<Vec<String>, StoreError> {
    let mut ended = Vec::new();
    for run in run::unfinished(db).await? {
        if owner::lives(data, &run.owner) {
            continue;
        }
        let reason = "the factory was stopped before the build had ended";
        if run::end_orphan(db, run.id, &run.owner, reason, now_micros()).await? {
            ended.push(format!("{}/{}", run.image, run.build));
        }
    }
    Ok(ended)
}

/// Ends the runs whose process is gone and removes their folders.
///
/// Their processes are gone already: each lived in a cell, and a cell ends
/// with the factory that made it.
pub(crate) async fn recover(db: &Db, cells: &Cells) -> Result<Recovered, RecoverError> {
    let failed = end_dead_runs(db, cells.data()).await?;
    let _lock = lock_work(cells.data())?;
    // Before the catalogue is asked: a folder that is there belongs to a run
    // that was recorded before, and no other is made meanwhile.
    let there = folders(cells.data())?;
    let live = run::unfinished(db).await?.into_iter().map(|run| run.work).collect();
    let stale = stale(there, &live);
    let dead = |name: &str| stale.iter().any(|run| name.starts_with(run));
    cells.tidy_up(&dead);
    let folders = stale.iter().map(|name| Path::new(WORK).join(name)).collect();
    let left = remove(cells, folders).err().map(|error| error.to_string());
    Ok(Recovered { failed, left })
}

/// Where the folders of runs are, below the data folder.
pub(crate) const WORK: &str = "work";

/// Keeps a recovery from removing a run's folder while it is made, and runs from making any
/// while a recovery removes some.
pub(crate) fn lock_work(data: &Path) -> io::Result<File> {
    lock_folder(&data.join(WORK))
}

/// Removes folders that cells have written to. What cannot be removed now is
/// found again by the next recovery.
pub(crate) fn remove(cells: &Cells, folders: Vec<PathBuf>) -> Result<(), SpawnError> {
    if folders.is_empty() {
        return Ok(());
    }
    let task = Task::Remove { paths: folders.clone() };
    let emptied = cells.run("remove", task, &mut std::io::empty());
    for folder in folders {
        // A cell of root's may not take it out of its parent. If it is not
        // empty, the cell has said why.
        let _ = fs::remove_dir(cells.data().join(folder));
    }
    emptied.map(drop)
}

fn folders(data: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(data.join(WORK))?.collect::<io::Result<Vec<_>>>()?;
    Ok(entries.into_iter().filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

fn stale(there: Vec<String>, live: &HashSet<String>) -> Vec<String> {
    there.into_iter().filter(|name| !live.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use model::ImageState;

    use super::*;
    use crate::fixture;

    /// Whoever opens the data folder besides, from whatever container.
    #[tokio::test]
    async fn a_run_and_its_folder_are_left_alone_while_its_owner_lives() {
        let folder = tempfile::tempdir().unwrap();
        let first = fixture::factory(folder.path()).await;
        let account = "123456789012".parse().unwrap();
        let run = first.record(account, fixture::order()).await.unwrap().run;
        let work = Path::new(WORK).join(&run.work);
        first.cells.make_folder(&work).unwrap();
        let work = first.cells.data().join(work);

        let second = fixture::factory(folder.path()).await;
        let found = run::unfinished(&second.db).await.unwrap();
        assert_eq!(found, [run]);
        assert!(work.exists());

        drop(first);
        let ended = end_dead_runs(&second.db, second.cells.data()).await.unwrap();
        assert_eq!(ended, ["web/1.0.0/1"]);
        let found = run::list(&second.db).await.unwrap().remove(0);
        assert_eq!(found.state, ImageState::Failed);
        let live = run::unfinished(&second.db).await.unwrap();
        assert!(live.is_empty());
        assert_eq!(folders(second.cells.data()).unwrap(), [found.work]);
    }
}
