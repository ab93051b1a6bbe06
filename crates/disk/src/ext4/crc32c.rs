//! CRC-32C (Castagnoli), the checksum of ext4's metadata.
//!
//! Without the inversions at both ends: the kernel chains raw values, and so
//! does [`crc32c`]. Start with [`START`].

/// What a chain starts with.
pub(super) const START: u32 = !0;

/// Goes on with `crc` over `bytes`.
pub(super) fn crc32c(mut crc: u32, bytes: &[u8]) -> u32 {
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        let word = u64::from_le_bytes([
            word[0], word[1], word[2], word[3], word[4], word[5], word[6], word[7],
        ]) ^ u64::from(crc);
        crc = (0..8)
            .fold(0, |crc, byte| crc ^ TABLES[7 - byte][usize::from((word >> (8 * byte)) as u8)]);
    }
    for byte in words.remainder() {
        crc = crc >> 8 ^ TABLES[0][usize::from(crc as u8 ^ byte)];
    }
    crc
}

/// `TABLES[n][b]`: what byte `b` does to the checksum `n` bytes later.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut level = 1;
    while level < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[level - 1][byte];
            tables[level][byte] = before >> 8 ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        level += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the Rocksoft catalogue and the vectors of RFC 3720
    /// B.4; both invert the result.
    #[test]
    fn known_values() {
        assert_eq!(!crc32c(START, b"123456789"), 0xe306_9283);
        assert_eq!(!crc32c(START, &[0; 32]), 0x8a91_36aa);
        assert_eq!(!crc32c(START, &[0xff; 32]), 0x62a8_ab43);
        let rising: Vec<u8> = (0..32).collect();
        assert_eq!(!crc32c(START, &rising), 0x46dd_794e);
    }

    proptest::proptest! {
        #[test]
        fn chains(bytes: Vec<u8>, at: usize) {
            let (left, right) = bytes.split_at(at % (bytes.len() + 1));
            proptest::prop_assert_eq!(
                crc32c(crc32c(START, left), right),
                crc32c(START, &bytes)
            );
        }
    }
}
