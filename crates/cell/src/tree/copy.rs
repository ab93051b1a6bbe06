//! Copies a disk around the file systems that are written anew.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use disk::gpt::Table;

use super::holes::{next_data, next_hole};
use super::write::WriteError;
use crate::job::Volume;

/// Copies the disk `from` except for what lies in `volumes`, as a disk of
/// `size` bytes if that is given, and returns where the volumes are then.
pub(super) fn copy_disk(
    from: &Path,
    size: Option<u64>,
    volumes: &[Volume],
    out: &mut File,
) -> Result<Vec<Volume>, WriteError> {
    let from = File::open(from).map_err(WriteError::Image)?;
    let length = from.metadata().map_err(WriteError::Image)?.len();
    let size = size.unwrap_or(length);
    if size < length {
        return Err(WriteError::TooSmall { needed: length, size });
    }
    out.set_len(size).map_err(WriteError::Image)?;
    let mut volumes = volumes.to_vec();
    let mut larger = None;
    if size > length
        && let Some(root) = volumes.first_mut()
    {
        let table = Table::read(&from)?.enlarged(size, root.offset);
        let partition = table.partitions.iter().find(|p| p.offset() == root.offset);
        root.size = partition.map_or(root.size, |partition| partition.size());
        larger = Some(table);
    }
    copy_around(&from, length, out, &volumes).map_err(WriteError::Image)?;
    if let Some(table) = larger {
        table.rewrite(out)?;
    }
    Ok(volumes)
}

/// Copies what has data of the first `length` bytes, except for what lies in
/// `volumes`.
fn copy_around(from: &File, length: u64, out: &File, volumes: &[Volume]) -> io::Result<()> {
    let mut places: Vec<_> = volumes.iter().map(|volume| (volume.offset, volume.size)).collect();
    places.sort_unstable();
    let starts = std::iter::once(0).chain(places.iter().map(|(offset, size)| offset + size));
    let ends = places.iter().map(|(offset, _)| *offset).chain([length]);
    let mut buffer = vec![0; 1 << 20];
    for (start, end) in starts.zip(ends) {
        let mut at = start;
        while at < end {
            let Some(data) = next_data(from, at)? else { break };
            let hole = next_hole(from, data)?.min(end);
            at = data;
            while at < hole {
                let n = buffer.len().min((hole - at) as usize);
                from.read_exact_at(&mut buffer[..n], at)?;
                out.write_all_at(&buffer[..n], at)?;
                at += n as u64;
            }
            at = at.max(hole);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use disk::gpt::{EFI_SYSTEM, LINUX_FILE_SYSTEM, Partition};
    use uuid::Uuid;

    use super::*;

    const MIB: u64 = 1 << 20;
    /// A boot loader and two file systems in 16 MiB.
    const PLACES: [(u64, u64); 3] = [(1, 2), (4, 3), (8, 7)];

    /// Copies a disk that is full of ones around its second and third
    /// partition, of which the one numbered `root` is the root.
    #[track_caller]
    fn copy(size: Option<u64>, root: usize) -> Result<(Vec<u64>, Table, Vec<u8>), WriteError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        std::fs::write(&path, vec![1; 16 * MIB as usize]).unwrap();
        let partition = |(number, (first, length)): (u32, (u64, u64))| Partition {
            number,
            type_guid: if number == 1 { EFI_SYSTEM } else { LINUX_FILE_SYSTEM },
            guid: Uuid::from_u128(number.into()),
            first: first * MIB / 512,
            last: (first + length) * MIB / 512 - 1,
            name: String::new(),
            attributes: 0,
        };
        let partitions = (1..).zip(PLACES).map(partition).collect();
        let table = Table { disk_guid: Uuid::from_u128(9), sectors: 32768, partitions };
        table.write(File::options().write(true).open(&path).unwrap()).unwrap();
        let volume = |index: usize| Volume {
            place: PathBuf::new(),
            offset: PLACES[index].0 * MIB,
            size: PLACES[index].1 * MIB,
            uuid: [0; 16],
            label: String::new(),
        };
        let volumes = [volume(root), volume(3 - root)];
        let new = folder.path().join("new");
        let mut out = File::options().read(true).write(true).create_new(true).open(&new).unwrap();
        let volumes = copy_disk(&path, size, &volumes, &mut out)?;
        let sizes = volumes.iter().map(|volume| volume.size / MIB).collect();
        Ok((sizes, Table::read(&out).unwrap(), std::fs::read(&new).unwrap()))
    }

    /// Returns what each MiB between the table's copies holds.
    fn kept(disk: &[u8]) -> Vec<u8> {
        disk.chunks(MIB as usize).map(|mib| mib[mib.len() / 2]).collect()
    }

    #[test]
    fn a_disk_stays_as_large_as_it_is() {
        let (sizes, table, disk) = copy(None, 2).unwrap();
        assert_eq!(sizes, [7, 3]);
        assert_eq!((table.sectors, disk.len() as u64), (32768, 16 * MIB));
        assert_eq!(kept(&disk), [1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn a_larger_disk_gives_the_root_what_is_new() {
        let (sizes, table, disk) = copy(Some(32 * MIB), 2).unwrap();
        assert_eq!(sizes, [23, 3]);
        assert_eq!((table.sectors, disk.len() as u64), (65536, 32 * MIB));
        assert_eq!(table.partitions[2].size(), 23 * MIB);
        let mut expected = vec![1, 1, 1, 1, 0, 0, 0, 1];
        expected.resize(32, 0);
        assert_eq!(kept(&disk), expected);
        // Where the old backup was, the file system expects zeros.
        assert!(disk[8 * MIB as usize..31 * MIB as usize].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_root_that_is_not_last_stays() {
        let (sizes, table, _) = copy(Some(32 * MIB), 1).unwrap();
        assert_eq!(sizes, [3, 7]);
        assert_eq!(table.sectors, 65536);
        assert_eq!(table.partitions[2].size(), 7 * MIB);
    }

    #[test]
    fn a_smaller_disk_is_refused() {
        let error = copy(Some(15 * MIB), 2).unwrap_err();
        assert!(matches!(error, WriteError::TooSmall { needed, .. } if needed == 16 * MIB));
    }

    /// What cannot be told is no hole.
    #[test]
    fn a_disk_that_cannot_be_read_is_no_empty_one() {
        let (pipe, _end) = io::pipe().unwrap();
        let from = File::from(std::os::fd::OwnedFd::from(pipe));
        let out = tempfile::tempfile().unwrap();
        let error = copy_around(&from, 1, &out, &[]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::SPIPE.raw_os_error()));
    }
}
