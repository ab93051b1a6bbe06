//! The partition table of a disk that becomes larger.

use std::io::{Read, Seek, SeekFrom, Write};

use super::{RESERVED_AT_END, SECTOR_SIZE, Table, WriteError};
use crate::bytes::{put_u32, u32_at};
use crate::layout::ALIGNMENT;

/// Where the four entries of a master boot record lie, and their length.
const RECORDS: [usize; 4] = [446, 462, 478, 494];
const RECORD_LENGTH: usize = 16;
/// The type of the record that covers the whole disk (UEFI, section 5.2.3).
const PROTECTIVE: u8 = 0xee;

impl Table {
    /// Returns the table for a disk of `size` bytes, which is no less than it
    /// has. The partition that begins at byte `growing` takes what is new, if
    /// no other one lies behind it.
    #[must_use]
    pub fn enlarged(&self, size: u64, growing: u64) -> Self {
        let mut table = Self { sectors: size / SECTOR_SIZE, ..self.clone() };
        let usable = (table.sectors - RESERVED_AT_END) * SECTOR_SIZE;
        let end = (usable - usable % ALIGNMENT) / SECTOR_SIZE;
        if let Some(partition) = table.partitions.iter_mut().max_by_key(|p| p.last)
            && partition.offset() == growing
        {
            partition.last = partition.last.max(end - 1);
        }
        table
    }

    /// Writes the table over one that `disk` has. Of the master boot record
    /// only the length of the disk changes: it may hold a boot loader.
    pub fn rewrite(&self, mut disk: impl Read + Write + Seek) -> Result<(), WriteError> {
        let mut record = vec![0; SECTOR_SIZE as usize];
        disk.seek(SeekFrom::Start(0))
            .and_then(|_| disk.read_exact(&mut record))
            .map_err(WriteError::Write)?;
        for at in RECORDS {
            let entry = &mut record[at..at + RECORD_LENGTH];
            if entry[4] == PROTECTIVE && u32_at(entry, 8) == 1 {
                put_u32(entry, 12, u32::try_from(self.sectors - 1).unwrap_or(u32::MAX));
            }
        }
        self.write_after(&record, disk)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use uuid::Uuid;

    use super::*;
    use crate::gpt::{EFI_SYSTEM, LINUX_FILE_SYSTEM, Partition};

    /// As on Debian's cloud images: the root has number 1 and lies last.
    fn table() -> Table {
        let partition = |number, type_guid, first, last| Partition {
            number,
            type_guid,
            guid: Uuid::from_u128(number.into()),
            first,
            last,
            name: format!("p{number}"),
            attributes: 4,
        };
        Table {
            disk_guid: Uuid::from_u128(9),
            sectors: 16384,
            partitions: vec![
                partition(1, LINUX_FILE_SYSTEM, 8192, 16350),
                partition(15, EFI_SYSTEM, 2048, 8191),
            ],
        }
    }

    #[track_caller]
    fn check(size: u64, growing: u64, last: u64) {
        let enlarged = table().enlarged(size, growing);
        let mut expected = table();
        expected.sectors = size / 512;
        expected.partitions[0].last = last;
        assert_eq!(enlarged, expected);
    }

    #[test]
    fn the_last_partition_grows_if_it_is_the_one() {
        check(32 << 20, 8192 * 512, (31 << 20) / 512 - 1);
        check(32 << 20, 2048 * 512, 16350);
        // A MiB's boundary that lies before the old end takes nothing away.
        check(8 << 20, 8192 * 512, 16350);
    }

    #[test]
    fn boot_code_stays_and_the_disk_is_covered() {
        let mut disk = Cursor::new(Vec::new());
        table().write(&mut disk).unwrap();
        disk.get_mut()[..446].fill(0xcc);
        disk.get_mut()[462..478].fill(0x0c);
        let enlarged = table().enlarged(32 << 20, 8192 * 512);
        enlarged.rewrite(&mut disk).unwrap();
        let bytes = disk.get_ref();
        assert_eq!(bytes.len(), 32 << 20);
        assert!(bytes[..446].iter().all(|byte| *byte == 0xcc));
        assert_eq!(bytes[450], 0xee);
        assert_eq!(bytes[458..462], 65535_u32.to_le_bytes());
        assert!(bytes[462..478].iter().all(|byte| *byte == 0x0c));
        assert_eq!(Table::read(&mut disk).unwrap(), enlarged);
        // The backup, at the new end, is enough.
        disk.get_mut()[512..1024].fill(0);
        assert_eq!(Table::read(&mut disk).unwrap(), enlarged);
    }
}
