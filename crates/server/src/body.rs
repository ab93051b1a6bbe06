//! Bodies, read whole, within bounds of size, time and the memory of all.

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::limits::Limits;

/// A body, and its part of the memory of all bodies.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) bytes: Bytes,
    pub(crate) _memory: Option<OwnedSemaphorePermit>,
}

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("The request's body is longer than {limit} bytes.")]
    TooLong { limit: usize },
    #[error("The request's body did not arrive within {} seconds.", limit.as_secs())]
    TooSlow { limit: Duration },
    #[error("The request's body ended early.")]
    Broken,
    #[error("Too many requests are being received. Try again.")]
    Crowded,
}

/// How many times the limit is still read, and forgotten, of a body that is
/// too long. Who is cut off while sending sees a broken connection, not why.
const LINGER: usize = 8;

/// Reads a body whole.
///
/// Each piece is paid for out of `memory` before the next one is asked for, so
/// that slow senders cannot hold more than that together. Who gets none for a
/// while gives back what was paid: many half-read bodies would otherwise wait
/// for each other.
pub(crate) async fn read<B>(
    body: B,
    memory: &Arc<Semaphore>,
    limits: &Limits,
) -> Result<Held, BodyError>
where
    B: Body<Data = Bytes>,
    B::Error: Error,
{
    let (limit, too_long) = (limits.body, BodyError::TooLong { limit: limits.body });
    let most = limit.saturating_mul(LINGER);
    if body.size_hint().lower() > most as u64 {
        return Err(too_long);
    }
    let whole = async {
        let mut body = pin!(body);
        let mut bytes = BytesMut::new();
        let mut held: Option<OwnedSemaphorePermit> = None;
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| BodyError::Broken)?;
            let Ok(piece) = frame.into_data() else { continue };
            length += piece.len();
            if length > most {
                return Err(too_long);
            }
            if length > limit {
                (bytes, held) = (BytesMut::new(), None);
                continue;
            }
            let size = u32::try_from(piece.len()).map_err(|_| too_long)?;
            let more = timeout(limits.turn, Arc::clone(memory).acquire_many_owned(size)).await;
            let more = more.map_err(|_| BodyError::Crowded)?;
            let more = more.expect("the memory is shared out because nobody closes it");
            match &mut held {
                Some(held) => held.merge(more),
                None => held = Some(more),
            }
            bytes.extend_from_slice(&piece);
        }
        if length > limit {
            return Err(too_long);
        }
        Ok(Held { bytes: bytes.freeze(), _memory: held })
    };
    let limit = limits.arrival;
    timeout(limit, whole).await.unwrap_or(Err(BodyError::TooSlow { limit }))
}

/// Reads a body and forgets it, piece by piece, unless it is too long or too slow: who is refused
/// whatever it holds shall hear so.
pub(crate) async fn forget<B>(body: B, limits: &Limits)
where
    B: Body<Data = Bytes>,
{
    if body.size_hint().lower() > limits.body as u64 {
        return;
    }
    let whole = async {
        let mut body = pin!(body);
        let mut length = 0;
        while let Some(Ok(frame)) = body.frame().await {
            length += frame.data_ref().map_or(0, Bytes::len);
            if length > limits.body {
                return;
            }
        }
    };
    // What is left of it ends with the connection.
    let _ = timeout(limits.arrival, whole).await;
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper::body::Frame;

    use super::*;

    /// A body that says nothing of its size, and hangs at its end if told to.
    struct Pieces(VecDeque<&'static [u8]>, bool);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            match self.0.pop_front() {
                Some(piece) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(piece))))),
                None if self.1 => Poll::Pending,
                None => Poll::Ready(None),
            }
        }
    }

    fn limits(body: usize) -> Limits {
        let (arrival, turn) = (Duration::from_millis(60), Duration::from_millis(10));
        Limits { body, arrival, turn, ..Limits::default() }
    }

    async fn check(
        pieces: &[&'static [u8]],
        hangs: bool,
        limit: usize,
    ) -> Result<Bytes, BodyError> {
        let memory = Arc::new(Semaphore::new(8));
        let body = Pieces(pieces.iter().copied().collect(), hangs);
        let read = read(body, &memory, &limits(limit)).await;
        let read = read.map(|held| {
            assert_eq!(memory.available_permits(), 8 - held.bytes.len());
            held.bytes.clone()
        });
        assert_eq!(memory.available_permits(), 8);
        read
    }

    #[tokio::test]
    async fn bodies_are_whole_or_refused() {
        assert_eq!(check(&[], false, 4).await, Ok(Bytes::new()));
        assert_eq!(check(&[b"ab", b"", b"cd"], false, 4).await, Ok(Bytes::from("abcd")));
        let too_long = Err(BodyError::TooLong { limit: 4 });
        assert_eq!(check(&[b"abcde"], false, 4).await, too_long);
        assert_eq!(check(&[b"ab", b"cd", b"e", b"f"], false, 4).await, too_long);
        // Not for ever: beyond eight times the limit nobody listens.
        assert_eq!(check(&[b"abcde".as_slice(); 7], true, 4).await, too_long);
        let too_slow = Err(BodyError::TooSlow { limit: Duration::from_millis(60) });
        assert_eq!(check(&[b"ab"], true, 4).await, too_slow);
        // All bodies together are bounded too: this one waits for what is not there.
        let crowded = Err(BodyError::Crowded);
        assert_eq!(check(&[b"abcd", b"efgh", b"i"], false, 16).await, crowded);
    }

    #[tokio::test]
    async fn what_is_forgotten_is_read_up_to_the_limit() {
        let limits = limits(4);
        for (pieces, left) in [(&[b"ab".as_slice(); 2][..], 0), (&[b"abc".as_slice(); 9], 7)] {
            let mut body = Pieces(pieces.iter().copied().collect(), false);
            forget(Pin::new(&mut body), &limits).await;
            assert_eq!(body.0.len(), left);
        }
        forget(Pieces(VecDeque::new(), true), &limits).await;
    }

    #[tokio::test]
    async fn a_body_that_says_it_is_too_long_is_not_read() {
        let memory = Arc::new(Semaphore::new(8));
        let body = http_body_util::Full::new(Bytes::from_static(b"abcde"));
        let refused = read(body, &memory, &limits(0)).await.unwrap_err();
        assert_eq!(refused, BodyError::TooLong { limit: 0 });
    }
}
