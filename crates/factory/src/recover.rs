//! After a crash: what earlier processes left behind is ended and removed.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use cell::{Cells, SpawnError, Task};
use model::ImageState;
use store::{Db, StoreError, run};

use crate::clock::now_micros;
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

/// Ends the runs whose process is gone; returns the names of their images.
///
/// Enough for those who only read the catalogue: they see what is true now,
/// and the folders are removed when the factory is opened next.
pub async fn end_dead_runs(db: &Db) -> Result<Vec<String>, StoreError> {
    let mut ended = Vec::new();
    let this = owner::this_process();
    for run in run::unfinished(db).await? {
        if owner::lives(&run.owner) || !run::adopt(db, run.id, &run.owner, &this).await? {
            continue;
        }
        let reason = "the factory was stopped before the build had ended";
        run::advance(db, run.id, ImageState::Failed, reason, now_micros()).await?;
        ended.push(format!("{}/{}", run.image, run.build));
    }
    Ok(ended)
}

/// Ends the runs whose process is gone and removes their folders.
///
/// Their processes are gone already: each lived in a cell, and a cell ends
/// with the factory that made it.
pub(crate) async fn recover(db: &Db, cells: &Cells) -> Result<Recovered, StoreError> {
    let failed = end_dead_runs(db).await?;
    let live = run::unfinished(db).await?.into_iter().map(|run| run.work).collect();
    let stale = stale(cells.data(), &live);
    let dead = |name: &str| {
        stale
            .iter()
            .filter_map(|folder| folder.file_name()?.to_str())
            .any(|run| name.starts_with(run))
    };
    cells.tidy_up(&dead);
    let left = remove(cells, stale).err().map(|error| error.to_string());
    Ok(Recovered { failed, left })
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

fn stale(data: &Path, live: &HashSet<String>) -> Vec<PathBuf> {
    let entries = fs::read_dir(data.join("work")).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !live.contains(name))
        .map(|name| Path::new("work").join(name))
        .collect()
}
