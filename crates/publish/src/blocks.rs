//! What a volume consists of: which of its 512 KiB blocks hold what.
//!
//! Does not know where the blocks' bytes are; the same map describes the
//! volume in every region.

use model::BLOCK_BYTES;
use name::Digest;

/// The content of a volume; blocks that are not listed are all zeros.
///
/// The digest of its canonical bytes identifies the volume's content: equal
/// volumes have equal maps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockMap {
    volume_size: u64,
    blocks: Vec<Block>,
}

/// One block of a volume that is not all zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The block's number; it starts at byte `index * BLOCK_BYTES`.
    pub index: u32,
    /// The digest of its bytes; the volume's last block is padded with zeros.
    pub digest: Digest,
}

/// Bytes are no block map, or blocks cannot make one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// The bytes do not start as a map does.
    #[error("the bytes are not a block map of a known version")]
    Foreign,
    /// The bytes end early or go on too long.
    #[error("a block map of {blocks} blocks has {expected} bytes, got {actual}")]
    Length {
        /// How many blocks the map announces.
        blocks: u32,
        /// How many bytes such a map has.
        expected: u64,
        /// How many there are.
        actual: u64,
    },
    /// The blocks are not in ascending order without repetition.
    #[error("block {index} is out of order")]
    Order {
        /// The block that is not greater than the one before it.
        index: u32,
    },
    /// A block lies beyond the end.
    #[error("block {index} lies beyond the volume's end at {volume_size} bytes")]
    Beyond {
        /// The block.
        index: u32,
        /// The volume's size in bytes.
        volume_size: u64,
    },
}

impl BlockMap {
    /// Returns the map of a volume of `volume_size` bytes with `blocks` in ascending order.
    pub fn new(volume_size: u64, blocks: Vec<Block>) -> Result<Self, MapError> {
        for pair in blocks.windows(2) {
            if pair[0].index >= pair[1].index {
                return Err(MapError::Order { index: pair[1].index });
            }
        }
        match blocks.last() {
            Some(last) if u64::from(last.index) * BLOCK_BYTES >= volume_size => {
                Err(MapError::Beyond { index: last.index, volume_size })
            }
            Some(_) | None => Ok(Self { volume_size, blocks }),
        }
    }

    /// Returns the map that `bytes`, made by [`BlockMap::to_bytes`], stand for.
    pub fn parse(bytes: &[u8]) -> Result<Self, MapError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(MapError::Foreign)?;
        let (volume_size, rest) = rest.split_first_chunk().ok_or(MapError::Foreign)?;
        let (count, rest) = rest.split_first_chunk().ok_or(MapError::Foreign)?;
        let blocks = u32::from_le_bytes(*count);
        if rest.len() as u64 != u64::from(blocks) * ENTRY as u64 {
            let expected = (bytes.len() - rest.len()) as u64 + u64::from(blocks) * ENTRY as u64;
            return Err(MapError::Length { blocks, expected, actual: bytes.len() as u64 });
        }
        let (entries, _) = rest.as_chunks::<ENTRY>();
        let block = |entry: &[u8; ENTRY]| {
            let [a, b, c, d, digest @ ..] = *entry;
            Block { index: u32::from_le_bytes([a, b, c, d]), digest: Digest::from_bytes(digest) }
        };
        Self::new(u64::from_le_bytes(*volume_size), entries.iter().map(block).collect())
    }

    /// Returns the canonical bytes: equal maps have equal bytes.
    ///
    /// A header line, the volume's size (u64), the number of blocks (u32), and
    /// for each block its index (u32) and digest (32 bytes); little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MAGIC.len() + 12 + self.blocks.len() * ENTRY);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.volume_size.to_le_bytes());
        // Indices are 32 bits wide and ascend, so their number fits as well,
        // but for the one map that names all 2^32 blocks (2 PiB of data).
        bytes.extend_from_slice(&(self.blocks.len() as u32).to_le_bytes());
        for block in &self.blocks {
            bytes.extend_from_slice(&block.index.to_le_bytes());
            bytes.extend_from_slice(block.digest.as_bytes());
        }
        bytes
    }

    /// Returns the digest of the canonical bytes: the digest of the volume's content.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// Returns the volume's size in bytes.
    pub fn volume_size(&self) -> u64 {
        self.volume_size
    }

    /// Returns the blocks that are not all zeros, in ascending order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }
}

