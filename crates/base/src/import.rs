//! Imports a disk image: its Linux file systems become the tree, its partitions
//! and boot loader are kept.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cell::{Cells, Network, Run, SpawnError, Task, Unpacked};
use name::Digest;

use crate::download::{self, DownloadError};
use crate::receipt::{Boot, FOLDER, MadeOf, Receipt, ReceiptError, Watch};
use crate::{Os, make};

/// The first bytes of a qcow2 image (QEMU's docs/interop/qcow2).
const QCOW2: [u8; 4] = *b"QFI\xfb";

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
    #[error("failed to read or write a file")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Cell(#[from] SpawnError),
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

/// Imports the disk image with `digest`; builds on it take `epoch` for "now".
///
/// `scratch` is a folder of the caller's below the data folder; whatever
/// happens, what is left in it is worth nothing.
pub fn import(
    cells: &Cells,
    origin: &Origin,
    digest: &Digest,
    epoch: i64,
    scratch: &Path,
    watch: &dyn Watch,
) -> Result<Receipt, ImportError> {
    let from = match origin {
        Origin::Url(url) => url.clone(),
        Origin::File(path) | Origin::Own(path) => path.display().to_string(),
    };
    import_kind(cells, origin, &from, digest, epoch, scratch, watch)
        .map_err(|kind| ImportError { from, kind })
}

fn import_kind(
    cells: &Cells,
    origin: &Origin,
    from: &str,
    digest: &Digest,
    epoch: i64,
    scratch: &Path,
    watch: &dyn Watch,
) -> Result<Receipt, ImportErrorKind> {
    cells.make_folder(scratch)?;
    let fetched = scratch.join("fetched");
    let to = cells.data().join(&fetched);
    match origin {
        Origin::Url(url) => {
            watch.line(&format!("fetching {url}"));
            download::copy(from, &mut download::open(url, watch)?, &to, digest, watch)?;
        }
        Origin::File(path) => {
            watch.line(&format!("checking {}", path.display()));
            download::copy(from, &mut File::open(path)?, &to, digest, watch)?;
        }
        Origin::Own(path) => fs::rename(cells.data().join(path), &to)?,
    }
    cells.hand_over(&fetched)?;
    let raw = to_raw(cells, &fetched, scratch, watch)?;
    if watch.cancelled() {
        return Err(ImportErrorKind::Cancelled);
    }
    watch.line("unpacking the file systems");
    let partial = scratch.join("tree");
    cells.make_folder(&partial)?;
    let task = Task::ReadDisk { disk: raw.clone(), into: partial.clone() };
    let unpacked = cells.run_unless(&|| watch.cancelled(), "import", task, &mut io::empty())?;
    if watch.cancelled() {
        return Err(ImportErrorKind::Cancelled);
    }
    let unpacked: Unpacked = serde_json::from_slice(&unpacked).map_err(io::Error::other)?;
    unpacked.notes.iter().for_each(|note| watch.line(note));

    let tree = Path::new(FOLDER).join(digest.hex());
    make::finish(cells.data(), &partial, &tree)?;
    let disk = tree.with_extension("raw");
    fs::rename(cells.data().join(&raw), cells.data().join(&disk))?;
    let task = Task::Read { layers: vec![tree.clone()], file: "etc/os-release".into() };
    let text = cells.run("import", task, &mut io::empty())?;
    let receipt = Receipt {
        digest: *digest,
        tree,
        os: Os::parse(&String::from_utf8_lossy(&text)),
        epoch,
        boot: Boot::Disk { disk, volumes: unpacked.volumes },
        made_of: Some(match origin {
            Origin::Url(_) | Origin::File(_) => MadeOf::Disk,
            Origin::Own(_) => MadeOf::Image,
        }),
    };
    receipt.keep(cells.data(), digest)?;
    Ok(receipt)
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
    let mut magic = [0; 4];
    File::open(cells.data().join(fetched))?.read_exact(&mut magic)?;
    if magic != QCOW2 {
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
    let info: serde_json::Value = serde_json::from_slice(&info).map_err(io::Error::other)?;
    // A backing or data file would be a file of this machine.
    let data_file = &info["format-specific"]["data"]["data-file"];
    if !info["backing-filename"].is_null() || !data_file.is_null() {
        return Err(ImportErrorKind::NotWhole);
    }
    run(convert_arguments(fetched, &raw))?;
    cells.hand_over(&raw)?;
    Ok(raw)
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
