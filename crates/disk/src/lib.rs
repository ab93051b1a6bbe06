//! Partition tables, FAT and ext4: the bytes of a disk image.
