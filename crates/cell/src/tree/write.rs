//! Writes a tree as a disk image.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use disk::layout::{ESP_SIZE, Layout};
use disk::{Entry, Kind, Time, ext4};
use disk::{fat, gpt};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::copy::copy_disk;
use super::entry::entry;
use super::holes::Sparse;
use super::needed::needed;
use super::order::order;
use crate::job::{Content, Disk, Extra, Source, Volume};
use crate::{Folder, overlay};

/// Where the tree is mounted while it is written.
const TREE: &str = "/tmp/tree";

/// Folders that a running system mounts upon; what a build left in them stays out.
const MOUNT_POINTS: [&str; 4] = ["dev", "proc", "run", "sys"];

/// A new disk is a whole number of these.
const GIB: u64 = 1 << 30;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The image's size in bytes.
    pub size: u64,
    /// The bytes that the root file system uses.
    pub used: u64,
    /// The number of files, folders included.
    pub entries: u64,
}

/// A tree could not be written as a disk.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("failed to read the tree at `/{}`", path.display())]
    Tree { path: PathBuf, source: io::Error },
    #[error("failed to mount the layers")]
    Mount(#[source] io::Error),
    #[error("failed to write the disk image")]
    Image(#[source] io::Error),
    #[error(
        "`volumeSize` is {} GiB, but the disk needs {} GiB",
        size / GIB, needed.div_ceil(GIB)
    )]
    TooSmall { needed: u64, size: u64 },
    #[error("the tree is larger than any file system that is written, {} GiB", ext4::MAXIMUM_SIZE / GIB)]
    TooLarge,
    #[error("failed to read the parent's partition table")]
    Parent(#[from] gpt::ReadError),
    #[error("failed to write the partition table")]
    Table(#[from] gpt::WriteError),
    #[error("failed to write the system partition")]
    Esp(#[from] fat::WriteError),
    #[error("failed to begin a file system")]
    Begin(#[from] ext4::NewError),
    #[error("failed to fill a file system")]
    Fill(#[from] ext4::AddError),
    #[error("failed to finish a file system")]
    Finish(#[from] ext4::FinishError),
}

/// Writes `disk`.
pub(crate) fn write_disk(disk: &Disk) -> Result<Written, WriteError> {
    let tree = Path::new(TREE);
    overlay::mount_readable(&disk.layers, tree).map_err(WriteError::Mount)?;
    let folder = Folder::open(tree).map_err(WriteError::Mount)?;
    let mut paths = order(&disk.layers, tree, &disk.leave_out)
        .map_err(|source| WriteError::Tree { path: PathBuf::new(), source })?;
    paths.retain(|path| stays(path, &disk.extras));

    let mut out = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        // For the cells' root and whoever runs the factory: as root, others
        // can look into the data folder.
        .mode(0o600)
        .open(&disk.out)
        .map_err(WriteError::Image)?;
    let volumes = match &disk.source {
        Source::New { size, guids, esp_id, esp, root_uuid, root_label } => {
            let layout = layout(guids, *size, needed(tree, &paths)?)?;
            out.set_len(layout.disk_size()).map_err(WriteError::Image)?;
            layout.table().write(&mut out)?;
            write_esp(&folder, &mut out, &layout, *esp_id, esp)?;
            vec![Volume {
                place: PathBuf::new(),
                offset: layout.root_offset(),
                size: layout.root_size,
                uuid: *root_uuid,
                label: root_label.clone(),
            }]
        }
        Source::Copy { disk, size, volumes } => copy_disk(disk, *size, volumes, &mut out)?,
    };
    let mut used = 0;
    for volume in &volumes {
        let within: Vec<_> = volumes
            .iter()
            .filter(|other| *other != volume && other.place.starts_with(&volume.place))
            .map(|other| other.place.as_path())
            .collect();
        // A link in its place, or on the way to it, would lead out of the tree.
        folder
            .folder(&volume.place)
            .map_err(|source| WriteError::Tree { path: volume.place.clone(), source })?;
        used += write_volume(disk, tree, &paths, &mut out, volume, &within)?;
    }
    let size = out.metadata().map_err(WriteError::Image)?.len();
    Ok(Written { size, used, entries: paths.len() as u64 })
}

/// Says whether a path of the tree goes onto the disk: not what lies below a
/// mount point, nor what an extra file replaces.
fn stays(path: &Path, extras: &[Extra]) -> bool {
    let first = path.iter().next().and_then(|name| name.to_str());
    !MOUNT_POINTS.iter().any(|point| first == Some(point))
        && !extras.iter().any(|extra| path == Path::new(&extra.path))
}

/// Returns the layout of a disk of `size` bytes, or of one with a quarter and
/// half a GiB to spare.
fn layout(guids: &[[u8; 16]; 3], size: Option<u64>, needed: u64) -> Result<Layout, WriteError> {
    let [disk_guid, esp_guid, root_guid] = guids.map(Uuid::from_bytes);
    let layout = Layout { disk_guid, esp_guid, root_guid, esp_size: ESP_SIZE, root_size: needed };
    let least = layout.disk_size();
    let size = size.unwrap_or_else(|| (least + needed / 4 + GIB / 2).next_multiple_of(GIB));
    let filled = layout.filling(size).filter(|layout| layout.root_size >= needed);
    filled.ok_or(WriteError::TooSmall { needed: least, size })
}

fn write_esp(
    tree: &Folder,
    out: &mut File,
    layout: &Layout,
    id: u32,
    esp: &[(String, Content)],
) -> Result<(), WriteError> {
    let mut files = Vec::new();
    let mut room = layout.esp_size;
    for (path, content) in esp {
        let mut bytes = Vec::new();
        match content {
            Content::Text(text) => bytes.extend(text.bytes()),
            Content::Tree(from) => {
                let fail = |source| WriteError::Tree { path: from.clone(), source };
                // With one byte more than there is room for, it is refused below.
                let file = tree.file(from).map_err(fail)?;
                file.take(room + 1).read_to_end(&mut bytes).map_err(fail)?;
            }
        }
        room = room.saturating_sub(bytes.len() as u64);
        files.push((path.as_str(), bytes));
    }
    let files: Vec<_> = files.iter().map(|(path, content)| fat::File { path, content }).collect();
    let volume = fat::Volume {
        size: layout.esp_size,
        width: fat::Width::Fat32,
        label: "ESP".to_owned(),
        id,
    };
    Ok(fat::write(out, layout.esp_offset(), &volume, &files)?)
}

/// Writes the file system of `volume`; others are mounted at `within`.
fn write_volume(
    disk: &Disk,
    tree: &Path,
    paths: &[PathBuf],
    out: &mut File,
    volume: &Volume,
    within: &[&Path],
) -> Result<u64, WriteError> {
    let options = ext4::Options {
        uuid: volume.uuid,
        label: volume.label.clone(),
        // Partitions end at any sector.
        size: volume.size - volume.size % 4096,
        hash_seed: volume.uuid,
        epoch: disk.epoch,
    };
    let is_own = |path: &Path| {
        path.starts_with(&volume.place) && !within.iter().any(|place| path.starts_with(place))
    };
    let own: Vec<&Path> = paths
        .iter()
        .filter(|path| is_own(path))
        .filter_map(|path| path.strip_prefix(&volume.place).ok())
        .filter(|path| *path != Path::new(""))
        .collect();
    let mut writer = ext4::Writer::new(out, volume.offset, options)?;
    let mut first_names = HashMap::new();
    for path in std::iter::once(Path::new("")).chain(own.iter().copied()) {
        let full = tree.join(&volume.place).join(path);
        let fail = |source| WriteError::Tree { path: volume.place.join(path), source };
        let meta = fs::symlink_metadata(&full).map_err(fail)?;
        let mut entry = entry(&full, path, &meta, disk.epoch).map_err(fail)?;
        if !meta.is_dir() && meta.nlink() > 1 {
            let first = first_names.entry((meta.dev(), meta.ino())).or_insert(path);
            if *first != path {
                entry.kind = Kind::HardLink(first.as_os_str().as_encoded_bytes().to_vec());
            }
        }
        if let Kind::File { .. } = entry.kind {
            writer.add(&entry, &mut Sparse::open(&full).map_err(fail)?)?;
        } else {
            writer.add(&entry, &mut io::empty())?;
        }
    }
    let mut points: Vec<_> =
        within.iter().filter_map(|p| p.strip_prefix(&volume.place).ok()).collect();
    if volume.place == Path::new("") {
        points.extend(MOUNT_POINTS.map(Path::new));
    }
    for point in points {
        writer.add(&folder(point, disk.epoch), &mut io::empty())?;
    }
    for extra in disk.extras.iter().filter(|extra| is_own(Path::new(&extra.path))) {
        let path = Path::new(&extra.path).strip_prefix(&volume.place);
        let path = path.expect("it is the volume's own because it begins with its place");
        add_extra(&mut writer, path, extra, &own, disk.epoch)?;
    }
    Ok(writer.finish()?.blocks_used * 4096)
}

fn add_extra(
    writer: &mut ext4::Writer<&mut File>,
    path: &Path,
    extra: &Extra,
    paths: &[&Path],
    epoch: i64,
) -> Result<(), WriteError> {
    let mut missing: Vec<_> = path
        .ancestors()
        .skip(1)
        .filter(|parent| *parent != Path::new("") && !paths.contains(parent))
        .collect();
    missing.reverse();
    for parent in missing {
        writer.add(&folder(parent, epoch), &mut io::empty())?;
    }
    let mut file = folder(path, epoch);
    file.kind = Kind::File { size: extra.text.len() as u64, dense: false };
    file.mode = extra.mode;
    Ok(writer.add(&file, &mut extra.text.as_bytes())?)
}

/// Returns the entry of a folder of root's with the usual mode.
fn folder(path: &Path, epoch: i64) -> Entry {
    Entry {
        path: path.as_os_str().as_encoded_bytes().to_vec(),
        kind: Kind::Directory,
        mode: 0o755,
        uid: 0,
        gid: 0,
        mtime: Time { seconds: epoch, nanos: 0 },
        xattrs: std::collections::BTreeMap::new(),
    }
}
