//! Which blocks are taken: strictly in the order they are asked for.
//!
//! Directory blocks come from pools of their own. A later entry changes the
//! blocks of its parents, and those had better lie side by side than spread
//! over everything written before.

use super::geometry::{BLOCK, BLOCKS_PER_GROUP, Geometry};

/// The directory blocks set aside at once: one block of a snapshot.
pub(super) const POOL_BLOCKS: u64 = 128;

/// No blocks are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// Some blocks in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// The first block.
    pub(super) start: u64,
    /// How many there are.
    pub(super) length: u64,
}

/// Hands out blocks and remembers which are in use.
pub(super) struct Allocator {
    geometry: Geometry,
    /// The next block never handed out, and its group.
    next: u64,
    group: u32,
    /// Blocks from `next` on that are not metadata.
    left: u64,
    /// How many of those are promised.
    reserved: u64,
    pool: Run,
    bitmaps: Vec<Option<Bitmap>>,
    used: u64,
}

/// The used blocks of one group.
struct Bitmap {
    bits: Box<[u8; BLOCK]>,
    used: u64,
}

impl Allocator {
    /// Starts with everything free but the groups' metadata.
    pub(super) fn new(geometry: Geometry) -> Self {
        Self {
            geometry,
            next: geometry.data(0),
            group: 0,
            left: geometry.capacity(),
            reserved: 0,
            pool: Run { start: 0, length: 0 },
            bitmaps: (0..geometry.groups()).map(|_| None).collect(),
            used: 0,
        }
    }

    /// Promises `blocks` to a later [`Self::take_reserved`].
    pub(super) fn reserve(&mut self, blocks: u64) -> Result<(), Full> {
        if self.left < self.reserved + blocks {
            return Err(Full);
        }
        self.reserved += blocks;
        Ok(())
    }

    /// Takes at least one and at most `wanted` blocks.
    pub(super) fn take(&mut self, wanted: u64) -> Result<Run, Full> {
        let run = self.advance(wanted.min(self.left - self.reserved))?;
        self.mark(run);
        Ok(run)
    }

    /// Takes at least one and at most `wanted` of the promised blocks.
    pub(super) fn take_reserved(&mut self, wanted: u64) -> Result<Run, Full> {
        let run = self.advance(wanted.min(self.reserved))?;
        self.reserved -= run.length;
        self.mark(run);
        Ok(run)
    }

    /// Takes one block for a directory.
    pub(super) fn take_pooled(&mut self) -> Result<u64, Full> {
        if self.pool.length == 0 {
            self.pool = self.advance(POOL_BLOCKS.min(self.left - self.reserved))?;
        }
        let block = self.pool.start;
        self.pool = Run { start: block + 1, length: self.pool.length - 1 };
        self.mark(Run { start: block, length: 1 });
        Ok(block)
    }

    /// Returns the number of blocks in use outside the groups' metadata.
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// Returns the number of free blocks in `group`.
    pub(super) fn free(&self, group: u32) -> u64 {
        let metadata = self.geometry.data(group) - self.geometry.start(group);
        let used = self.bitmaps[group as usize].as_ref().map_or(0, |bitmap| bitmap.used);
        self.geometry.length(group) - metadata - used
    }

    /// Tells whether `group` holds nothing but its metadata.
    pub(super) fn is_untouched(&self, group: u32) -> bool {
        self.bitmaps[group as usize].is_none()
    }

    /// Returns the block bitmap of `group`, with the blocks past its end set
    /// ("Block and Inode Bitmaps").
    pub(super) fn bitmap(&self, group: u32) -> Box<[u8; BLOCK]> {
        let mut bits = match &self.bitmaps[group as usize] {
            Some(bitmap) => bitmap.bits.clone(),
            None => Box::new([0; BLOCK]),
        };
        let start = self.geometry.start(group);
        set_bits(&mut bits[..], 0, self.geometry.data(group) - start);
        let length = self.geometry.length(group);
        set_bits(&mut bits[..], length, BLOCKS_PER_GROUP - length);
        bits
    }

    /// Moves on by at most `wanted` blocks, within one group.
    fn advance(&mut self, wanted: u64) -> Result<Run, Full> {
        if wanted == 0 {
            return Err(Full);
        }
        if self.next == self.geometry.start(self.group) + self.geometry.length(self.group) {
            self.group += 1;
            self.next = self.geometry.data(self.group);
        }
        let end = self.geometry.start(self.group) + self.geometry.length(self.group);
        let run = Run { start: self.next, length: wanted.min(end - self.next) };
        self.next += run.length;
        self.left -= run.length;
        Ok(run)
    }

    /// Marks a run, which lies within one group, as used.
    fn mark(&mut self, run: Run) {
        let group = run.start / BLOCKS_PER_GROUP;
        let bitmap = self.bitmaps[group as usize]
            .get_or_insert_with(|| Bitmap { bits: Box::new([0; BLOCK]), used: 0 });
        set_bits(&mut bitmap.bits[..], run.start % BLOCKS_PER_GROUP, run.length);
        bitmap.used += run.length;
        self.used += run.length;
    }
}

/// Sets `count` bits from bit `first` on.
pub(super) fn set_bits(bits: &mut [u8], first: u64, count: u64) {
    let mut bit = first;
    let end = first + count;
    while bit < end {
        if bit.is_multiple_of(8) && end - bit >= 8 {
            bits[(bit / 8) as usize] = 0xff;
            bit += 8;
        } else {
            bits[(bit / 8) as usize] |= 1 << (bit % 8);
            bit += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ext4::geometry::MINIMUM_SIZE;

    #[test]
    fn blocks_come_in_order_and_skip_metadata() {
        let geometry = Geometry::new(256 << 20).unwrap();
        let mut allocator = Allocator::new(geometry);
        assert_eq!(allocator.take(10), Ok(Run { start: 771, length: 10 }));
        assert_eq!(allocator.take_pooled(), Ok(781));
        assert_eq!(allocator.take(1), Ok(Run { start: 781 + POOL_BLOCKS, length: 1 }));
        assert_eq!(allocator.take_pooled(), Ok(782));
        assert!(allocator.is_untouched(1));
        let rest = allocator.take(1 << 20).unwrap();
        assert_eq!(rest.start + rest.length, 32768);
        assert_eq!(allocator.take(1), Ok(Run { start: 32768 + 771, length: 1 }));
        assert_eq!(allocator.free(0), POOL_BLOCKS - 2);
        assert_eq!(allocator.free(1), 32768 - 771 - 1);
    }

    #[test]
    fn promised_blocks_are_kept() {
        let mut allocator = Allocator::new(Geometry::new(MINIMUM_SIZE).unwrap());
        allocator.reserve(5).unwrap();
        while allocator.take(100).is_ok() {}
        assert_eq!(allocator.take(1), Err(Full));
        assert_eq!(allocator.take_pooled(), Err(Full));
        assert_eq!(allocator.reserve(1), Err(Full));
        assert_eq!(allocator.take_reserved(9).map(|run| run.length), Ok(5));
        assert_eq!(allocator.take_reserved(1), Err(Full));
        assert_eq!(allocator.free(0), 0);
    }

    proptest::proptest! {
        #[test]
        fn bits_are_set_one_by_one(first in 0..200u64, count in 0..200u64) {
            let mut bits = [0; 50];
            set_bits(&mut bits, first, count);
            for bit in 0..400 {
                let set = bits[(bit / 8) as usize] >> (bit % 8) & 1 == 1;
                proptest::prop_assert_eq!(set, (first..first + count).contains(&bit));
            }
        }
    }
}
