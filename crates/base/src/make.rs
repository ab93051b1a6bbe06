//! Makes a managed base: mmdebstrap's archive, unpacked as it arrives.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use cell::{Cells, Network, Run, SpawnError, Stdio, Task};
use model::Mirror;

use crate::hashing::Hashing;
use crate::managed::Managed;
use crate::receipt::{Boot, FOLDER, MadeOf, Receipt, ReceiptError, Watch};
use crate::{Epoch, Os};

/// A managed base could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// mmdebstrap failed; the text is its last lines.
    #[error("mmdebstrap failed to make `{name}`:\n{last_lines}")]
    Mmdebstrap {
        /// The base.
        name: &'static str,
        /// What it said last.
        last_lines: String,
    },
    /// A cell failed.
    #[error("failed to make `{name}`")]
    Cell {
        /// The base.
        name: &'static str,
        /// Why.
        #[source]
        source: SpawnError,
    },
    /// A file failed.
    #[error("failed to make `{name}`")]
    Io {
        /// The base.
        name: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The receipt could not be kept.
    #[error("failed to finish `{name}`")]
    Receipt {
        /// The base.
        name: &'static str,
        /// Why.
        #[source]
        source: ReceiptError,
    },
    /// The watcher gave up.
    #[error("cancelled")]
    Cancelled,
}

/// Makes `managed` from the archives of `mirror` (mmdebstrap's defaults if
/// `None`), with `epoch` as the youngest time of any file.
///
/// `scratch` is a folder of the caller's below the data folder; whatever
/// happens, what is left in it is worth nothing.
pub fn make(
    cells: &Cells,
    managed: &Managed,
    mirror: Option<&Mirror>,
    epoch: Epoch,
    scratch: &Path,
    watch: &dyn Watch,
) -> Result<Receipt, MakeError> {
    let name = managed.name;
    let io = |source| MakeError::Io { name, source };
    let cell = |source| MakeError::Cell { name, source };
    let partial = scratch.join("tree");
    // Both, as only what a cell owns can be emptied in one.
    cells.make_folder(scratch).map_err(io)?;
    cells.make_folder(&partial).map_err(io)?;
    let mut maker =
        cells.spawn(name, mmdebstrap(managed, mirror, epoch), None, Stdio::Pipes).map_err(cell)?;
    let (Some(archive), Some(stderr)) = (maker.stdout.take(), maker.stderr.take()) else {
        unreachable!("the cell was spawned with pipes");
    };
    let (leash, done) = (maker.leash(), AtomicBool::new(false));
    let mut archive = Hashing::new(archive, watch);
    let (unpacked, last_lines) = std::thread::scope(|scope| {
        let told = scope.spawn(|| tell(stderr, watch));
        // mmdebstrap says nothing for most of its time.
        let watchdog = scope.spawn(|| leash.cut_when(|| watch.cancelled(), &done));
        let task = Task::Extract { into: partial.clone() };
        let unpacked = cells.run(&format!("{name}-unpack"), task, &mut archive).and_then(|_| {
            // The archive's end marks come before the stream's end.
            io::copy(&mut archive, &mut io::sink()).map_err(SpawnError::Pipe)
        });
        if unpacked.is_err() {
            leash.cut();
        }
        done.store(true, Ordering::Release);
        watchdog.thread().unpark();
        (unpacked, told.join().expect("reading a pipe does not panic"))
    });
    let made = maker.wait().map_err(io)?;
    if watch.cancelled() {
        return Err(MakeError::Cancelled);
    }
    // Who failed first is to blame: an archive that was not read to its end
    // is one whose maker was stopped because unpacking it had failed.
    match unpacked {
        Err(source) if !archive.has_ended() => return Err(cell(source)),
        Ok(_) | Err(_) if !made.success() => {
            return Err(MakeError::Mmdebstrap { name, last_lines });
        }
        Ok(_) => {}
        Err(source) => return Err(cell(source)),
    }

    let digest = archive.digest();
    let tree = Path::new(FOLDER).join(digest.hex());
    finish(cells.data(), &partial, &tree).map_err(io)?;
    let text = cells
        .run(
            name,
            Task::Read { layers: vec![tree.clone()], file: "etc/os-release".into() },
            &mut io::empty(),
        )
        .map_err(cell)?;
    let os = Os::parse(&String::from_utf8_lossy(&text));
    let (boot, made_of) = (Boot::Tree, Some(MadeOf::Archive));
    let receipt = Receipt { digest, tree, os, epoch: epoch.seconds(), boot, made_of };
    receipt
        .keep(cells.data(), &managed.key(mirror, epoch))
        .map_err(|source| MakeError::Receipt { name, source })?;
    Ok(receipt)
}

/// Moves a whole tree to its place, once it is on the disk.
///
/// One of the same digest may be there: it stays if a receipt names it. Without
/// one nothing says that it is whole, as after a power cut, and it goes to
/// where the new one was.
pub(crate) fn finish(data: &Path, partial: &Path, tree: &Path) -> io::Result<()> {
    let folder = data.join(FOLDER);
    fs::create_dir_all(&folder)?;
    rustix::fs::syncfs(File::open(folder)?)?;
    let (from, to) = (data.join(partial), data.join(tree));
    match fs::rename(&from, &to) {
        // Which of the two a file system says is its own choice.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
            ) => {}
        other => return other,
    }
    if Receipt::all(data)?.iter().any(|(_, receipt)| receipt.tree == tree) {
        return Ok(());
    }
    let torn = from.with_extension("torn");
    fs::rename(&to, torn)?;
    fs::rename(from, to)
}

fn mmdebstrap(managed: &Managed, mirror: Option<&Mirror>, epoch: Epoch) -> Task {
    let mut argv = vec!["env".to_owned(), format!("SOURCE_DATE_EPOCH={}", epoch.seconds())];
    argv.extend(managed.arguments(mirror));
    Task::Run(Run {
        argv,
        overlay: None,
        files: BTreeMap::new(),
        network: Network::Host,
        enter: false,
    })
}

/// Passes lines on and returns the last twenty.
fn tell(stream: impl Read, watch: &dyn Watch) -> String {
    let mut last = std::collections::VecDeque::new();
    // A read that fails is the stream's end as well.
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        watch.line(&line);
        if last.len() == 20 {
            last.pop_front();
        }
        last.push_back(line);
    }
    Vec::from(last).join("\n")
}

#[cfg(test)]
mod tests {
    use name::Digest;

    use super::*;
    use crate::Os;

    #[test]
    fn a_tree_that_no_receipt_names_makes_room_for_a_whole_one() {
        let data = tempfile::tempdir().unwrap();
        let data = data.path();
        let tree = Path::new("bases/tree");
        let finish = |text: &str| {
            let partial = Path::new("work/base/tree");
            fs::create_dir_all(data.join(partial)).unwrap();
            fs::write(data.join(partial).join("file"), text).unwrap();
            finish(data, partial, tree).unwrap();
            let _scratch = fs::remove_dir_all(data.join("work"));
            fs::read_to_string(data.join(tree).join("file")).unwrap()
        };
        assert_eq!(finish("torn"), "torn");
        assert_eq!(finish("whole"), "whole");

        let digest = Digest::of(b"archive");
        let os = Os::parse("");
        let receipt = Receipt {
            digest,
            tree: tree.to_owned(),
            os,
            epoch: 1,
            boot: Boot::Tree,
            made_of: None,
        };
        receipt.keep(data, &digest).unwrap();
        assert_eq!(finish("another"), "whole");
    }
}
