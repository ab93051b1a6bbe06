//! What was compressed: zlib, LZO in segments, or Zstandard.

use std::io::{self, Read};

use super::lzo;
use crate::bytes::u32_at;
use crate::read::{ReadErrorKind, corrupt};

/// What a segment of LZO becomes, at most.
const SEGMENT: usize = 64 << 10;
/// The largest window of Zstandard, a power of two; Btrfs uses 2¹⁷.
const WINDOW: u32 = 20;

/// How content is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Zlib,
    Lzo,
    Zstd,
}

impl Method {
    /// Returns the method of an extent, `None` for none.
    pub(super) fn parse(number: u8) -> Result<Option<Self>, ReadErrorKind> {
        match number {
            0 => Ok(None),
            1 => Ok(Some(Self::Zlib)),
            2 => Ok(Some(Self::Lzo)),
            3 => Ok(Some(Self::Zstd)),
            _ => Err(ReadErrorKind::Unsupported { what: "content compressed in an unknown way" }),
        }
    }
}

/// Returns at most `full` bytes of what `stored` begins with; `sector` is what
/// headers of LZO do not cross.
pub(super) fn decompress(
    method: Method,
    stored: &[u8],
    full: usize,
    sector: usize,
) -> Result<Vec<u8>, ReadErrorKind> {
    let broken = |_: io::Error| corrupt("compressed content");
    let mut plain = Vec::new();
    match method {
        Method::Zlib => {
            let decoder = flate2::read::ZlibDecoder::new(stored);
            decoder.take(full as u64).read_to_end(&mut plain).map_err(broken)?;
        }
        Method::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(stored).map_err(broken)?;
            let mut decoder = decoder.single_frame();
            decoder.window_log_max(WINDOW).map_err(broken)?;
            decoder.take(full as u64).read_to_end(&mut plain).map_err(broken)?;
        }
        Method::Lzo => {
            plain = segments(stored, full, sector).ok_or_else(|| corrupt("compressed content"))?;
        }
    }
    Ok(plain)
}

/// Reads a length of all, then segments with a length each. No length crosses
/// the end of a sector.
fn segments(stored: &[u8], full: usize, sector: usize) -> Option<Vec<u8>> {
    let total = u32_at(stored.get(..4)?, 0) as usize;
    let stored = stored.get(..total)?;
    let mut plain = Vec::new();
    let mut at = 4;
    while at < total && plain.len() < full {
        let left = sector - at % sector;
        if left < 4 {
            at += left;
        }
        let length = u32_at(stored.get(at..at + 4)?, 0) as usize;
        let segment = stored.get(at + 4..at.checked_add(4)?.checked_add(length)?)?;
        lzo::decompress(segment, SEGMENT, &mut plain)?;
        at += 4 + length;
    }
    plain.truncate(full);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn noise_never_panics(noise: Vec<u8>, full in 0..5000usize) {
            for method in [Method::Zlib, Method::Lzo, Method::Zstd] {
                if let Ok(plain) = decompress(method, &noise, full, 4096) {
                    prop_assert!(plain.len() <= full);
                }
            }
        }

        #[test]
        fn segments_of_noise_never_panic(noise: Vec<u8>) {
            let mut stored = (noise.len() as u32 + 8).to_le_bytes().to_vec();
            stored.extend((noise.len() as u32).to_le_bytes());
            stored.extend(noise);
            let _ = segments(&stored, 5000, 4096);
        }
    }
}
