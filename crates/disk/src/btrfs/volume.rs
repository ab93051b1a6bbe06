//! Inodes of Btrfs as entries, the names in its directories, and subvolumes.

use std::io::{Read, Seek};

use super::content::{self, Piece, Pieces};
use super::item::{self, Fields};
use super::source::{Id, ROOT_DIRECTORY, Source, TOP};
use super::tree::Key;
use crate::entry::Kind;
use crate::read::{self, Attributes, Names, ReadErrorKind, Volume, corrupt};
use crate::sparse::Content;

const TYPE_MASK: u32 = 0xf000;
/// The longest target, in bytes.
const LONGEST_TARGET: u64 = 4095;

impl<T: Read + Seek> Volume for Source<T> {
    type Id = Id;
    type Body = Vec<Piece>;

    fn root(&self) -> Id {
        self.root
    }

    fn inode(&mut self, id: Id) -> Result<read::Inode<Vec<Piece>>, ReadErrorKind> {
        let (fields, xattrs) = self.fields(id)?;
        let mut body = Vec::new();
        let device = ((fields.device >> 20) as u32, (fields.device & 0xf_ffff) as u32);
        let kind = match fields.mode & TYPE_MASK {
            0x4000 => Kind::Directory,
            0x8000 => {
                body = self.pieces(id)?;
                let dense = fields.size > 0 && content::is_dense(&body, fields.size);
                Kind::File { size: fields.size, dense }
            }
            0xa000 => Kind::Symlink(self.target(id, fields.size)?),
            0x2000 => Kind::CharDevice { major: device.0, minor: device.1 },
            0x6000 => Kind::BlockDevice { major: device.0, minor: device.1 },
            0x1000 => Kind::Fifo,
            0xc000 => Kind::Socket,
            _ => return Err(corrupt("the inode has no type")),
        };
        Ok(read::Inode {
            kind,
            mode: (fields.mode & 0o7777) as u16,
            uid: fields.uid,
            gid: fields.gid,
            mtime: fields.mtime,
            xattrs: xattrs.into_map(),
            links: fields.links,
            body,
        })
    }

    fn children(&mut self, id: Id, _: &Vec<Piece>) -> Result<Names<Id>, ReadErrorKind> {
        let mut children = self.names(id)?;
        children.retain(|child| child.tree == id.tree || !self.mounted.contains(&child.tree));
        Ok(children)
    }

    fn content(&mut self, body: Vec<Piece>, size: u64) -> Box<dyn Content + '_> {
        Box::new(Pieces::new(self, body, size))
    }
}

impl<T: Read + Seek> Source<T> {
    /// Returns the names in a directory, those of subvolumes as well, wherever
    /// they are mounted.
    fn names(&mut self, id: Id) -> Result<Names<Id>, ReadErrorKind> {
        let root = self.tree(id.tree)?;
        let mut names = Names::new();
        self.scan(root, &Key::all(id.number, item::INDEX), &mut |_, item| {
            for named in item::names(item)? {
                names.push(named.name, named.target)?;
            }
            Ok(())
        })?;
        let mut children = Names::new();
        for (name, target) in names.into_vec() {
            if target.kind == item::INODE {
                children.push(&name, Id { tree: id.tree, number: target.object })?;
            } else if target.kind != item::ROOT {
                return Err(corrupt("an entry of the directory"));
            } else if self.is_named_in(target.object, id.tree)? {
                children.push(&name, Id::root_of(target.object))?;
            }
        }
        Ok(children)
    }

    /// Returns the subvolumes at the top, in the order of their names.
    pub(crate) fn subvolumes(&mut self) -> Result<Vec<(Vec<u8>, Id)>, ReadErrorKind> {
        let mut children = self.names(Id::root_of(TOP))?.into_vec();
        children.retain(|(_, id)| id.tree != TOP);
        children.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(children)
    }

    /// Returns the root directory of the subvolume at `path` from the top, if
    /// there is one.
    pub(crate) fn subvolume(&mut self, path: &[u8]) -> Result<Option<Id>, ReadErrorKind> {
        let mut id = Id::root_of(TOP);
        for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            let children = self.names(id)?;
            match children.into_vec().into_iter().find(|(child, _)| child == name) {
                Some((_, child)) => id = child,
                None => return Ok(None),
            }
        }
        Ok((id.number == ROOT_DIRECTORY).then_some(id))
    }

    /// Returns the root directory of the subvolume with this number, if there
    /// is one.
    pub(crate) fn numbered(&mut self, number: u64) -> Result<Option<Id>, ReadErrorKind> {
        if number < TOP {
            return Ok(None);
        }
        Ok(self.find_tree(number)?.map(|_| Id::root_of(number)))
    }

    /// Makes a subvolume the root.
    pub(crate) fn enter(&mut self, id: Id) {
        self.root = id;
    }

    /// Tells whether a subvolume is the root.
    pub(crate) fn is_root(&self, id: Id) -> bool {
        self.root == id
    }

    /// Tells whether a subvolume can have a place below the root.
    pub(crate) fn can_mount(&self, id: Id) -> bool {
        id.tree != TOP && id != self.root && !self.mounted.contains(&id.tree)
    }

    /// Takes note that a subvolume is mounted, so that it is not found where
    /// it has its name.
    pub(crate) fn mount(&mut self, id: Id) {
        self.mounted.insert(id.tree);
    }

    /// Takes note that the root is mounted.
    pub(crate) fn mount_root(&mut self) {
        self.mounted.insert(self.root.tree);
    }

    fn fields(&mut self, id: Id) -> Result<(Fields, Attributes), ReadErrorKind> {
        let root = self.tree(id.tree)?;
        let key = |kind, offset| Key { object: id.number, kind, offset };
        let mut fields = None;
        let mut xattrs = Attributes::default();
        self.scan(
            root,
            &(key(item::INODE, 0)..=key(item::ATTRIBUTE, u64::MAX)),
            &mut |key, item| match key.kind {
                item::INODE => {
                    fields = Some(Fields::parse(item)?);
                    Ok(())
                }
                item::ATTRIBUTE => item::attributes(item, &mut xattrs),
                _ => Ok(()),
            },
        )?;
        let fields = fields.filter(|fields| fields.links > 0);
        Ok((fields.ok_or_else(|| corrupt("there is no such inode"))?, xattrs))
    }

    fn pieces(&mut self, id: Id) -> Result<Vec<Piece>, ReadErrorKind> {
        let root = self.tree(id.tree)?;
        let sector = self.sector_size;
        let mut pieces = Vec::new();
        self.scan(root, &Key::all(id.number, item::EXTENT), &mut |key, item| {
            content::push(&mut pieces, key.offset, item, sector)
        })?;
        Ok(pieces)
    }

    fn target(&mut self, id: Id, size: u64) -> Result<Vec<u8>, ReadErrorKind> {
        if size == 0 || size > LONGEST_TARGET {
            return Err(corrupt("the length of the target"));
        }
        let pieces = self.pieces(id)?;
        let mut target = Vec::new();
        Pieces::new(self, pieces, size).read_to_end(&mut target).map_err(ReadErrorKind::Read)?;
        Ok(target)
    }
}
