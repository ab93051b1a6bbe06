//! Finds the root and what its table mounts from the same disk, and walks all
//! of it as one tree.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read, Seek};

use super::adapt::{self, Place};
use super::fstab::{self, Fate, Line};
use super::kernel::Kernels;
use crate::entry::{Entry, Kind};
use crate::gpt::{EFI_SYSTEM, LINUX_ROOT_X86_64, Partition, Table};
use crate::read::{Format, OpenError, ReadError};
use crate::reader::{Reader, Subvolume};

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

/// A system cannot be walked to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalkError<E> {
    /// A file system is damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It would not boot.
    #[error(
        "no kernel on it can mount ext4, which its root file system becomes ({}): build it with a kernel that has CONFIG_EXT4_FS",
        .0.join(", ")
    )]
    NoExt4(Vec<String>),
    /// The visitor failed.
    #[error(transparent)]
    Visit(E),
}

/// A Linux system on a disk.
pub struct System<T> {
    mounted: Vec<(Volume, Reader<T>)>,
    /// What in the table mounts one of these partitions, and what becomes of
    /// the line.
    fates: Vec<(Line, Fate)>,
    /// The subvolume that the root was.
    root_subvolume: Option<String>,
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
        let change = |format| if format == Format::Ext4 { Fate::Stay } else { Fate::Change };
        let mut mounted = vec![(root.clone(), reader)];
        let mut fates = Vec::new();
        for line in lines {
            let of_root =
                root_name.as_ref() == Some(&line.what) || names(&line.what, partition, &root);
            if of_root && line.place.is_empty() {
                fates.push((line, change(root.format)));
            } else if of_root && let Some(subvolume) = line.subvolume() {
                mounted[0].1.mount(&line.place, &subvolume).map_err(fail)?;
                fates.push((line, Fate::Go));
            } else if line.kind != "swap" {
                let volumes = others.iter().map(|(partition, reader)| {
                    let volume = volume(&line.place, partition, reader)?;
                    Ok(names(&line.what, partition, &volume).then_some(volume))
                });
                let volumes = volumes.collect::<Result<Vec<_>, FindError>>()?;
                let found = volumes.into_iter().enumerate().find_map(|(n, v)| Some((n, v?)));
                if let Some((index, volume)) = found {
                    fates.push((line, change(volume.format)));
                    mounted.push((volume, others.remove(index).1));
                }
            }
        }
        // What is mounted in another's folder comes after that.
        mounted.sort_by_key(|(volume, _)| volume.place.clone());
        Ok(Self { mounted, fates, root_subvolume: root_subvolume.map(|(name, _)| name) })
    }

    /// Returns the partitions that are mounted, the root first.
    pub fn volumes(&self) -> Vec<Volume> {
        self.mounted.iter().map(|(volume, _)| volume.clone()).collect()
    }

    /// Visits all files of all volumes, as [`Reader::walk`] does, and returns
    /// what the user should know. Each volume's files follow those of the
    /// volume it is mounted in.
    ///
    /// If any file system is not ext4, the files that say so are changed.
    pub fn walk<E>(
        &mut self,
        mut visit: impl FnMut(&Entry, &mut dyn Read) -> Result<(), E>,
    ) -> Result<Vec<String>, WalkError<E>> {
        let adapts = self.mounted.iter().any(|(volume, _)| volume.format != Format::Ext4);
        let places: Vec<String> =
            self.mounted.iter().map(|(volume, _)| volume.place.clone()).collect();
        let mut kernels = Kernels::default();
        let mut tops = BTreeSet::new();
        for (number, (volume, reader)) in self.mounted.iter_mut().enumerate() {
            let fates = &self.fates;
            reader.walk(|entry, content| {
                let mut entry = entry.clone();
                prefix(&volume.place, &mut entry);
                let path = String::from_utf8_lossy(&entry.path).into_owned();
                let hidden = places[number + 1..].iter().any(|place| is_within(&path, place));
                if hidden {
                    return Ok(());
                }
                if path.matches('/').count() < 2 {
                    tops.insert(path.clone());
                }
                if !adapts {
                    return visit(&entry, content).map_err(WalkError::Visit);
                }
                kernels.meet(&path);
                match adapted(&path, &entry, content, fates, &mut kernels)? {
                    Some(text) => {
                        entry.kind = Kind::File { size: text.len() as u64, dense: false };
                        visit(&entry, &mut Cursor::new(text)).map_err(WalkError::Visit)
                    }
                    None => visit(&entry, content).map_err(WalkError::Visit),
                }
            })?;
        }
        if !adapts {
            return Ok(Vec::new());
        }
        if let Some(releases) = kernels.hopeless() {
            return Err(WalkError::NoExt4(releases));
        }
        if let Some(link) = self.link(&tops) {
            visit(&link, &mut io::empty()).map_err(WalkError::Visit)?;
        }
        Ok(self.notes(&kernels))
    }

    /// Returns a link that leads GRUB to `/boot` by the path it had in the
    /// subvolume that was the root.
    fn link(&self, tops: &BTreeSet<String>) -> Option<Entry> {
        let name = self.root_subvolume.as_ref()?;
        let has_boot = self.mounted.iter().any(|(volume, _)| volume.place == "boot");
        let (path, target) = if !tops.contains(name) {
            (name.clone(), ".")
        } else if !tops.contains(&format!("{name}/boot")) {
            (format!("{name}/boot"), "../boot")
        } else {
            return None;
        };
        let (_, reader) = self.mounted.first()?;
        (!has_boot && reader.format() == Format::Btrfs).then(|| Entry {
            path: path.into_bytes(),
            kind: Kind::Symlink(target.into()),
            mode: 0o777,
            uid: 0,
            gid: 0,
            mtime: crate::Time::default(),
            xattrs: std::collections::BTreeMap::new(),
        })
    }

    fn notes(&self, kernels: &Kernels) -> Vec<String> {
        let changed = self.mounted.iter().filter(|(volume, _)| volume.format != Format::Ext4);
        let mut notes: Vec<String> = changed
            .map(|(volume, _)| format!("/{} is {} and becomes ext4", volume.place, volume.format))
            .collect();
        let modules = kernels.by_module();
        if !modules.is_empty() {
            notes.push(format!(
                "warning: ext4 is a module of the kernels {}: if the tests do not boot, their initramfs lacks it; \
                 make it anew in a component, for example with `dracut --force --regenerate-all --add-drivers ext4`",
                modules.join(", ")
            ));
        }
        notes
    }
}

