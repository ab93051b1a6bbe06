//! Finds the root, and what its table mounts from the same disk.

use std::io::{self, Read, Seek};

use super::fstab::{self, Fate, Line};
use crate::gpt::{EFI_SYSTEM, LINUX_ROOT_X86_64, Partition, Table};
use crate::read::{Format, OpenError, ReadError};
use crate::reader::{Mount, Reader, Subvolume};

/// The longest label that ext4 has room for, in bytes.
const LONGEST_LABEL: usize = 16;
/// The largest table of mounts that is read, in bytes.
const LARGEST_TABLE: u64 = 1 << 20;

/// A partition that is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Where, without a leading slash; empty for the root.
    pub place: String,
    /// Where it begins on the disk, in bytes.
    pub offset: u64,
    /// The partition's length in bytes.
    pub size: u64,
    /// Identifies the file system.
    pub uuid: [u8; 16],
    /// The file system's label.
    pub label: String,
    /// What it was.
    pub format: Format,
}

/// There is no system that can be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// No partition has one.
    #[error("none of its {partitions} partitions holds Linux{}", told(.refused))]
    NoRoot {
        /// How many there are.
        partitions: usize,
        /// Partitions that cannot be read, and why.
        refused: Vec<(u32, OpenError)>,
    },
    /// A file system's label has no room in ext4.
    #[error("the label `{label}` of partition {number} is longer than {LONGEST_LABEL} bytes")]
    Label {
        /// The partition.
        number: u32,
        /// The label.
        label: String,
    },
    /// A subvolume of the root is mounted in another file system.
    #[error(
        "a subvolume is mounted at `/{place}`, in the partition at `/{within}`: take one of their lines out of the disk's `/etc/fstab`"
    )]
    Within {
        /// Where the subvolume is mounted.
        place: String,
        /// Where the other file system is.
        within: String,
    },
    /// A partition that has to become ext4 is mounted at two places.
    #[error(
        "partition {number} is mounted at `/{}` and at `/{}`, which ext4 cannot be: take one of the lines out of the disk's `/etc/fstab`",
        places[0], places[1]
    )]
    Again {
        /// The partition.
        number: u32,
        /// The two places.
        places: [String; 2],
    },
    /// A file system is damaged.
    #[error("failed to read partition {number}")]
    Read {
        /// The partition.
        number: u32,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// The disk failed.
    #[error("failed to open the disk")]
    Disk(#[source] io::Error),
}

/// A Linux system on a disk.
pub struct System<T> {
    pub(super) mounted: Vec<(Volume, Reader<T>)>,
    /// What in the table mounts one of these partitions, and what becomes of
    /// the line.
    pub(super) fates: Vec<(Line, Fate)>,
    /// What of the table could not be heeded.
    pub(super) notes: Vec<String>,
    /// The subvolume that the root was.
    pub(super) root_subvolume: Option<String>,
}

impl<T: Read + Seek> System<T> {
    /// Finds the system on a disk with this table. `open` opens the disk once
    /// more.
    ///
    /// The root is a partition that says so, else the largest of the others
    /// that holds Linux.
    pub fn find(table: &Table, mut open: impl FnMut() -> io::Result<T>) -> Result<Self, FindError> {
        let mut partitions: Vec<&Partition> =
            table.partitions.iter().filter(|p| p.type_guid != EFI_SYSTEM).collect();
        partitions.sort_by_key(|partition| {
            let says_so = partition.type_guid == LINUX_ROOT_X86_64;
            (std::cmp::Reverse(says_so), std::cmp::Reverse(partition.size()))
        });
        let mut candidates = Vec::new();
        let mut refused = Vec::new();
        for partition in partitions {
            let input = open().map_err(FindError::Disk)?;
            match Reader::open(input, partition.offset()) {
                Ok(reader) => candidates.push((partition, reader)),
                Err(OpenError::Unknown) => {}
                Err(error) => refused.push((partition.number, error)),
            }
        }
        for index in 0..candidates.len() {
            let (partition, reader) = &mut candidates[index];
            let number = partition.number;
            if find_root(reader).map_err(|source| FindError::Read { number, source })? {
                let root = candidates.remove(index);
                return Self::of(root, candidates);
            }
        }
        Err(FindError::NoRoot { partitions: table.partitions.len(), refused })
    }

    /// Puts what the root's table mounts in its place.
    fn of(
        (partition, mut reader): (&Partition, Reader<T>),
        mut others: Vec<(&Partition, Reader<T>)>,
    ) -> Result<Self, FindError> {
        let fail = |source| FindError::Read { number: partition.number, source };
        let root_subvolume = reader.subvolumes().map_err(fail)?;
        let root_subvolume = root_subvolume.into_iter().find(|(_, root)| *root);
        let text = reader.read_file("etc/fstab", LARGEST_TABLE).map_err(fail)?;
        let lines = fstab::lines(&String::from_utf8_lossy(&text.unwrap_or_default()));
        let root_line = lines.iter().find(|line| line.place.is_empty());
        let root_name = root_line.map(|line| line.what.clone());
        let root = volume("", partition, &reader)?;
        let root_fate = change(root.format);
        let mut system = Self {
            mounted: vec![(root, reader)],
            fates: Vec::new(),
            notes: Vec::new(),
            root_subvolume: root_subvolume.map(|(name, _)| name),
        };
        // Of the others that are mounted, in the same order.
        let mut partitions = Vec::new();
        for line in lines {
            let of_root = root_name.as_ref() == Some(&line.what)
                || names(&line.what, partition, &system.mounted[0].1);
            if of_root && line.place.is_empty() {
                system.fates.push((line, root_fate));
            } else if of_root && let Some(subvolume) = line.subvolume() {
                system.mount_subvolume(line, &subvolume).map_err(fail)?;
            } else if line.kind != "swap" {
                system.mount_partition(line, &mut others, &mut partitions)?;
            }
        }
        system.check_subvolumes()?;
        // What is mounted in another's folder comes after that.
        system.mounted.sort_by_key(|(volume, _)| volume.place.clone());
        Ok(system)
    }

    /// Mounts a subvolume of the root.
    fn mount_subvolume(&mut self, line: Line, subvolume: &Subvolume) -> Result<(), ReadError> {
        match self.mounted[0].1.mount(&line.place, subvolume)? {
            // The line fails as it did before.
            Mount::Absent => return Ok(()),
            Mount::Done => {}
            Mount::Elsewhere => self.notes.push(format!(
                "warning: /{} is empty: what was mounted there has another place",
                line.place
            )),
        }
        self.fates.push((line, Fate::Go));
        Ok(())
    }

    /// Mounts that of the `others` which a line names, if one does, and moves
    /// it to the `partitions` that are mounted.
    fn mount_partition<'a>(
        &mut self,
        line: Line,
        others: &mut Vec<(&'a Partition, Reader<T>)>,
        partitions: &mut Vec<&'a Partition>,
    ) -> Result<(), FindError> {
        for (partition, (volume, reader)) in partitions.iter().zip(&self.mounted[1..]) {
            if volume.format != Format::Ext4 && names(&line.what, partition, reader) {
                let places = [volume.place.clone(), line.place];
                return Err(FindError::Again { number: partition.number, places });
            }
        }
        let named = |(partition, reader): &(&Partition, _)| names(&line.what, partition, reader);
        let Some(index) = others.iter().position(named) else { return Ok(()) };
        let (partition, reader) = &mut others[index];
        if let Some(subvolume) = line.subvolume() {
            let fail = |source| FindError::Read { number: partition.number, source };
            if !reader.enter(&subvolume).map_err(fail)? {
                // The line fails as it did before.
                return Ok(());
            }
        }
        let volume = volume(&line.place, partition, reader)?;
        let (partition, reader) = others.remove(index);
        self.fates.push((line, change(volume.format)));
        self.mounted.push((volume, reader));
        partitions.push(partition);
        Ok(())
    }

    /// Refuses subvolumes of the root that are mounted in another file system,
    /// which hides the root's own folders.
    fn check_subvolumes(&self) -> Result<(), FindError> {
        let gone = self.fates.iter().filter(|(_, fate)| *fate == Fate::Go);
        let places: Vec<_> = gone.map(|(line, _)| line.place.clone()).collect();
        for (volume, _) in &self.mounted[1..] {
            if let Some(place) = places.iter().find(|place| is_within(place, &volume.place)) {
                let within = volume.place.clone();
                return Err(FindError::Within { place: place.clone(), within });
            }
        }
        Ok(())
    }

    /// Returns the partitions that are mounted, the root first.
    pub fn volumes(&self) -> Vec<Volume> {
        self.mounted.iter().map(|(volume, _)| volume.clone()).collect()
    }
}

/// Makes the subvolume that holds Linux the root: the default one, else one
/// whose own table says that it is the root, else the first.
fn find_root<T: Read + Seek>(reader: &mut Reader<T>) -> Result<bool, ReadError> {
    if reader.has_linux()? {
        return Ok(true);
    }
    let mut first = None;
    for (name, _) in reader.subvolumes()? {
        let subvolume = Subvolume::Path(name.clone());
        reader.enter(&subvolume)?;
        if !reader.has_linux()? {
            continue;
        }
        let text = reader.read_file("etc/fstab", LARGEST_TABLE)?.unwrap_or_default();
        let lines = fstab::lines(&String::from_utf8_lossy(&text));
        let named = lines.iter().filter(|line| line.place.is_empty()).find_map(Line::subvolume);
        if let Some(Subvolume::Path(path)) = named
            && path.trim_matches('/') == name
        {
            return Ok(true);
        }
        first = first.or(Some(subvolume));
    }
    match first {
        Some(subvolume) => reader.enter(&subvolume),
        None => Ok(false),
    }
}

/// Returns what becomes of the line of a file system that is made ext4.
fn change(format: Format) -> Fate {
    if format == Format::Ext4 { Fate::Stay } else { Fate::Change }
}

fn volume<T: Read + Seek>(
    place: &str,
    partition: &Partition,
    reader: &Reader<T>,
) -> Result<Volume, FindError> {
    let label = reader.label();
    if label.len() > LONGEST_LABEL {
        return Err(FindError::Label { number: partition.number, label });
    }
    Ok(Volume {
        place: place.to_owned(),
        offset: partition.offset(),
        size: partition.size(),
        uuid: reader.uuid(),
        label,
        format: reader.format(),
    })
}

/// Tells whether a line's `what` names this partition.
fn names<T: Read + Seek>(what: &str, partition: &Partition, reader: &Reader<T>) -> bool {
    let by_path = what.strip_prefix("/dev/disk/by-").and_then(|rest| rest.split_once('/'));
    let Some((tag, value)) = by_path.or_else(|| what.split_once('=')) else { return false };
    let uuid = || uuid::Uuid::from_bytes(reader.uuid()).to_string();
    let label = reader.label();
    match tag.to_ascii_lowercase().as_str() {
        "uuid" => value.eq_ignore_ascii_case(&uuid()),
        "label" => !label.is_empty() && value == label,
        "partuuid" => value.eq_ignore_ascii_case(&partition.guid.to_string()),
        "partlabel" => !partition.name.is_empty() && value == partition.name,
        _ => false,
    }
}

/// Tells whether `path` is `place` or below it.
pub(super) fn is_within(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn told(refused: &[(u32, OpenError)]) -> String {
    refused.iter().map(|(number, error)| format!("; partition {number}: {error}")).collect()
}
