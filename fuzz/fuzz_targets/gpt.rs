//! Partition tables with checksums that fit: a table is refused, or its partitions lie on the
//! disk and it can be read again where it was written.
#![no_main]

use std::io::Cursor;

use disk::gpt::Table;
use libfuzzer_sys::fuzz_target;

const SECTOR: usize = 512;
const SECTORS: usize = 128;
const ENTRIES: usize = 128 * 128;

// The first 92 bytes are changes to the header, the rest are entries.
fuzz_target!(|noise: &[u8]| {
    let (header, entries) = noise.split_at(noise.len().min(92));
    let mut disk = vec![0; SECTORS * SECTOR];
    let put = |disk: &mut [u8], at: usize, bytes: &[u8]| {
        disk[at..at + bytes.len()].copy_from_slice(bytes);
    };
    put(&mut disk, SECTOR, b"EFI PART");
    for (at, number) in [(8, 0x10000_u64), (12, 92), (24, 1), (72, 2), (80, 128), (84, 128)] {
        put(&mut disk, SECTOR + at, &number.to_le_bytes());
    }
    for (byte, change) in disk[SECTOR + 8..].iter_mut().zip(header.iter().skip(8)) {
        *byte ^= change;
    }
    put(&mut disk, 2 * SECTOR, &entries[..entries.len().min(ENTRIES)]);

    let field = |disk: &[u8], at: usize| {
        let bytes = &disk[SECTOR + at..SECTOR + at + 4];
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize
    };
    let first = field(&disk, 72).saturating_mul(SECTOR);
    let end = first.saturating_add(field(&disk, 80) * field(&disk, 84));
    if let Some(list) = disk.get(first..end) {
        let sum = crc32fast::hash(list);
        put(&mut disk, SECTOR + 88, &sum.to_le_bytes());
    }
    put(&mut disk, SECTOR + 16, &[0; 4]);
    let length = field(&disk, 12).min(SECTOR);
    let sum = crc32fast::hash(&disk[SECTOR..SECTOR + length]);
    put(&mut disk, SECTOR + 16, &sum.to_le_bytes());

    let Ok(table) = Table::read(Cursor::new(&disk)) else { return };
    for partition in &table.partitions {
        assert!(partition.first <= partition.last, "{partition:?}");
        assert!(partition.last < SECTORS as u64, "{partition:?}");
    }
    let mut written = Cursor::new(vec![0; disk.len()]);
    if table.write(&mut written).is_ok() {
        let again = Table::read(written).expect("our own table is read");
        assert_eq!(again, table);
    }
});