/// Returns what a file has to say, if that is not what it says.
fn adapted<E>(
    path: &str,
    entry: &Entry,
    content: &mut dyn Read,
    fates: &[(Line, Fate)],
    kernels: &mut Kernels,
) -> Result<Option<Vec<u8>>, WalkError<E>> {
    let place = Place::of(path);
    let release = Kernels::built_in_list(path);
    let small = matches!(entry.kind, Kind::File { size, .. } if size <= adapt::LARGEST);
    if !small || place.is_none() && release.is_none() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    content
        .read_to_end(&mut bytes)
        .map_err(|error| ReadError::new(path.as_bytes(), crate::ReadErrorKind::Read(error)))?;
    let Ok(text) = str::from_utf8(&bytes) else { return Ok(Some(bytes)) };
    if let Some(release) = release {
        kernels.read(release, text);
    }
    let text = match place {
        None => text.to_owned(),
        Some(Place::Table) => fstab::rewrite(text, |line| {
            let fate = fates.iter().find(|(known, _)| known == line);
            fate.map_or(Fate::Stay, |(_, fate)| *fate)
        }),
        Some(Place::CommandLine) => adapt::command_lines(text),
        Some(Place::Menu) => adapt::menu(text),
        Some(Place::Environment) => adapt::environment(text),
    };
    Ok(Some(text.into_bytes()))
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
fn names(what: &str, partition: &Partition, volume: &Volume) -> bool {
    let by_path = what.strip_prefix("/dev/disk/by-").and_then(|rest| rest.split_once('/'));
    let Some((tag, value)) = by_path.or_else(|| what.split_once('=')) else { return false };
    let uuid = || uuid::Uuid::from_bytes(volume.uuid).to_string();
    match tag.to_ascii_lowercase().as_str() {
        "uuid" => value.eq_ignore_ascii_case(&uuid()),
        "label" => !volume.label.is_empty() && value == volume.label,
        "partuuid" => value.eq_ignore_ascii_case(&partition.guid.to_string()),
        "partlabel" => !partition.name.is_empty() && value == partition.name,
        _ => false,
    }
}

fn prefix(place: &str, entry: &mut Entry) {
    if place.is_empty() {
        return;
    }
    let below = |path: &[u8]| match path {
        b"" => place.as_bytes().to_vec(),
        _ => [place.as_bytes(), b"/", path].concat(),
    };
    entry.path = below(&entry.path);
    if let Kind::HardLink(first) = &entry.kind {
        entry.kind = Kind::HardLink(below(first));
    }
}

/// Tells whether `path` is `place` or below it.
fn is_within(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn told(refused: &[(u32, OpenError)]) -> String {
    refused.iter().map(|(number, error)| format!("; partition {number}: {error}")).collect()
}
