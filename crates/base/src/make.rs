//! Makes a managed base: mmdebstrap's archive, unpacked as it arrives.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use cell::{Cells, Network, Run, SpawnError, Stdio, Task};

use crate::hashing::Hashing;
use crate::managed::Managed;
use crate::receipt::{Boot, MadeOf, Receipt, ReceiptError, Watch};
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

/// Makes `managed` from the archive at `mirror` (mmdebstrap's default if
/// `None`), with `epoch` as the youngest time of any file.
///
/// `scratch` is a folder of the caller's below the data folder; whatever
/// happens, what is left in it is worth nothing.
pub fn make(
    cells: &Cells,
    managed: &Managed,
    mirror: Option<&str>,
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
    let tree = PathBuf::from("bases").join(digest.hex());
    finish(cells, &partial, &tree).map_err(io)?;
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

/// Moves a whole tree to its place. One of the same digest may be there.
pub(crate) fn finish(cells: &Cells, partial: &Path, tree: &Path) -> io::Result<()> {
    std::fs::create_dir_all(cells.data().join("bases"))?;
    match std::fs::rename(cells.data().join(partial), cells.data().join(tree)) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        other => other,
    }
}

fn mmdebstrap(managed: &Managed, mirror: Option<&str>, epoch: Epoch) -> Task {
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
