//! Inodes of XFS as entries, and the names in its directories.

use std::io::{Read, Seek};

use super::attribute;
use super::directory;
use super::inode::{Form, Inode};
use super::map;
use super::source::Source;
use crate::bytes::be_u32_at;
use crate::entry::Kind;
use crate::read::{
    self, Attributes, LARGEST_DIRECTORY, Mapped, Names, ReadErrorKind, Stretch, Volume, corrupt,
    has_hole,
};
use crate::sparse::Content;

const TYPE_MASK: u16 = 0xf000;

const TARGET_MAGIC: [u8; 4] = *b"XSLM";
const TARGET_HEADER: usize = 56;
/// The longest target, in bytes (`XFS_SYMLINK_MAXLEN`).
const LONGEST_TARGET: u64 = 1024;

/// Where an inode's content is.
pub(crate) enum Body {
    /// It has none.
    Nothing,
    /// A directory's, in the inode.
    Local(Vec<u8>),
    /// In blocks.
    Blocks { stretches: Vec<Stretch>, size: u64 },
}

impl<T: Read + Seek> Volume for Source<T> {
    type Id = u64;
    type Body = Body;

    fn root(&self) -> u64 {
        self.root
    }

    fn inode(&mut self, number: u64) -> Result<read::Inode<Body>, ReadErrorKind> {
        let inode = Inode::new(self.inode_bytes(number)?)?;
        let mut body = Body::Nothing;
        let kind = match inode.mode() & TYPE_MASK {
            0x4000 => {
                body = self.directory(&inode)?;
                Kind::Directory
            }
            0x8000 => {
                let stretches = map::stretches(self, &inode.data()?)?;
                let size = inode.size();
                let blocks = size.div_ceil(self.block_size);
                let dense = blocks > 0 && !has_hole(&stretches, blocks);
                body = Body::Blocks { stretches, size };
                Kind::File { size, dense }
            }
            0xa000 => Kind::Symlink(self.target(&inode)?),
            0x2000 => {
                let (major, minor) = device(&inode)?;
                Kind::CharDevice { major, minor }
            }
            0x6000 => {
                let (major, minor) = device(&inode)?;
                Kind::BlockDevice { major, minor }
            }
            0x1000 => Kind::Fifo,
            0xc000 => Kind::Socket,
            _ => return Err(corrupt("the inode has no type")),
        };
        let xattrs = match inode.attributes()? {
            Some(fork) => attribute::read(self, &fork)?,
            None => Attributes::default(),
        };
        Ok(read::Inode {
            kind,
            mode: inode.mode() & 0o7777,
            uid: inode.uid(),
            gid: inode.gid(),
            mtime: inode.mtime(),
            xattrs: xattrs.into_map(),
            links: inode.links(),
            body,
        })
    }

    fn children(&mut self, _: u64, body: &Body) -> Result<Names<u64>, ReadErrorKind> {
        match body {
            Body::Nothing => Err(corrupt("an entry of the directory")),
            Body::Local(bytes) => directory::short_form(bytes, self.file_types),
            Body::Blocks { stretches, size } => {
                let mut block = vec![0; self.directory_block as usize];
                let mut children = Names::new();
                let file_types = self.file_types;
                let blocks = size / self.directory_block;
                let mut content =
                    Mapped::new(&mut self.window, self.block_size, stretches.clone(), *size);
                for _ in 0..blocks {
                    content.read_exact(&mut block).map_err(ReadErrorKind::Read)?;
                    directory::data_block(&block, file_types, &mut children)?;
                }
                Ok(children)
            }
        }
    }

    fn content(&mut self, body: Body, size: u64) -> Box<dyn Content + '_> {
        let stretches = match body {
            Body::Blocks { stretches, .. } => stretches,
            Body::Nothing | Body::Local(_) => Vec::new(),
        };
        Box::new(Mapped::new(&mut self.window, self.block_size, stretches, size))
    }
}

impl<T: Read + Seek> Source<T> {
    fn directory(&mut self, inode: &Inode) -> Result<Body, ReadErrorKind> {
        let (fork, size) = (inode.data()?, inode.size());
        if size > LARGEST_DIRECTORY {
            return Err(corrupt("the directory is too large"));
        }
        if fork.form == Form::Local {
            let bytes = fork.bytes.get(..size as usize);
            return Ok(Body::Local(bytes.ok_or_else(|| corrupt("the size"))?.to_vec()));
        }
        Ok(Body::Blocks { stretches: map::stretches(self, &fork)?, size })
    }

    /// Returns a symbolic link's target ("Symbolic Links").
    fn target(&mut self, inode: &Inode) -> Result<Vec<u8>, ReadErrorKind> {
        let broken = || corrupt("the length of the target");
        let (fork, size) = (inode.data()?, inode.size());
        if size == 0 || size > LONGEST_TARGET {
            return Err(broken());
        }
        let size = size as usize;
        if fork.form == Form::Local {
            return Ok(fork.bytes.get(..size).ok_or_else(broken)?.to_vec());
        }
        let mut target = Vec::new();
        for stretch in map::stretches(self, &fork)? {
            if target.len() >= size {
                break;
            }
            // One header for each row of blocks, however many those are.
            let length = stretch.length.min(8) * self.block_size;
            let bytes = self.window.bytes(stretch.physical * self.block_size, length)?;
            if bytes[..4] != TARGET_MAGIC {
                return Err(corrupt("the target"));
            }
            let end = TARGET_HEADER.saturating_add(be_u32_at(&bytes, 8) as usize);
            target.extend(bytes.get(TARGET_HEADER..end).ok_or_else(broken)?);
        }
        if target.len() != size {
            return Err(broken());
        }
        Ok(target)
    }
}

/// Returns major and minor number of a device: 14 and 18 bits.
fn device(inode: &Inode) -> Result<(u32, u32), ReadErrorKind> {
    let fork = inode.data()?;
    if fork.form != Form::Device || fork.bytes.len() < 4 {
        return Err(corrupt("the device's number"));
    }
    let number = be_u32_at(fork.bytes, 0);
    Ok((number >> 18, number & 0x3_ffff))
}
