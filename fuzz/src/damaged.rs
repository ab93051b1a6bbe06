//! A sound file system that noise damages where it is in use: noise alone would hardly ever have
//! a magic number. Only blocks in use take memory.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use disk::{ReadError, Reader, Subvolume};

const BLOCK: usize = 4096;

/// How much of the files' content is read: a damaged size must not hold up the others.
const CONTENT: u64 = 1 << 20;

/// A file system and the damage to it.
pub struct Damaged {
    length: u64,
    /// Blocks by their number, those alone that hold anything.
    blocks: BTreeMap<u64, Vec<u8>>,
    /// The numbers of the blocks.
    in_use: Vec<u64>,
    at: u64,
}

impl Damaged {
    /// Reads a sound file system.
    pub fn new(mut sound: impl Read) -> Self {
        let (mut blocks, mut length) = (BTreeMap::new(), 0);
        loop {
            let mut block = Vec::with_capacity(BLOCK);
            let read = sound.by_ref().take(BLOCK as u64).read_to_end(&mut block);
            if read.expect("fixtures are read") == 0 {
                break;
            }
            block.resize(BLOCK, 0);
            if !disk::sparse::is_zero(&block) {
                blocks.insert(length / BLOCK as u64, block);
            }
            length += BLOCK as u64;
        }
        let in_use = blocks.keys().copied().collect();
        Self { length, blocks, in_use, at: 0 }
    }

    /// Reads all there is, damaged as `noise` says, whatever comes of it: each five bytes are a
    /// place, counted in bytes in use, and what is there instead.
    pub fn exhaust(&mut self, noise: &[u8]) {
        let mut before = Vec::new();
        for damage in noise.chunks_exact(5) {
            let place = u32::from_le_bytes([damage[0], damage[1], damage[2], damage[3]]) as usize;
            let place = place % (self.in_use.len() * BLOCK);
            let (block, within) = (self.in_use[place / BLOCK], place % BLOCK);
            let block_bytes = self.blocks.get_mut(&block).expect("the block is in use");
            before.push((block, within, block_bytes[within]));
            block_bytes[within] = damage[4];
        }
        read_all(self);
        for (block, within, byte) in before.into_iter().rev() {
            self.blocks.get_mut(&block).expect("the block is in use")[within] = byte;
        }
    }
}

fn read_all(disk: &mut Damaged) {
    let Ok(mut reader) = Reader::open(disk, 0) else { return };
    let _ = reader.has_linux();
    let _ = reader.enter(&Subvolume::Path("root".to_owned()));
    let _ = reader.subvolumes();
    let _ = reader.mount("home", &Subvolume::Path("home".to_owned()));
    let mut left = CONTENT;
    let _ = reader.walk(|_, content| {
        left -= io::copy(&mut content.take(left), &mut io::sink()).unwrap_or(0);
        Ok::<_, ReadError>(())
    });
}

impl Read for Damaged {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let within = (self.at % BLOCK as u64) as usize;
        let left = usize::try_from(self.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = into.len().min(BLOCK - within).min(left);
        match self.blocks.get(&(self.at / BLOCK as u64)) {
            Some(block) => into[..count].copy_from_slice(&block[within..within + count]),
            None => into[..count].fill(0),
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Damaged {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
