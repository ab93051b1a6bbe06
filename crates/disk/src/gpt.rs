//! GUID partition tables on sectors of 512 bytes (UEFI specification, chapter
//! 5), and the protective MBR before them.
//!
//! Partitions are written in the order they are given; where they should lie
//! is `layout`'s question.

mod enlarge;

use std::io::{self, Read, Seek, SeekFrom, Write};

use uuid::{Uuid, uuid};

use crate::bytes::{array_at, put, put_u16, put_u32, put_u64, u32_at, u64_at};

/// The type of an EFI system partition (UEFI specification, table 5-7).
pub const EFI_SYSTEM: Uuid = uuid!("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
/// The type of a root file system for x86-64 (Discoverable Partitions
/// Specification).
pub const LINUX_ROOT_X86_64: Uuid = uuid!("4f68bce3-e8cd-4db1-96e7-fbcaf984b709");
/// The type of any Linux file system (Discoverable Partitions Specification).
pub const LINUX_FILE_SYSTEM: Uuid = uuid!("0fc63daf-8483-4772-8e79-3d69d8477de4");

/// The size of a sector, in bytes.
pub const SECTOR_SIZE: u64 = 512;

const SIGNATURE: [u8; 8] = *b"EFI PART";
const REVISION: u32 = 0x0001_0000;
const HEADER_LENGTH: usize = 92;
const HEADER_CHECKSUM_AT: usize = 16;
/// What a table written here has: 128 entries of 128 bytes.
const ENTRIES: usize = 128;
const ENTRY_LENGTH: usize = 128;
const ENTRIES_SECTORS: u64 = (ENTRIES * ENTRY_LENGTH) as u64 / SECTOR_SIZE;
/// The largest list of entries that is read, in bytes.
const LARGEST_LIST: u64 = 1 << 20;
const NAME_AT: usize = 56;
const NAME_UNITS: usize = 36;

/// The sectors before the first usable one: MBR, header, entries.
pub const FIRST_USABLE: u64 = 2 + ENTRIES_SECTORS;
/// The sectors after the last usable one: entries, header.
pub const RESERVED_AT_END: u64 = 1 + ENTRIES_SECTORS;

/// A partition table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Identifies the disk.
    pub disk_guid: Uuid,
    /// The disk's length in sectors.
    pub sectors: u64,
    /// The partitions; the first has number 1.
    pub partitions: Vec<Partition>,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its number, from 1.
    pub number: u32,
    /// What it is for.
    pub type_guid: Uuid,
    /// Identifies it.
    pub guid: Uuid,
    /// The first sector.
    pub first: u64,
    /// The last sector, inclusive.
    pub last: u64,
    /// At most 36 UTF-16 units.
    pub name: String,
    /// The attribute bits.
    pub attributes: u64,
}

impl Partition {
    /// Returns where it begins, in bytes.
    pub fn offset(&self) -> u64 {
        self.first * SECTOR_SIZE
    }

    /// Returns its length, in bytes.
    pub fn size(&self) -> u64 {
        (self.last - self.first + 1) * SECTOR_SIZE
    }
}

/// A table cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A partition's number is zero, too large or not unique.
    #[error("there cannot be a partition {number}")]
    Number {
        /// The number.
        number: u32,
    },
    /// A partition lies outside the usable sectors or ends before it begins.
    #[error("partition {number} cannot lie in sectors {first} to {last}")]
    Place {
        /// The partition's number.
        number: u32,
        /// Its first sector.
        first: u64,
        /// Its last sector.
        last: u64,
    },
    /// Two partitions share sectors.
    #[error("partitions {left} and {right} overlap")]
    Overlap {
        /// One partition's number.
        left: u32,
        /// The other's number.
        right: u32,
    },
    /// A name is too long.
    #[error("the name `{name}` of partition {number} is longer than {NAME_UNITS} UTF-16 units")]
    Name {
        /// The partition's number.
        number: u32,
        /// The name.
        name: String,
    },
    /// The output failed.
    #[error("failed to write the partition table")]
    Write(#[source] io::Error),
}

