//! What the file of a disk image is, by its first bytes, and what makes one of it that can be
//! imported.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// QEMU's format.
    Qcow2,
    /// The disk itself, as far as its beginning tells.
    Raw,
    /// Something else.
    Foreign(Foreign),
}

/// A format that is not read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is {what}; {mend}")]
pub(crate) struct Foreign {
    what: &'static str,
    mend: &'static str,
}

const CONVERT: &str = "`qemu-img convert -O qcow2` makes an image of it that can be imported";

/// First bytes, the formats that begin so, and what can be done about it.
const FOREIGN: [(&[u8], &str, &str); 9] = [
    (b"KDMV", "a VMDK image", CONVERT),
    (b"# Disk DescriptorFile", "the description of a VMDK image", CONVERT),
    (b"conectix", "a VHD image", CONVERT),
    (b"vhdxfile", "a VHDX image", CONVERT),
    (b"<<< Oracle VM VirtualBox Disk Image >>>", "a VDI image", CONVERT),
    (b"\xfd7zXZ\0", "compressed by xz", "unpack it with `xz -d`"),
    (b"\x1f\x8b", "compressed by gzip", "unpack it with `gzip -d`"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "unpack it with `zstd -d`"),
    (b"BZh", "compressed by bzip2", "unpack it with `bzip2 -d`"),
];

/// A disk whose partitions are listed as before UEFI.
const MBR: Foreign = Foreign {
    what: "a disk with an MBR alone",
    mend: "only disks with a GUID partition table can be imported",
};

impl Format {
    /// Returns the format of the file at `path`.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let mut head = Vec::new();
        File::open(path)?.take(512).read_to_end(&mut head)?;
        Ok(Self::of_head(&head))
    }

    fn of_head(head: &[u8]) -> Self {
        let foreign = FOREIGN.iter().find(|(magic, ..)| head.starts_with(magic));
        match foreign {
            Some((_, what, mend)) => Self::Foreign(Foreign { what, mend }),
            None if head.starts_with(b"QFI\xfb") => Self::Qcow2,
            None if is_mbr_alone(head) => Self::Foreign(MBR),
            None => Self::Raw,
        }
    }
}

/// Says whether the first sector lists partitions, and not for a GUID partition table's sake
/// (UEFI specification, 5.2).
fn is_mbr_alone(head: &[u8]) -> bool {
    let (Some(entries), Some([0x55, 0xaa])) = (head.get(446..510), head.get(510..512)) else {
        return false;
    };
    let (entries, _) = entries.as_chunks::<16>();
    let types = || entries.iter().map(|entry| entry[4]);
    entries.iter().all(|entry| matches!(entry[0], 0 | 0x80))
        && types().any(|kind| kind != 0)
        && types().all(|kind| kind != 0xee)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a first sector with a partition of the type.
    fn mbr(kind: u8) -> Vec<u8> {
        let mut head = vec![0; 512];
        head[450] = kind;
        head[510..].copy_from_slice(&[0x55, 0xaa]);
        head
    }

    #[test]
    fn what_cannot_be_imported_is_told_with_what_to_do() {
        let said = |head: &[u8]| match Format::of_head(head) {
            Format::Foreign(foreign) => foreign.to_string(),
            format => format!("{format:?}"),
        };
        for (head, expected) in [
            (
                &b"KDMV\x03\0\0\0"[..],
                "it is a VMDK image; `qemu-img convert -O qcow2` makes an image of it that can be \
                 imported",
            ),
            (b"\xfd7zXZ\0\0", "it is compressed by xz; unpack it with `xz -d`"),
            (
                &mbr(0x83),
                "it is a disk with an MBR alone; only disks with a GUID partition table can be \
                 imported",
            ),
            (b"QFI\xfb\0\0\0\x03", "Qcow2"),
            (&mbr(0xee), "Raw"),
            (&mbr(0), "Raw"),
            (b"", "Raw"),
        ] {
            assert_eq!(said(head), expected);
        }
    }

    #[test]
    fn a_file_is_what_it_begins_with() {
        let folder = tempfile::tempdir().unwrap();
        let disk = folder.path().join("disk");
        std::fs::write(&disk, [&b"QFI\xfb"[..], &[0; 4096]].concat()).unwrap();
        assert_eq!(Format::of(&disk).unwrap(), Format::Qcow2);
    }
}
