//! Turns inodes into entries, from the root down, whatever their format.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::io::{self, Read};

use super::bounds::{MOST_NAMES, Names, too_many_names};
use super::error::{ReadError, ReadErrorKind, corrupt};
use crate::entry::{Entry, Kind, LARGEST_FILE, Time};
use crate::sparse::Content;

/// The longest path that Linux opens, in bytes; trees have no longer ones.
const LONGEST_PATH: usize = 4095;
/// The most bytes that the names of inodes with several have together: all
/// first ones are kept until the end.
const MOST_LINKED: usize = 128 << 20;

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
    let root = vec![(Vec::new(), volume.root())];
    let mut levels = vec![Level { path: Vec::new(), names: 1, rest: root.into_iter() }];
    let mut directories = HashSet::new();
    let mut grafted = vec![false; grafts.len()];
    // The first names of inodes that have several.
    let mut linked: HashMap<V::Id, Vec<u8>> = HashMap::new();
    let mut linked_bytes = 0;
    while let Some(level) = levels.last_mut() {
        let Some((name, id)) = level.rest.next() else {
            levels.pop();
            continue;
        };
        let path = join(&level.path, &name);
        let names = level.names;
        let at = |kind| ReadError::new(&path, kind);
        if path.len() > LONGEST_PATH {
            return Err(at(corrupt("directories are too deep")).into());
        }
        let Inode { kind, mode, uid, gid, mtime, xattrs, links, body } =
            look(volume, id).map_err(at)?;
        let mut entry = Entry { path: path.clone(), kind, mode, uid, gid, mtime, xattrs };
        if entry.kind == Kind::Directory {
            if !directories.insert(id) {
                return Err(at(corrupt("a directory is in two places")).into());
            }
            let mut children = volume.children(id, &body).map_err(at)?.into_vec();
            graft(&path, &mut children, grafts, &mut grafted);
            sort(&mut children).map_err(at)?;
            if path == b"lost+found" && children.is_empty() {
                continue;
            }
            visit(&entry, &mut io::empty())?;
            let names = names + children.len();
            if names > MOST_NAMES {
                return Err(at(too_many_names()).into());
            }
            levels.push(Level { path, names, rest: children.into_iter() });
            continue;
        }
        if let Some(first) = linked.get(&id) {
            entry.kind = Kind::HardLink(first.clone());
        } else if links > 1 {
            linked_bytes += path.len();
            if linked_bytes > MOST_LINKED {
                let what = "more than 128 MiB of names that are hard links";
                return Err(at(ReadErrorKind::Unsupported { what }).into());
            }
            linked.insert(id, path.clone());
        }
        if let Kind::File { size, .. } = entry.kind {
            visit(&entry, &mut *volume.content(body, size))?;
        } else {
            visit(&entry, &mut io::empty())?;
        }
    }
    match grafts.iter().zip(grafted).find(|(_, grafted)| !grafted) {
        Some(((place, _), _)) => Err(ReadError::new(place, ReadErrorKind::NoMountPoint).into()),
        None => Ok(()),
    }
}

/// A directory whose names are being visited.
struct Level<I> {
    path: Vec<u8>,
    /// How many names it and those above it had.
    names: usize,
    rest: std::vec::IntoIter<(Vec<u8>, I)>,
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
        match children.into_vec().into_iter().find(|(child, _)| child == name.as_bytes()) {
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
/// directory for it, and says so in `grafted`.
fn graft<I: Copy>(
    path: &[u8],
    children: &mut Vec<(Vec<u8>, I)>,
    grafts: &Grafts<I>,
    grafted: &mut [bool],
) {
    for ((place, id), grafted) in grafts.iter().zip(grafted) {
        let (parent, name) = match place.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&place[..slash], &place[slash + 1..]),
            None => (&[][..], &place[..]),
        };
        if parent == path {
            children.retain(|(child, _)| child != name);
            children.push((name.to_vec(), *id));
            *grafted = true;
        }
    }
}

/// Puts names into their order.
fn sort<I>(children: &mut [(Vec<u8>, I)]) -> Result<(), ReadErrorKind> {
    children.sort_by(|a, b| a.0.cmp(&b.0));
    if children.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(corrupt("a name is in a directory twice"));
    }
    Ok(())
}

fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Directories in a row, each within the one before, and files in them.
    struct Nested {
        /// How many files each directory has; there are as many as are listed.
        files: Vec<u64>,
        /// The length of directories' names.
        length: usize,
    }

    impl Volume for Nested {
        /// The number of the directory, and that of a file in it, or zero.
        type Id = (usize, u64);
        type Body = ();

        fn root(&self) -> Self::Id {
            (0, 0)
        }

        fn inode(&mut self, (_, file): Self::Id) -> Result<Inode<()>, ReadErrorKind> {
            let kind = match file {
                0 => Kind::Directory,
                _ => Kind::File { size: 0, dense: false },
            };
            let (mtime, xattrs) = (Time::default(), BTreeMap::new());
            Ok(Inode { kind, mode: 0, uid: 0, gid: 0, mtime, xattrs, links: 2, body: () })
        }

        fn children(
            &mut self,
            (level, _): Self::Id,
            (): &(),
        ) -> Result<Names<Self::Id>, ReadErrorKind> {
            let mut names = Names::new();
            if level + 1 < self.files.len() {
                names.push(&vec![b'-'; self.length], (level + 1, 0))?;
            }
            for number in 1..=self.files[level] {
                names.push(number.to_string().as_bytes(), (level, number))?;
            }
            Ok(names)
        }

        fn content(&mut self, (): (), _: u64) -> Box<dyn Content + '_> {
            Box::new(io::empty())
        }
    }

    /// What is kept in memory is not what a disk says there is.
    #[test]
    fn what_is_kept_is_bounded() {
        let check = |files: Vec<u64>, length, expected: Result<(), &str>| {
            let visit = |_: &Entry, _: &mut dyn Content| Ok::<_, ReadError>(());
            let walked = walk(&mut Nested { files, length }, &Grafts::new(), visit);
            let told = walked.map_err(|error| error.kind.to_string());
            assert_eq!(told, expected.map_err(str::to_owned));
        };
        check(vec![1000; 16], 255, Ok(()));
        let deep = Err("the file system is corrupt: directories are too deep");
        check(vec![0; 18], 255, deep);
        let names = Err("a directory of more than a million names cannot be read");
        check(vec![600_000, 600_000], 1, names);
        check(vec![1 << 20], 1, names);
        let linked = Err("more than 128 MiB of names that are hard links cannot be read");
        check([vec![0; 15], vec![40_000]].concat(), 250, linked);
    }
}
