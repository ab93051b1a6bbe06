//! The names that were given so far: which inode a path means.

use std::collections::{BTreeMap, HashMap};

use super::directory::{Directory, LONGEST_NAME};
use super::inode::{DIRECTORY, ROOT, TYPE_MASK};

/// A path is not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathProblem {
    /// It has an empty component, `.` or `..`, a NUL or a name over 255 bytes.
    Malformed,
    /// There is nothing by the name of its parent.
    NoParent,
    /// Its parent is not a directory.
    ParentNotADirectory,
}

/// What a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) inode: u32,
    /// Type and permission bits.
    pub(super) mode: u16,
}

impl Node {
    /// Tells whether it is a directory.
    pub(super) fn is_directory(self) -> bool {
        self.mode & TYPE_MASK == DIRECTORY
    }
}

/// All names, and the directories they are in.
#[derive(Default)]
pub(super) struct Tree {
    /// By number, so that they can be written in order.
    pub(super) directories: BTreeMap<u32, Directory>,
    /// By the parent's number and the name.
    names: HashMap<Box<[u8]>, Node>,
    /// The last parent that was looked up: neighbours mostly share it.
    recent: Option<(Vec<u8>, u32)>,
}

impl Tree {
    /// Returns what `path` means.
    pub(super) fn find(&mut self, path: &[u8]) -> Result<Option<Node>, PathProblem> {
        if path.is_empty() {
            return Ok(Some(Node { inode: ROOT, mode: DIRECTORY }));
        }
        let (parent, name) = self.parent(path)?;
        Ok(self.get(parent, name))
    }

    /// Returns the directory that `path` is in, and its name there.
    pub(super) fn parent<'a>(&mut self, path: &'a [u8]) -> Result<(u32, &'a [u8]), PathProblem> {
        path.split(|byte| *byte == b'/').try_for_each(check_name)?;
        let (directory, name) = match path.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None => (&[][..], path),
        };
        if let Some((recent, inode)) = &self.recent
            && recent == directory
        {
            return Ok((*inode, name));
        }
        let mut inode = ROOT;
        for component in directory.split(|byte| *byte == b'/').filter(|_| !directory.is_empty()) {
            let node = self.get(inode, component).ok_or(PathProblem::NoParent)?;
            if !node.is_directory() {
                return Err(PathProblem::ParentNotADirectory);
            }
            inode = node.inode;
        }
        self.recent = Some((directory.to_vec(), inode));
        Ok((inode, name))
    }

    /// Returns what `name` means in directory `parent`.
    pub(super) fn get(&self, parent: u32, name: &[u8]) -> Option<Node> {
        self.names.get(&key(parent, name)[..]).copied()
    }

    /// Remembers `name` in directory `parent`.
    pub(super) fn insert(&mut self, parent: u32, name: &[u8], node: Node) {
        self.names.insert(key(parent, name).into_boxed_slice(), node);
    }
}

fn key(parent: u32, name: &[u8]) -> Vec<u8> {
    [&parent.to_le_bytes(), name].concat()
}

fn check_name(name: &[u8]) -> Result<(), PathProblem> {
    let length = (1..=LONGEST_NAME).contains(&name.len());
    if !length || name == b"." || name == b".." || name.contains(&0) {
        return Err(PathProblem::Malformed);
    }
    Ok(())
}
