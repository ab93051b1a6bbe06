//! Where tables and clusters lie in a volume of a given size.

use super::Width;

/// The size of a sector, in bytes.
pub(super) const SECTOR: u64 = 512;
/// The number of copies of the table.
pub(super) const COPIES: u64 = 2;
/// Volumes with fewer clusters are FAT12 (section 3.5).
const LEAST_FAT16: u64 = 4085;
/// Volumes with fewer clusters are FAT16.
const LEAST_FAT32: u64 = 65525;
/// Some drivers count differently near the limits, so keep away from them, as
/// the specification advises.
const DISTANCE: u64 = 16;
/// FAT32 volumes up to this many sectors have clusters of one sector, as from
/// mkfs.fat; larger ones have eight.
const SMALL_FAT32: u64 = 532_480;

const ROOT_ENTRIES: u16 = 512;

/// The width of a table's entries; follows from the number of clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Fat12,
    Fat16,
    Fat32,
}

impl Type {
    /// Returns the bits of an entry.
    pub(super) fn bits(self) -> u64 {
        match self {
            Self::Fat12 => 12,
            Self::Fat16 => 16,
            Self::Fat32 => 32,
        }
    }

    /// Returns what the boot sector calls it.
    pub(super) fn name(self) -> &'static [u8; 8] {
        match self {
            Self::Fat12 => b"FAT12   ",
            Self::Fat16 => b"FAT16   ",
            Self::Fat32 => b"FAT32   ",
        }
    }
}

/// The numbers that follow from a volume's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) kind: Type,
    pub(super) cluster_sectors: u8,
    /// The sectors before the tables.
    pub(super) reserved: u64,
    /// The sectors of one table.
    pub(super) table_sectors: u64,
    /// The number of clusters; the first is number 2.
    pub(super) clusters: u32,
}

impl Geometry {
    /// Divides a volume of `size` bytes, or returns `None` if it cannot be
    /// divided.
    pub(super) fn new(size: u64, width: Width) -> Option<Self> {
        let sectors = size / SECTOR;
        if !size.is_multiple_of(SECTOR) || u32::try_from(sectors).is_err() {
            return None;
        }
        match width {
            Width::Fat32 => {
                let cluster_sectors = if sectors <= SMALL_FAT32 { 1 } else { 8 };
                Self::with(sectors, Type::Fat32, cluster_sectors)
            }
            Width::Narrow => [(Type::Fat12, 1), (Type::Fat12, 2), (Type::Fat12, 4)]
                .into_iter()
                .chain((0..7).map(|shift| (Type::Fat16, 1 << shift)))
                .find_map(|(kind, cluster_sectors)| Self::with(sectors, kind, cluster_sectors)),
        }
    }

    /// Divides so many sectors with clusters of so many, if the number of
    /// clusters is then one of this type.
    fn with(sectors: u64, kind: Type, cluster_sectors: u8) -> Option<Self> {
        let reserved = if kind == Type::Fat32 { 32 } else { 1 };
        let mut table_sectors = 1;
        loop {
            let before = reserved + COPIES * table_sectors + root_sectors(kind);
            let clusters = sectors.checked_sub(before)? / u64::from(cluster_sectors);
            let needed = ((clusters + 2) * kind.bits()).div_ceil(8 * SECTOR);
            if needed > table_sectors {
                table_sectors = needed;
                continue;
            }
            let allowed = match kind {
                Type::Fat12 => 1..LEAST_FAT16 - DISTANCE,
                Type::Fat16 => LEAST_FAT16 + DISTANCE..LEAST_FAT32 - DISTANCE,
                Type::Fat32 => LEAST_FAT32 + DISTANCE..0x0fff_fff5,
            };
            let clusters = allowed.contains(&clusters).then_some(clusters)? as u32;
            return Some(Self { kind, cluster_sectors, reserved, table_sectors, clusters });
        }
    }

    /// Returns the size of a cluster, in bytes.
    pub(super) fn cluster_size(&self) -> u64 {
        u64::from(self.cluster_sectors) * SECTOR
    }

    /// Returns the number of entries of a root directory with a fixed place.
    pub(super) fn root_entries(&self) -> u16 {
        if self.kind == Type::Fat32 { 0 } else { ROOT_ENTRIES }
    }

    /// Returns where a root directory with a fixed place begins, in bytes.
    pub(super) fn root_position(&self) -> u64 {
        (self.reserved + COPIES * self.table_sectors) * SECTOR
    }

    /// Returns where `cluster` begins, in bytes.
    pub(super) fn position(&self, cluster: u32) -> u64 {
        let first = self.root_position() + root_sectors(self.kind) * SECTOR;
        first + u64::from(cluster - 2) * self.cluster_size()
    }
}

fn root_sectors(kind: Type) -> u64 {
    if kind == Type::Fat32 { 0 } else { u64::from(ROOT_ENTRIES) * 32 / SECTOR }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(size: u64, width: Width, expected: Option<(Type, u8)>) {
        let geometry = Geometry::new(size, width);
        let found = geometry.map(|geometry| (geometry.kind, geometry.cluster_sectors));
        assert_eq!(found, expected, "{size}");
        if let Some(geometry) = geometry {
            assert!(geometry.position(2 + geometry.clusters) <= size);
        }
    }

    #[test]
    fn sizes_decide_types() {
        check(1 << 20, Width::Narrow, Some((Type::Fat12, 1)));
        check(6 << 20, Width::Narrow, Some((Type::Fat12, 4)));
        check(16 << 20, Width::Narrow, Some((Type::Fat16, 1)));
        check(100 << 20, Width::Narrow, Some((Type::Fat16, 4)));
        check(1 << 30, Width::Narrow, Some((Type::Fat16, 64)));
        check(2 << 30, Width::Narrow, None);
        check(64 << 20, Width::Fat32, Some((Type::Fat32, 1)));
        check(1 << 30, Width::Fat32, Some((Type::Fat32, 8)));
        check(32 << 20, Width::Fat32, None);
        check(1000, Width::Narrow, None);
        check(0, Width::Narrow, None);
    }
}
