//! Virtual machines: QEMU on a copy-on-write overlay of a disk.
