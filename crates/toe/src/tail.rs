//! Keeps the end of a stream, in bounded memory.

/// The most a step's `outputs.stdout` holds, in bytes: the end counts.
pub(crate) const OUTPUT_LIMIT: usize = 1 << 20;

/// The last [`OUTPUT_LIMIT`] bytes of what was pushed.
#[derive(Default)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        // Twice the limit may gather, so that bytes are moved rarely.
        if self.bytes.len() > 2 * OUTPUT_LIMIT {
            self.bytes.drain(..self.bytes.len() - OUTPUT_LIMIT);
        }
    }

    /// Returns the text without the line ends it closes with, as `$(…)` does.
    pub(crate) fn into_text(self) -> String {
        let kept = &self.bytes[self.bytes.len().saturating_sub(OUTPUT_LIMIT)..];
        let end = kept.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |at| at + 1);
        String::from_utf8_lossy(&kept[..end]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_is_kept() {
        let mut tail = Tail::default();
        for _ in 0..5 {
            tail.push(&vec![b'x'; OUTPUT_LIMIT]);
        }
        tail.push(b"end\r\n\n");
        assert!(tail.bytes.len() <= 2 * OUTPUT_LIMIT);
        let text = tail.into_text();
        assert!(text.ends_with("xend"));
        assert_eq!(text.len(), OUTPUT_LIMIT - 3);
    }
}
