//! Imports a disk image: its Linux file systems become the tree, its partitions
//! and boot loader are kept.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use cell::{Cells, Network, Run, SpawnError, Task, Unpacked};
use name::Digest;

use crate::download::{self, DownloadError};
use crate::format::{Foreign, Format};
use crate::receipt::{Boot, FOLDER, MadeOf, Receipt, ReceiptError, Watch};
use crate::{Os, make};

/// Where a disk image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A web address; the digest is the file's SHA-256.
    Url(String),
    /// A file, raw or qcow2; the digest is its SHA-256.
    File(PathBuf),
    /// A raw image below the data folder, which is moved. It is known to be
    /// what the digest says, in whatever way that was computed.
    Own(PathBuf),
}

/// A disk image cannot be a base.
#[derive(Debug, thiserror::Error)]
#[error("failed to import the disk image {from}")]
pub struct ImportError {
    from: String,
    #[source]
    kind: ImportErrorKind,
}

#[derive(Debug, thiserror::Error)]
enum ImportErrorKind {
    #[error(transparent)]
    Download(#[from] DownloadError),
    #[error("failed to {action} {}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Cell(#[from] SpawnError),
    #[error("failed to understand what a cell answered")]
    Answer(#[from] serde_json::Error),
    #[error(transparent)]
    Foreign(#[from] Foreign),
    #[error("it refers to another file; only images that are whole can be imported")]
    NotWhole,
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    #[error("cancelled")]
    Cancelled,
}

impl ImportError {
    /// Says whether the watcher gave up, which is nobody's fault.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            self.kind,
            ImportErrorKind::Cancelled
                | ImportErrorKind::Download(DownloadError::Cancelled)
                | ImportErrorKind::Cell(SpawnError::Cancelled)
        )
    }
}

/// Imports the disk image with `digest`; builds on it take the time of its last
/// change for "now", which is the same whenever it is imported. A disk may say
/// that this is yet to come: then it is `now`, in seconds since 1970.
///
/// `scratch` is a folder of the caller's below the data folder; whatever
/// happens, what is left in it is worth nothing.
pub fn import(
    cells: &Cells,
    origin: &Origin,
    digest: &Digest,
    now: i64,
    scratch: &Path,
    watch: &dyn Watch,
) -> Result<Receipt, ImportError> {
    let from = match origin {
        Origin::Url(url) => url.clone(),
        Origin::File(path) | Origin::Own(path) => path.display().to_string(),
    };
    import_kind(cells, origin, &from, digest, now, scratch, watch)
        .map_err(|kind| ImportError { from, kind })
}

fn import_kind(
    cells: &Cells,
    origin: &Origin,
    from: &str,
    digest: &Digest,
    now: i64,
    scratch: &Path,
    watch: &dyn Watch,
) -> Result<Receipt, ImportErrorKind> {
    cells.make_folder(scratch).map_err(during("make", scratch))?;
    let fetched = scratch.join("fetched");
    let to = cells.data().join(&fetched);
    match origin {
        Origin::Url(url) => {
            watch.line(&format!("fetching {url}"));
            download::copy(from, &mut download::open(url, watch)?, &to, digest, watch)?;
        }
        Origin::File(path) => {
            watch.line(&format!("checking {}", path.display()));
            format(path)?;
            let mut file = File::open(path).map_err(during("open", path))?;
            download::copy(from, &mut file, &to, digest, watch)?;
        }
        Origin::Own(path) => {
            fs::rename(cells.data().join(path), &to).map_err(during("move", path))?;
        }
    }
    cells.hand_over(&fetched).map_err(during("hand over", &fetched))?;
    let raw = to_raw(cells, &fetched, scratch, watch)?;
    if watch.cancelled() {
        return Err(ImportErrorKind::Cancelled);
    }
    watch.line("unpacking the file systems");
    let partial = scratch.join("tree");
    cells.make_folder(&partial).map_err(during("make", &partial))?;
    let task = Task::ReadDisk { disk: raw.clone(), into: partial.clone() };
    let unpacked = cells.run_unless(&|| watch.cancelled(), "import", task, &mut io::empty())?;
    if watch.cancelled() {
        return Err(ImportErrorKind::Cancelled);
    }
    let unpacked: Unpacked = serde_json::from_slice(&unpacked)?;
    unpacked.notes.iter().for_each(|note| watch.line(note));

    let tree = Path::new(FOLDER).join(digest.hex());
    make::finish(cells.data(), &partial, &tree).map_err(during("move a tree to", &tree))?;
    let disk = tree.with_extension("raw");
    fs::rename(cells.data().join(&raw), cells.data().join(&disk))
        .map_err(during("move a disk to", &disk))?;
    let task = Task::Read { layers: vec![tree.clone()], file: "etc/os-release".into() };
    let text = cells.run("import", task, &mut io::empty())?;
    let receipt = Receipt {
        digest: *digest,
        tree,
        os: Os::parse(&String::from_utf8_lossy(&text)),
        epoch: last_change(unpacked.newest, now),
        boot: Boot::Disk { disk, volumes: unpacked.volumes },
        made_of: Some(match origin {
            Origin::Url(_) | Origin::File(_) => MadeOf::Disk,
            Origin::Own(_) => MadeOf::Image,
        }),
    };
    receipt.keep(cells.data(), digest)?;
    Ok(receipt)
}

/// Returns when the last change was made, at most `now`. A disk without files
/// has none.
fn last_change(newest: i64, now: i64) -> i64 {
    newest.clamp(0, now)
}

/// Returns the raw image of what was fetched.
///
/// QEMU reads a foreign format in a cell: parsers have bugs.
fn to_raw(
    cells: &Cells,
    fetched: &Path,
    scratch: &Path,
    watch: &dyn Watch,
) -> Result<PathBuf, ImportErrorKind> {
    if format(&cells.data().join(fetched))? == Format::Raw {
        return Ok(fetched.to_owned());
    }
    let raw = scratch.join("disk.raw");
    let run = |argv: Vec<String>| {
        let run = Run {
            argv,
            overlay: None,
            files: BTreeMap::new(),
            network: Network::None,
            enter: true,
        };
        cells.run_unless(&|| watch.cancelled(), "convert", Task::Run(run), &mut io::empty())
    };
    let info = run(info_arguments(fetched))?;
    let info: serde_json::Value = serde_json::from_slice(&info)?;
    // A backing or data file would be a file of this machine.
    let data_file = &info["format-specific"]["data"]["data-file"];
    if !info["backing-filename"].is_null() || !data_file.is_null() {
        return Err(ImportErrorKind::NotWhole);
    }
    run(convert_arguments(fetched, &raw))?;
    cells.hand_over(&raw).map_err(during("hand over", &raw))?;
    Ok(raw)
}

/// Returns the format of a file, which is none that cannot be imported.
fn format(path: &Path) -> Result<Format, ImportErrorKind> {
    match Format::of(path).map_err(during("read", path))? {
        Format::Foreign(foreign) => Err(foreign.into()),
        format @ (Format::Raw | Format::Qcow2) => Ok(format),
    }
}

fn during<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> ImportErrorKind + 'a {
    move |source| ImportErrorKind::Io { action, path: path.to_owned(), source }
}

fn info_arguments(image: &Path) -> Vec<String> {
    ["qemu-img", "info", "-f", "qcow2", "--output=json", &image.to_string_lossy()]
        .map(str::to_owned)
        .to_vec()
}

fn convert_arguments(image: &Path, raw: &Path) -> Vec<String> {
    [
        "qemu-img",
        "convert",
        "-f",
        "qcow2",
        "-O",
        "raw",
        &image.to_string_lossy(),
        &raw.to_string_lossy(),
    ]
    .map(str::to_owned)
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_says_what_time_it_is_unless_it_lies() {
        for (newest, expected) in [(999, 999), (1001, 1000), (-1, 0), (i64::MIN, 0)] {
            assert_eq!(last_change(newest, 1000), expected);
        }
    }

    #[test]
    fn qemu_img_is_asked_for_exactly_this() {
        assert_eq!(
            info_arguments(Path::new("a")).join(" "),
            "qemu-img info -f qcow2 --output=json a"
        );
        assert_eq!(
            convert_arguments(Path::new("a"), Path::new("b")).join(" "),
            "qemu-img convert -f qcow2 -O raw a b"
        );
    }
}
