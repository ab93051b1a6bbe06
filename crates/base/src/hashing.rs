//! Digests a stream as it passes.

use std::io::{self, Read};

use name::Digest;
use sha2::Digest as _;

use crate::receipt::Watch;

/// A stream that digests what passes and ends early when it is told to.
pub(crate) struct Hashing<'a, R> {
    stream: R,
    hash: sha2::Sha256,
    has_ended: bool,
    watch: &'a dyn Watch,
}

impl<'a, R: Read> Hashing<'a, R> {
    /// Digests `stream` until `watch` gives up.
    pub(crate) fn new(stream: R, watch: &'a dyn Watch) -> Self {
        Self { stream, hash: sha2::Sha256::new(), has_ended: false, watch }
    }

    /// Says whether all of it has passed.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Returns the digest of what has passed.
    pub(crate) fn digest(self) -> Digest {
        Digest::from_bytes(self.hash.finalize().into())
    }
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.watch.cancelled() {
            return Err(io::Error::other("cancelled"));
        }
        // What a stream says after its end is anybody's guess.
        if self.has_ended {
            return Ok(0);
        }
        let n = self.stream.read(buffer)?;
        self.hash.update(&buffer[..n]);
        self.has_ended |= n == 0 && !buffer.is_empty();
        Ok(n)
    }
}
