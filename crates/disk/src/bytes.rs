//! Numbers at fixed places of a buffer, little-endian unless said otherwise.
//!
//! The buffer's length is the caller's invariant: records have fixed sizes.
//! Whatever has a length that comes from a disk is sliced with `get` first.

/// Returns the 16-bit number at `at`.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

/// Returns the 32-bit number at `at`.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

/// Returns the 64-bit number at `at`.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

/// Returns the big-endian 16-bit number at `at`.
pub(crate) fn be_u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(array_at(bytes, at))
}

/// Returns the big-endian 32-bit number at `at`.
pub(crate) fn be_u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(array_at(bytes, at))
}

/// Returns the big-endian 64-bit number at `at`.
pub(crate) fn be_u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(array_at(bytes, at))
}

/// Returns the `N` bytes at `at`.
pub(crate) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

/// Puts `value` at `at`.
pub(crate) fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// Puts a 16-bit number at `at`.
pub(crate) fn put_u16(bytes: &mut [u8], at: usize, value: u16) {
    put(bytes, at, &value.to_le_bytes());
}

/// Puts a 32-bit number at `at`.
pub(crate) fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    put(bytes, at, &value.to_le_bytes());
}

/// Puts a 64-bit number at `at`.
pub(crate) fn put_u64(bytes: &mut [u8], at: usize, value: u64) {
    put(bytes, at, &value.to_le_bytes());
}

/// Puts the two halves of a 64-bit number at `low` and `high`, as ext4 does
/// with the numbers it once kept in 32 bits.
pub(crate) fn put_split_u64(bytes: &mut [u8], low: usize, high: usize, value: u64) {
    put_u32(bytes, low, low_u32(value));
    put_u32(bytes, high, high_u32(value));
}

/// Puts the two halves of a 32-bit number at `low` and `high`.
pub(crate) fn put_split_u32(bytes: &mut [u8], low: usize, high: usize, value: u32) {
    put_u16(bytes, low, low_u16(value));
    put_u16(bytes, high, high_u16(value));
}

/// Returns the lower half of `value`.
pub(crate) fn low_u32(value: u64) -> u32 {
    (value & 0xffff_ffff) as u32
}

/// Returns the upper half of `value`.
pub(crate) fn high_u32(value: u64) -> u32 {
    (value >> 32) as u32
}

/// Returns the lower half of `value`.
pub(crate) fn low_u16(value: u32) -> u16 {
    (value & 0xffff) as u16
}

/// Returns the upper half of `value`.
pub(crate) fn high_u16(value: u32) -> u16 {
    (value >> 16) as u16
}
