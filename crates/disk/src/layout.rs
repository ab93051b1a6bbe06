//! Where the parts of a bootable disk lie: partition table, EFI system
//! partition, root file system.
//!
//! The root comes last, so that it can grow with the disk.

use uuid::Uuid;

use crate::gpt::{EFI_SYSTEM, LINUX_ROOT_X86_64, Partition, RESERVED_AT_END, SECTOR_SIZE, Table};

/// What partitions are aligned to, in bytes.
pub const ALIGNMENT: u64 = 1 << 20;
/// The size of a system partition that holds a boot loader, in bytes.
pub const ESP_SIZE: u64 = 64 << 20;

/// Bit 59, "grow file system", of the Discoverable Partitions Specification.
const GROW: u64 = 1 << 59;

/// A disk with a system partition and a root file system for x86-64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Identifies the disk.
    pub disk_guid: Uuid,
    /// Identifies the system partition.
    pub esp_guid: Uuid,
    /// Identifies the root partition.
    pub root_guid: Uuid,
    /// In bytes; rounded up to [`ALIGNMENT`].
    pub esp_size: u64,
    /// In bytes; rounded up to [`ALIGNMENT`].
    pub root_size: u64,
}

impl Layout {
    /// Returns the layout with the largest root that a disk of `disk_size`
    /// bytes has room for, or `None` if there is no room at all.
    pub fn filling(self, disk_size: u64) -> Option<Self> {
        let empty = Self { root_size: 0, ..self };
        let left = disk_size.checked_sub(empty.disk_size())?;
        let root_size = left - left % ALIGNMENT;
        (root_size > 0).then_some(Self { root_size, ..self })
    }

    /// Returns where the system partition begins, in bytes.
    pub fn esp_offset(&self) -> u64 {
        ALIGNMENT
    }

    /// Returns where the root partition begins, in bytes.
    pub fn root_offset(&self) -> u64 {
        self.esp_offset() + self.esp_size.next_multiple_of(ALIGNMENT)
    }

    /// Returns the length of the disk, in bytes; the table's backup has the
    /// last part.
    pub fn disk_size(&self) -> u64 {
        let backup = (RESERVED_AT_END * SECTOR_SIZE).next_multiple_of(ALIGNMENT);
        self.root_offset() + self.root_size.next_multiple_of(ALIGNMENT) + backup
    }

    /// Returns the partition table.
    pub fn table(&self) -> Table {
        let partition = |number, type_guid, guid, offset, size: u64, name: &str, attributes| {
            let first = offset / SECTOR_SIZE;
            let last = first + size.next_multiple_of(ALIGNMENT) / SECTOR_SIZE - 1;
            Partition { number, type_guid, guid, first, last, name: name.to_owned(), attributes }
        };
        let esp = self.esp_offset();
        let root = self.root_offset();
        Table {
            disk_guid: self.disk_guid,
            sectors: self.disk_size() / SECTOR_SIZE,
            partitions: vec![
                partition(1, EFI_SYSTEM, self.esp_guid, esp, self.esp_size, "esp", 0),
                partition(2, LINUX_ROOT_X86_64, self.root_guid, root, self.root_size, "root", GROW),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(esp_size: u64, root_size: u64) -> Layout {
        let guid = Uuid::from_u128;
        Layout { disk_guid: guid(1), esp_guid: guid(2), root_guid: guid(3), esp_size, root_size }
    }

    #[test]
    fn parts_are_aligned_and_do_not_touch() {
        let layout = layout(ESP_SIZE, (1 << 30) + 4096);
        assert_eq!(layout.esp_offset(), 1 << 20);
        assert_eq!(layout.root_offset(), 65 << 20);
        assert_eq!(layout.disk_size(), (65 + 1025 + 1) << 20);
        let table = layout.table();
        assert_eq!(table.partitions[0].size(), ESP_SIZE);
        assert_eq!(table.partitions[1].offset(), 65 << 20);
        assert_eq!(table.partitions[1].size(), 1025 << 20);
    }

    #[test]
    fn the_smallest_disk_has_a_table() {
        let layout = layout(1, 1);
        let mut disk = std::io::Cursor::new(Vec::new());
        layout.table().write(&mut disk).unwrap();
        assert_eq!(disk.get_ref().len() as u64, layout.disk_size());
        assert_eq!(Table::read(disk).unwrap(), layout.table());
    }

    #[test]
    fn a_disk_is_filled() {
        let filling = |size| layout(ESP_SIZE, 5).filling(size);
        let layout = filling(8 << 30).unwrap();
        assert_eq!(layout.disk_size(), 8 << 30);
        assert_eq!(filling((8 << 30) + 5).unwrap().disk_size(), 8 << 30);
        assert_eq!(filling(66 << 20), None);
        assert_eq!(filling(0), None);
    }
}