/// A table cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Neither header is one.
    #[error("there is no GUID partition table")]
    Missing,
    /// There were headers, but none with right checksums and sensible numbers.
    #[error("both copies of the GUID partition table are corrupt")]
    Corrupt,
    /// The input failed.
    #[error("failed to read the partition table")]
    Read(#[source] io::Error),
}

impl Table {
    /// Writes the protective MBR and both copies of the table.
    ///
    /// `out` gets at least the length of the disk. What was in an old table
    /// beyond this one's entries is overwritten with zeros.
    pub fn write(&self, out: impl Write + Seek) -> Result<(), WriteError> {
        self.write_after(&self.protective_mbr(), out)
    }

    /// Writes `record`, the disk's first sector, and both copies of the table.
    fn write_after(&self, record: &[u8], mut out: impl Write + Seek) -> Result<(), WriteError> {
        self.check()?;
        let entries = self.entries();
        let last = self.sectors - 1;
        let main = self.header(1, last, 2, &entries);
        let backup = self.header(last, 1, last - ENTRIES_SECTORS, &entries);
        let mut put_at = |sector: u64, bytes: &[u8]| {
            out.seek(SeekFrom::Start(sector * SECTOR_SIZE))?;
            out.write_all(bytes)
        };
        put_at(0, record)
            .and_then(|()| put_at(1, &main))
            .and_then(|()| put_at(2, &entries))
            .and_then(|()| put_at(last - ENTRIES_SECTORS, &entries))
            .and_then(|()| put_at(last, &backup))
            .map_err(WriteError::Write)
    }

    /// Reads the table of a disk; the backup where the main one is damaged.
    pub fn read(mut input: impl Read + Seek) -> Result<Self, ReadError> {
        let length = input.seek(SeekFrom::End(0)).map_err(ReadError::Read)?;
        let sectors = length / SECTOR_SIZE;
        if sectors < FIRST_USABLE + RESERVED_AT_END {
            return Err(ReadError::Missing);
        }
        let mut seen = false;
        for sector in [1, sectors - 1] {
            match read_copy(&mut input, sector, sectors)? {
                Copy::Valid(table) => return Ok(table),
                Copy::Corrupt => seen = true,
                Copy::Missing => {}
            }
        }
        Err(if seen { ReadError::Corrupt } else { ReadError::Missing })
    }

    fn check(&self) -> Result<(), WriteError> {
        let usable = FIRST_USABLE..=self.sectors.saturating_sub(RESERVED_AT_END + 1);
        for (index, partition) in self.partitions.iter().enumerate() {
            let Partition { number, first, last, .. } = *partition;
            let known = &self.partitions[..index];
            if !(1..=ENTRIES as u32).contains(&number) || known.iter().any(|p| p.number == number) {
                return Err(WriteError::Number { number });
            }
            if !usable.contains(&first) || !usable.contains(&last) || first > last {
                return Err(WriteError::Place { number, first, last });
            }
            if let Some(other) = known.iter().find(|p| first <= p.last && p.first <= last) {
                return Err(WriteError::Overlap { left: other.number, right: number });
            }
            if partition.name.encode_utf16().count() > NAME_UNITS {
                return Err(WriteError::Name { number, name: partition.name.clone() });
            }
        }
        if usable.is_empty() {
            return Err(WriteError::Place { number: 0, first: 0, last: self.sectors });
        }
        Ok(())
    }

    /// Returns the list of entries (section 5.3.3).
    fn entries(&self) -> Vec<u8> {
        let mut list = vec![0; ENTRIES * ENTRY_LENGTH];
        for partition in &self.partitions {
            let at = (partition.number as usize - 1) * ENTRY_LENGTH;
            let entry = &mut list[at..at + ENTRY_LENGTH];
            put(entry, 0, &partition.type_guid.to_bytes_le());
            put(entry, 16, &partition.guid.to_bytes_le());
            put_u64(entry, 32, partition.first);
            put_u64(entry, 40, partition.last);
            put_u64(entry, 48, partition.attributes);
            for (index, unit) in partition.name.encode_utf16().enumerate() {
                put_u16(entry, NAME_AT + 2 * index, unit);
            }
        }
        list
    }

