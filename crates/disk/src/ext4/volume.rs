//! Inodes of ext4 as entries, and the names in its directories.

use std::io::{Read, Seek};

use super::inode::{
    BLOCK_DEVICE, CHAR_DEVICE, DIRECTORY, FIFO, REGULAR, ROOT, SOCKET, SYMLINK, TYPE_MASK,
    USES_EXTENTS, device_numbers,
};
use super::map;
use super::source::Source;
use super::xattr;
use crate::bytes::{u16_at, u32_at};
use crate::entry::{Kind, Time};
use crate::read::{
    self, Attributes, LARGEST_DIRECTORY, Mapped, Names, ReadErrorKind, Stretch, Volume, corrupt,
    has_hole,
};
use crate::sparse::Content;

/// The content is encrypted.
const ENCRYPTED: u32 = 0x800;
/// The content lies among the attributes.
const INLINE: u32 = 0x1000_0000;

/// Where an inode's content is.
pub(crate) struct Body {
    stretches: Vec<Stretch>,
    size: u64,
}

impl<T: Read + Seek> Volume for Source<T> {
    type Id = u32;
    type Body = Body;

    fn root(&self) -> u32 {
        ROOT
    }

    fn inode(&mut self, number: u32) -> Result<read::Inode<Body>, ReadErrorKind> {
        let inode = Inode(Source::inode(self, number)?);
        if inode.links() == 0 {
            return Err(corrupt("the inode is not in use"));
        }
        let mut stretches = Vec::new();
        let kind = match inode.mode() & TYPE_MASK {
            DIRECTORY => {
                stretches = self.map(&inode)?;
                Kind::Directory
            }
            REGULAR => {
                stretches = self.map(&inode)?;
                let blocks = inode.size().div_ceil(self.block_size);
                Kind::File {
                    size: inode.size(),
                    dense: blocks > 0 && !has_hole(&stretches, blocks),
                }
            }
            SYMLINK => Kind::Symlink(self.target(&inode)?),
            CHAR_DEVICE => {
                let (major, minor) = inode.device();
                Kind::CharDevice { major, minor }
            }
            BLOCK_DEVICE => {
                let (major, minor) = inode.device();
                Kind::BlockDevice { major, minor }
            }
            FIFO => Kind::Fifo,
            SOCKET => Kind::Socket,
            _ => return Err(corrupt("the inode has no type")),
        };
        Ok(read::Inode {
            kind,
            mode: inode.mode() & 0o7777,
            uid: inode.uid(),
            gid: inode.gid(),
            mtime: inode.mtime(),
            xattrs: self.attributes(&inode)?.into_map(),
            links: inode.links().into(),
            body: Body { stretches, size: inode.size() },
        })
    }

    fn children(&mut self, _: u32, body: &Body) -> Result<Names<u32>, ReadErrorKind> {
        if body.size > LARGEST_DIRECTORY {
            return Err(corrupt("the directory is too large"));
        }
        let mut block = vec![0; self.block_size as usize];
        let mut children = Names::new();
        let mut content = self.content_of(body.stretches.clone(), body.size);
        for _ in 0..body.size / block.len() as u64 {
            content.read_exact(&mut block).map_err(ReadErrorKind::Read)?;
            parse_block(&block, &mut children)?;
        }
        Ok(children)
    }

    fn content(&mut self, body: Body, size: u64) -> Box<dyn Content + '_> {
        Box::new(self.content_of(body.stretches, size))
    }
}

