//! Walks a system's file systems as one tree, whose files are as they have to
//! be once all of those are ext4.
//!
//! What an adapted file says is `adapt`'s and `fstab`'s business.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read, Seek};

use super::System;
use super::adapt::{self, Place};
use super::find::is_within;
use super::fstab::{self, Fate, Line};
use super::kernel::Kernels;
use crate::entry::{Entry, Kind};
use crate::read::{Format, ReadError};
use crate::sparse::Content;

/// What a walk found out on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// What the user should know.
    pub notes: Vec<String>,
    /// When the last change was made to a file, folder or symbolic link, in
    /// seconds since 1970. A disk can say anything, times to come as well.
    pub newest: i64,
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

impl<T: Read + Seek> System<T> {
    /// Visits all files of all volumes, as [`Reader::walk`](crate::Reader::walk)
    /// does, and returns what came to light. Each volume's files follow those
    /// of the volume it is mounted in.
    ///
    /// If any file system is not ext4, the files that say so are changed.
    pub fn walk<E>(
        &mut self,
        mut visit: impl FnMut(&Entry, &mut dyn Content) -> Result<(), E>,
    ) -> Result<Walked, WalkError<E>> {
        let adapts = self.mounted.iter().any(|(volume, _)| volume.format != Format::Ext4);
        let places: Vec<String> =
            self.mounted.iter().map(|(volume, _)| volume.place.clone()).collect();
        let mut kernels = Kernels::default();
        // Where the link to `/boot` could go, and what of that there is.
        let subvolume = self.root_subvolume.iter();
        let places_of_link: Vec<String> =
            subvolume.flat_map(|name| [name.clone(), format!("{name}/boot")]).collect();
        let mut taken = BTreeSet::new();
        let mut newest = i64::MIN;
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
                if let Kind::File { .. } | Kind::Directory | Kind::Symlink(_) = entry.kind {
                    newest = newest.max(entry.mtime.seconds);
                }
                if places_of_link.contains(&path) {
                    taken.insert(path.clone());
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
            return Ok(Walked { notes: Vec::new(), newest });
        }
        if let Some(releases) = kernels.hopeless() {
            return Err(WalkError::NoExt4(releases));
        }
        if let Some(link) = self.link(&taken) {
            visit(&link, &mut io::empty()).map_err(WalkError::Visit)?;
        }
        Ok(Walked { notes: self.notes(&kernels), newest })
    }

    /// Returns a link that leads GRUB to `/boot` by the path it had in the
    /// subvolume that was the root.
    fn link(&self, taken: &BTreeSet<String>) -> Option<Entry> {
        let name = self.root_subvolume.as_ref()?;
        let has_boot = self.mounted.iter().any(|(volume, _)| volume.place == "boot");
        let (path, target) = if !taken.contains(name) {
            (name.clone(), ".")
        } else if !taken.contains(&format!("{name}/boot")) {
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
        notes.extend(self.notes.iter().cloned());
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