    /// Returns a header's sector (section 5.3.2).
    fn header(&self, this: u64, other: u64, entries_at: u64, entries: &[u8]) -> Vec<u8> {
        let mut raw = vec![0; SECTOR_SIZE as usize];
        put(&mut raw, 0, &SIGNATURE);
        put_u32(&mut raw, 8, REVISION);
        put_u32(&mut raw, 12, HEADER_LENGTH as u32);
        put_u64(&mut raw, 24, this);
        put_u64(&mut raw, 32, other);
        put_u64(&mut raw, 40, FIRST_USABLE);
        put_u64(&mut raw, 48, self.sectors - RESERVED_AT_END - 1);
        put(&mut raw, 56, &self.disk_guid.to_bytes_le());
        put_u64(&mut raw, 72, entries_at);
        put_u32(&mut raw, 80, ENTRIES as u32);
        put_u32(&mut raw, 84, ENTRY_LENGTH as u32);
        put_u32(&mut raw, 88, crc32fast::hash(entries));
        let checksum = crc32fast::hash(&raw[..HEADER_LENGTH]);
        put_u32(&mut raw, HEADER_CHECKSUM_AT, checksum);
        raw
    }

    /// Returns the sector that keeps old tools away (section 5.2.3).
    fn protective_mbr(&self) -> Vec<u8> {
        let mut raw = vec![0; SECTOR_SIZE as usize];
        let partition = &mut raw[446..462];
        put(partition, 1, &[0x00, 0x02, 0x00]);
        partition[4] = 0xee;
        put(partition, 5, &[0xff, 0xff, 0xff]);
        put_u32(partition, 8, 1);
        put_u32(partition, 12, u32::try_from(self.sectors - 1).unwrap_or(u32::MAX));
        put(&mut raw, 510, &[0x55, 0xaa]);
        raw
    }
}

/// What one copy of a table turned out to be.
enum Copy {
    Missing,
    Corrupt,
    Valid(Table),
}

fn read_copy(input: &mut (impl Read + Seek), at: u64, sectors: u64) -> Result<Copy, ReadError> {
    let header = read_sectors(input, at, SECTOR_SIZE)?;
    if header[..8] != SIGNATURE {
        return Ok(Copy::Missing);
    }
    let length = u32_at(&header, 12) as usize;
    let count = u64::from(u32_at(&header, 80));
    let entry_length = u64::from(u32_at(&header, 84));
    let entries_at = u64_at(&header, 72);
    let list_length = count * entry_length;
    let sane = (HEADER_LENGTH..=header.len()).contains(&length)
        && entry_length >= ENTRY_LENGTH as u64
        && entry_length.is_power_of_two()
        && list_length <= LARGEST_LIST
        && u64_at(&header, 24) == at
        && entries_at < sectors
        && list_length.div_ceil(SECTOR_SIZE) <= sectors - entries_at;
    if !sane {
        return Ok(Copy::Corrupt);
    }
    let mut summed = header[..length].to_vec();
    put_u32(&mut summed, HEADER_CHECKSUM_AT, 0);
    let list = read_sectors(input, entries_at, list_length)?;
    if crc32fast::hash(&summed) != u32_at(&header, HEADER_CHECKSUM_AT)
        || crc32fast::hash(&list) != u32_at(&header, 88)
    {
        return Ok(Copy::Corrupt);
    }
    let mut partitions = Vec::new();
    for (entry, number) in list.chunks(entry_length as usize).zip(1..) {
        match parse_entry(entry, number, sectors) {
            Some(Ok(partition)) => partitions.push(partition),
            Some(Err(())) => return Ok(Copy::Corrupt),
            None => {}
        }
    }
    let disk_guid = Uuid::from_bytes_le(array_at(&header, 56));
    Ok(Copy::Valid(Table { disk_guid, sectors, partitions }))
}