impl<T: Read + Seek> Source<T> {
    fn content_of(&mut self, stretches: Vec<Stretch>, size: u64) -> Mapped<'_, T> {
        Mapped::new(&mut self.window, self.block_size, stretches, size)
    }

    /// Returns where an inode's blocks are.
    fn map(&mut self, inode: &Inode) -> Result<Vec<Stretch>, ReadErrorKind> {
        if inode.flags() & INLINE != 0 {
            return Err(ReadErrorKind::Unsupported { what: "content inside the inode" });
        }
        if inode.flags() & ENCRYPTED != 0 {
            return Err(ReadErrorKind::Unsupported { what: "encrypted content" });
        }
        let blocks = inode.size().div_ceil(self.block_size);
        if blocks > u64::from(u32::MAX) + 1 {
            return Err(corrupt("the size"));
        }
        if inode.flags() & USES_EXTENTS != 0 {
            return map::extents(self, inode.field());
        }
        map::indirect(self, inode.field(), blocks)
    }

    /// Returns a symbolic link's target.
    fn target(&mut self, inode: &Inode) -> Result<Vec<u8>, ReadErrorKind> {
        let size = inode.size();
        let field = inode.field();
        if inode.flags() & (USES_EXTENTS | INLINE) == 0 && (1..field.len() as u64).contains(&size) {
            return Ok(field[..size as usize].to_vec());
        }
        if size == 0 || size > self.block_size {
            return Err(corrupt("the length of the target"));
        }
        let stretches = self.map(inode)?;
        let mut target = Vec::new();
        self.content_of(stretches, size).read_to_end(&mut target).map_err(ReadErrorKind::Read)?;
        Ok(target)
    }

    fn attributes(&mut self, inode: &Inode) -> Result<Attributes, ReadErrorKind> {
        let mut attributes = Attributes::default();
        xattr::read_inode(inode.rest(), &mut attributes)?;
        let block = inode.attribute_block();
        if block != 0 {
            xattr::read_block(&self.block(block)?, &mut attributes)?;
        }
        Ok(attributes)
    }
}

/// Adds the entries of one block of a directory. The nodes of a hash tree and
/// checksums look like entries without an inode, so that they are passed over.
fn parse_block(block: &[u8], children: &mut Names<u32>) -> Result<(), ReadErrorKind> {
    let broken = || corrupt("an entry of the directory");
    let mut rest = block;
    while !rest.is_empty() {
        let header = rest.get(..8).ok_or_else(broken)?;
        let length = match u16_at(header, 4) {
            // A block of 64 KiB is one more than the field can say.
            0 | u16::MAX if block.len() == 1 << 16 => 1 << 16,
            length => usize::from(length),
        };
        let name_end = 8 + usize::from(header[6]);
        if length < 8 || !length.is_multiple_of(4) {
            return Err(broken());
        }
        let number = u32_at(header, 0);
        if number != 0 {
            let entry = rest.get(..length).ok_or_else(broken)?;
            let name = entry.get(8..name_end).ok_or_else(broken)?;
            if name != b"." && name != b".." {
                children.push(name, number)?;
            }
        }
        rest = rest.get(length..).ok_or_else(broken)?;
    }
    Ok(())
}

/// The bytes of an inode, at least 128.
struct Inode(Vec<u8>);

impl Inode {
    fn mode(&self) -> u16 {
        u16_at(&self.0, 0)
    }

    fn uid(&self) -> u32 {
        u32::from(u16_at(&self.0, 0x2)) | u32::from(u16_at(&self.0, 0x78)) << 16
    }

    fn gid(&self) -> u32 {
        u32::from(u16_at(&self.0, 0x18)) | u32::from(u16_at(&self.0, 0x7a)) << 16
    }

    fn size(&self) -> u64 {
        u64::from(u32_at(&self.0, 0x4)) | u64::from(u32_at(&self.0, 0x6c)) << 32
    }

    fn links(&self) -> u16 {
        u16_at(&self.0, 0x1a)
    }

    fn flags(&self) -> u32 {
        u32_at(&self.0, 0x20)
    }

    fn field(&self) -> &[u8] {
        &self.0[0x28..0x64]
    }

    fn device(&self) -> (u32, u32) {
        device_numbers(u32_at(self.field(), 0), u32_at(self.field(), 4))
    }

    fn attribute_block(&self) -> u64 {
        u64::from(u32_at(&self.0, 0x68)) | u64::from(u16_at(&self.0, 0x76)) << 32
    }

    /// Returns the end of the extra fields.
    fn extra_end(&self) -> usize {
        if self.0.len() < 0x82 { 128 } else { 128 + usize::from(u16_at(&self.0, 0x80)) }
    }

    fn mtime(&self) -> Time {
        let wide = self.0.len() >= 0x8c && self.extra_end() >= 0x8c;
        Time::decode(u32_at(&self.0, 0x10), if wide { u32_at(&self.0, 0x88) } else { 0 })
    }

    /// Returns what follows the extra fields: the inode's own attributes.
    fn rest(&self) -> &[u8] {
        self.0.get(self.extra_end()..).unwrap_or_default()
    }
}
