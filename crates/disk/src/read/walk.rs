//! Turns inodes into entries, from the root down, whatever their format.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::io::{self, Read};

use super::error::{ReadError, ReadErrorKind, corrupt};
use crate::entry::{Entry, Kind, LARGEST_FILE, Time};
use crate::sparse::Content;

/// The longest path that is followed, in bytes.
const LONGEST_PATH: usize = 64 << 10;

/// A file system as its format lets it be read.
pub(crate) trait Volume {
    /// What names an inode.
    type Id: Copy + Eq + Hash;
    /// Where an inode's content is.
    type Body;

    /// Returns the root directory.
    fn root(&self) -> Self::Id;

    /// Returns what an inode says.
    fn inode(&mut self, id: Self::Id) -> Result<Inode<Self::Body>, ReadErrorKind>;

    /// Returns names and inodes in a directory, in any order, without those
    /// of itself and its parent.
    fn children(
        &mut self,
        id: Self::Id,
        body: &Self::Body,
    ) -> Result<Names<Self::Id>, ReadErrorKind>;

    /// Returns the `size` bytes of a file.
    fn content(&mut self, body: Self::Body, size: u64) -> Box<dyn Content + '_>;
}

/// An inode without its names.
pub(crate) struct Inode<B> {
    /// What it is; never a hard link.
    pub(crate) kind: Kind,
    /// The permission bits.
    pub(crate) mode: u16,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mtime: Time,
    pub(crate) xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The number of names it has.
    pub(crate) links: u32,
    pub(crate) body: B,
}

/// Names in a directory, and their inodes.
pub(crate) type Names<I> = Vec<(Vec<u8>, I)>;

/// Directories that stand in the place of others: what is mounted there.
pub(crate) type Grafts<I> = Vec<(Vec<u8>, I)>;

/// Visits all entries with their content, the root first, a directory before
/// what is in it, siblings in the order of their names' bytes.
///
/// Ends on any input: a directory is visited once.
pub(crate) fn walk<V: Volume, E: From<ReadError>>(
    volume: &mut V,
    grafts: &Grafts<V::Id>,
    mut visit: impl FnMut(&Entry, &mut dyn Content) -> Result<(), E>,
) -> Result<(), E> {
    // Names and inodes that are still to be visited, the next one last.
    let mut pending = vec![(Vec::new(), volume.root())];
    let mut directories = HashSet::new();
    // The first names of inodes that have several.
    let mut names: HashMap<V::Id, Vec<u8>> = HashMap::new();
    while let Some((path, id)) = pending.pop() {
        let at = |kind| ReadError::new(&path, kind);
        let Inode { kind, mode, uid, gid, mtime, xattrs, links, body } =
            look(volume, id).map_err(at)?;
        let mut entry = Entry { path: path.clone(), kind, mode, uid, gid, mtime, xattrs };
        if entry.kind == Kind::Directory {
            if !directories.insert(id) {
                return Err(at(corrupt("a directory is in two places")).into());
            }
            let mut children = volume.children(id, &body).map_err(at)?;
            graft(&path, &mut children, grafts);
            check(&mut children).map_err(at)?;
            if path == b"lost+found" && children.is_empty() {
                continue;
            }
            visit(&entry, &mut io::empty())?;
            for (name, id) in children.into_iter().rev() {
                let below = join(&path, &name);
                if below.len() > LONGEST_PATH {
                    return Err(at(corrupt("directories are too deep")).into());
                }
                pending.push((below, id));
            }
            continue;
        }
        if let Some(first) = names.get(&id) {
            entry.kind = Kind::HardLink(first.clone());
        } else if links > 1 {
            names.insert(id, path.clone());
        }
        if let Kind::File { size, .. } = entry.kind {
            visit(&entry, &mut *volume.content(body, size))?;
        } else {
            visit(&entry, &mut io::empty())?;
        }
    }
    Ok(())
}

/// Returns what `read` makes of the regular file at `path`, or `None` if there
/// is none. Links are not followed.
pub(crate) fn with_file<V: Volume, R>(
    volume: &mut V,
    path: &str,
    read: impl FnOnce(&mut dyn Read) -> io::Result<R>,
) -> Result<Option<R>, ReadError> {
    let at = |kind| ReadError::new(path.as_bytes(), kind);
    let mut id = volume.root();
    for name in path.split('/') {
        let inode = look(volume, id).map_err(at)?;
        if inode.kind != Kind::Directory {
            return Ok(None);
        }
        let children = volume.children(id, &inode.body).map_err(at)?;
        match children.into_iter().find(|(child, _)| child == name.as_bytes()) {
            Some((_, child)) => id = child,
            None => return Ok(None),
        }
    }
    let inode = look(volume, id).map_err(at)?;
    let Kind::File { size, .. } = inode.kind else { return Ok(None) };
    let mut content = volume.content(inode.body, size);
    read(&mut content).map(Some).map_err(ReadErrorKind::Read).map_err(at)
}

/// Returns an inode, unless it is a file that ext4 could not hold.
fn look<V: Volume>(volume: &mut V, id: V::Id) -> Result<Inode<V::Body>, ReadErrorKind> {
    let inode = volume.inode(id)?;
    match inode.kind {
        Kind::File { size, .. } if size > LARGEST_FILE => {
            Err(ReadErrorKind::Unsupported { what: "a file of more than 16 TiB" })
        }
        _ => Ok(inode),
    }
}

/// Puts what is mounted in `path` in its place, whether or not there is a
/// directory for it.
fn graft<I: Copy>(path: &[u8], children: &mut Vec<(Vec<u8>, I)>, grafts: &Grafts<I>) {
    for (place, id) in grafts {
        let (parent, name) = match place.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&place[..slash], &place[slash + 1..]),
            None => (&[][..], &place[..]),
        };
        if parent == path {
            children.retain(|(child, _)| child != name);
            children.push((name.to_vec(), *id));
        }
    }
}

/// Puts names into their order and says whether they can be names.
fn check<I>(children: &mut [(Vec<u8>, I)]) -> Result<(), ReadErrorKind> {
    children.sort_by(|a, b| a.0.cmp(&b.0));
    if children.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(corrupt("a name is in a directory twice"));
    }
    let bad = |name: &[u8]| {
        matches!(name, b"" | b"." | b"..") || name.contains(&b'/') || name.contains(&0)
    };
    if children.iter().any(|(name, _)| bad(name)) {
        return Err(corrupt("a name in a directory"));
    }
    Ok(())
}

fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() }
}