/// Returns the partition of an entry; `None` if the entry is not in use.
fn parse_entry(entry: &[u8], number: u32, sectors: u64) -> Option<Result<Partition, ()>> {
    let type_guid = Uuid::from_bytes_le(array_at(entry, 0));
    if type_guid.is_nil() {
        return None;
    }
    let (first, last) = (u64_at(entry, 32), u64_at(entry, 40));
    if first > last || last >= sectors {
        return Some(Err(()));
    }
    let units = entry[NAME_AT..ENTRY_LENGTH].chunks(2).map(|unit| [unit[0], unit[1]]);
    let units: Vec<u16> = units.map(u16::from_le_bytes).take_while(|unit| *unit != 0).collect();
    Some(Ok(Partition {
        number,
        type_guid,
        guid: Uuid::from_bytes_le(array_at(entry, 16)),
        first,
        last,
        name: String::from_utf16_lossy(&units),
        attributes: u64_at(entry, 48),
    }))
}

fn read_sectors(
    input: &mut (impl Read + Seek),
    at: u64,
    length: u64,
) -> Result<Vec<u8>, ReadError> {
    let mut bytes = vec![0; length as usize];
    input.seek(SeekFrom::Start(at * SECTOR_SIZE)).map_err(ReadError::Read)?;
    input.read_exact(&mut bytes).map_err(ReadError::Read)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn table() -> Table {
        Table {
            disk_guid: uuid!("00112233-4455-6677-8899-aabbccddeeff"),
            sectors: 4096,
            partitions: vec![
                Partition {
                    number: 1,
                    type_guid: EFI_SYSTEM,
                    guid: uuid!("11111111-2222-3333-4444-555555555555"),
                    first: 2048,
                    last: 3071,
                    name: "esp".to_owned(),
                    attributes: 0,
                },
                Partition {
                    number: 3,
                    type_guid: LINUX_ROOT_X86_64,
                    guid: uuid!("66666666-7777-8888-9999-aaaaaaaaaaaa"),
                    first: 3072,
                    last: 4000,
                    name: "root \u{1f980}".to_owned(),
                    attributes: 1 << 59,
                },
            ],
        }
    }

    fn written(table: &Table) -> Vec<u8> {
        let mut disk = Cursor::new(Vec::new());
        table.write(&mut disk).unwrap();
        disk.into_inner()
    }

    fn hex(bytes: &[u8]) -> Vec<String> {
        let line = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        bytes.chunks(16).map(line).collect()
    }

    #[test]
    fn bytes_are_as_specified() {
        let disk = written(&table());
        assert_eq!(disk.len(), 4096 * 512);
        assert_eq!(hex(&disk[446..462]), ["00000200eeffffff01000000ff0f0000"]);
        assert_eq!(disk[510..512], [0x55, 0xaa]);
        assert_eq!(
            hex(&disk[512..512 + 92]),
            [
                "4546492050415254000001005c000000",
                "abafcd81000000000100000000000000",
                "ff0f0000000000002200000000000000",
                "de0f0000000000003322110055447766",
                "8899aabbccddeeff0200000000000000",
                "8000000080000000a08ee494",
            ]
        );
        assert_eq!(
            hex(&disk[4095 * 512..4095 * 512 + 92]),
            [
                "4546492050415254000001005c000000",
                "6988b57600000000ff0f000000000000",
                "01000000000000002200000000000000",
                "de0f0000000000003322110055447766",
                "8899aabbccddeeffdf0f000000000000",
                "8000000080000000a08ee494",
            ]
        );
        assert_eq!(
            hex(&disk[1024 + 256..1024 + 256 + 80]),
            [
                "e3bc684fcde8b14d96e7fbcaf984b709",
                "66666666777788889999aaaaaaaaaaaa",
                "000c000000000000a00f000000000000",
                "000000000000000872006f006f007400",
                "20003ed880dd00000000000000000000",
            ]
        );
        assert_eq!(disk[1024..1024 + 16384], disk[4063 * 512..4095 * 512]);
    }

    #[test]
    fn either_copy_is_enough() {
        let disk = written(&table());
        assert_eq!(Table::read(Cursor::new(&disk)).unwrap(), table());
        for damage in [512 + 30, 1024 + 5] {
            let mut disk = disk.clone();
            disk[damage] ^= 1;
            assert_eq!(Table::read(Cursor::new(&disk)).unwrap(), table());
            let last = disk.len() - 512 + 30;
            disk[last] ^= 1;
            assert!(matches!(Table::read(Cursor::new(&disk)), Err(ReadError::Corrupt)));
        }
        let empty = vec![0; disk.len()];
        assert!(matches!(Table::read(Cursor::new(&empty)), Err(ReadError::Missing)));
        assert!(matches!(Table::read(Cursor::new(&[0; 512])), Err(ReadError::Missing)));
    }

    #[test]
    fn impossible_tables_are_refused() {
        #[track_caller]
        fn check(change: impl FnOnce(&mut Table), message: &str) {
            let mut table = table();
            change(&mut table);
            let error = table.write(Cursor::new(Vec::new())).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        check(|t| t.partitions[1].number = 1, "there cannot be a partition 1");
        check(|t| t.partitions[1].number = 129, "there cannot be a partition 129");
        check(|t| t.partitions[1].first = 3071, "partitions 1 and 3 overlap");
        check(|t| t.partitions[0].first = 33, "partition 1 cannot lie in sectors 33 to 3071");
        check(|t| t.partitions[1].last = 4063, "partition 3 cannot lie in sectors 3072 to 4063");
        check(
            |t| t.partitions[0].name = "x".repeat(37),
            "the name `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` of partition 1 is longer than 36 \
             UTF-16 units",
        );
    }

    /// Makes both checksums of the copy whose header is in `sector` fit what they are of, if
    /// that lies on the disk.
    fn sum_up(disk: &mut [u8], sector: usize) {
        let at = sector * SECTOR_SIZE as usize;
        let header = disk[at..at + SECTOR_SIZE as usize].to_vec();
        let field = |at| u32_at(&header, at) as usize;
        let first = (u64_at(&header, 72) as usize).saturating_mul(SECTOR_SIZE as usize);
        let end = first.saturating_add(field(80) * field(84));
        if let Some(list) = disk.get(first..end) {
            let checksum = crc32fast::hash(list);
            put_u32(&mut disk[at..], 88, checksum);
        }
        let length = field(12).min(header.len());
        put_u32(&mut disk[at..], HEADER_CHECKSUM_AT, 0);
        let checksum = crc32fast::hash(&disk[at..at + length]);
        put_u32(&mut disk[at..], HEADER_CHECKSUM_AT, checksum);
    }

    /// Bytes to flip: where, by what.
    fn flips(range: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(usize, u8)>> {
        prop::collection::vec((range, any::<u8>()), 0..20)
    }

    proptest! {
        /// With checksums that fit, so that what they protect is read as well: whoever makes a
        /// hostile disk knows how to sum.
        #[test]
        fn damage_never_panics(entries in flips(0..3 * ENTRY_LENGTH), header in flips(8..92)) {
            let mut disk = written(&table());
            for (at, byte) in entries {
                disk[2 * 512 + at] ^= byte;
                disk[4063 * 512 + at] ^= byte;
            }
            // Beyond the first few most damage to the header is found before anything is read.
            for (at, byte) in header.into_iter().take(2) {
                disk[512 + at] ^= byte;
            }
            sum_up(&mut disk, 1);
            sum_up(&mut disk, 4095);
            match Table::read(Cursor::new(&disk)) {
                Ok(read) => {
                    for partition in read.partitions {
                        prop_assert!(partition.first <= partition.last, "{partition:?}");
                        prop_assert!(partition.last < read.sectors, "{partition:?}");
                    }
                }
                Err(error) => prop_assert!(matches!(error, ReadError::Corrupt), "{error}"),
            }
        }
    }
}