/// The version fixes the block size, so maps do not repeat it.
const MAGIC: &[u8] = b"goldsmith block map 1\n";

/// The length of one block's entry in bytes.
const ENTRY: usize = 36;

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

    use super::*;

    fn block(index: u32) -> Block {
        Block { index, digest: Digest::of(&index.to_le_bytes()) }
    }

    #[test]
    fn the_bytes_are_fixed() {
        let map = BlockMap::new(3 * BLOCK_BYTES, vec![block(0), block(2)]).unwrap();
        let bytes = map.to_bytes();
        assert_eq!(&bytes[..22], b"goldsmith block map 1\n");
        assert_eq!(&bytes[22..34], [0, 0, 0x18, 0, 0, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(&bytes[34..38], [0; 4]);
        assert_eq!(&bytes[38..70], block(0).digest.as_bytes());
        assert_eq!(&bytes[70..74], [2, 0, 0, 0]);
        assert_eq!(bytes.len(), 106);
        assert_eq!(
            map.digest().hex(),
            "1edcc28cb106da8696c3170e673c20d802e2fe3eb6b7ad645f8fccf1361eee08"
        );
    }

    #[test]
    fn impossible_maps_are_refused() {
        let new = |size, indices: &[u32]| {
            BlockMap::new(size, indices.iter().copied().map(block).collect())
        };
        assert_eq!(new(9 * BLOCK_BYTES, &[1, 1]), Err(MapError::Order { index: 1 }));
        assert_eq!(new(9 * BLOCK_BYTES, &[2, 1]), Err(MapError::Order { index: 1 }));
        let beyond = |index, volume_size| Err(MapError::Beyond { index, volume_size });
        assert_eq!(new(BLOCK_BYTES, &[1]), beyond(1, BLOCK_BYTES));
        assert_eq!(new(0, &[0]), beyond(0, 0));
        assert!(new(BLOCK_BYTES + 1, &[1]).is_ok());
        assert!(new(0, &[]).is_ok());

        assert_eq!(BlockMap::parse(b"goldsmith block map 2\n"), Err(MapError::Foreign));
        let mut bytes = new(BLOCK_BYTES, &[0]).unwrap().to_bytes();
        bytes.pop();
        let length = MapError::Length { blocks: 1, expected: 70, actual: 69 };
        assert_eq!(BlockMap::parse(&bytes), Err(length));
    }

    proptest! {
        #[test]
        fn maps_round_trip(
            indices in proptest::collection::btree_set(0..1000u32, 0..50),
            slack in 1..BLOCK_BYTES,
        ) {
            let size = indices.last().map_or(0, |last| u64::from(*last) * BLOCK_BYTES) + slack;
            let map = BlockMap::new(size, indices.into_iter().map(block).collect()).unwrap();
            prop_assert_eq!(BlockMap::parse(&map.to_bytes()), Ok(map));
        }

        /// No two byte strings stand for the same map.
        #[test]
        fn bytes_are_canonical(
            tail in (any::<[u8; 8]>(), 0..3u8, proptest::collection::vec(any::<u8>(), 0..120))
                .prop_map(|(size, n, rest)| [&size[..], &[n, 0, 0, 0], &rest].concat()),
        ) {
            let bytes = [MAGIC, &tail].concat();
            if let Ok(map) = BlockMap::parse(&bytes) {
                prop_assert_eq!(map.to_bytes(), bytes);
            }
        }
    }
}
