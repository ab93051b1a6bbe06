//! How long work on many blocks is shared among threads, told about and stopped.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use model::BLOCK_BYTES;

/// How far a long operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes dealt with so far.
    pub done: u64,
    /// Bytes to deal with in all; holes do not count.
    pub total: u64,
}

/// What a long operation reports to, and what stops it.
pub struct Watch<'a> {
    /// Called after each block, on the caller's thread.
    pub progress: &'a mut dyn FnMut(Progress),
    /// Looked at before each block; `true` ends the operation.
    pub cancel: &'a AtomicBool,
}

/// Why not every block was dealt with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop<E> {
    /// The caller said so.
    Cancelled,
    /// One block failed.
    Failed(E),
}

/// Calls `work` for every item on a few threads; returns the results in the items' order.
///
/// Each item counts as one block of progress. Memory is one block's buffer a
/// thread, handed to `work`, however many items there are.
pub(crate) fn each<T: Sync, R: Send, E: Send>(
    items: &[T],
    watch: &mut Watch<'_>,
    work: impl Fn(&T, &mut Vec<u8>) -> Result<R, E> + Sync,
) -> Result<Vec<R>, Stop<E>> {
    let total = items.len() as u64 * BLOCK_BYTES;
    let next = AtomicUsize::new(0);
    let halt = AtomicBool::new(false);
    let cancel = watch.cancel;
    let (sender, receiver) = mpsc::sync_channel(QUEUE);
    let mut results = Vec::with_capacity(items.len());
    let mut failure = None;
    thread::scope(|scope| {
        let (next, halt, work) = (&next, &halt, &work);
        for _ in 0..threads().min(items.len()) {
            let sender = sender.clone();
            scope.spawn(move || {
                let mut buffer = vec![0; BLOCK_BYTES as usize];
                while !halt.load(Ordering::Relaxed) && !cancel.load(Ordering::Relaxed) {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(n) else { break };
                    if sender.send((n, work(item, &mut buffer))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (n, result) in receiver {
            match result {
                Ok(result) => results.push((n, result)),
                Err(error) => {
                    halt.store(true, Ordering::Relaxed);
                    failure.get_or_insert(error);
                }
            }
            (watch.progress)(Progress { done: results.len() as u64 * BLOCK_BYTES, total });
        }
    });
    if let Some(error) = failure {
        return Err(Stop::Failed(error));
    }
    if results.len() < items.len() {
        return Err(Stop::Cancelled);
    }
    results.sort_unstable_by_key(|(n, _)| *n);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// How many results may wait for the caller's thread.
const QUEUE: usize = 64;

/// Returns how many threads share the work: hashing saturates a core each, and
/// two keep the disk busy where there is one core only.
fn threads() -> usize {
    thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_and_progress_ends_at_the_total() {
        let items: Vec<usize> = (0..500).collect();
        let cancel = AtomicBool::new(false);
        let mut last = None;
        let mut progress = |progress| last = Some(progress);
        let mut watch = Watch { progress: &mut progress, cancel: &cancel };
        let doubled = each(&items, &mut watch, |n, _| Ok::<_, ()>(n * 2)).unwrap();
        assert_eq!(doubled, items.iter().map(|n| n * 2).collect::<Vec<_>>());
        assert_eq!(last, Some(Progress { done: 500 * BLOCK_BYTES, total: 500 * BLOCK_BYTES }));
    }

    #[test]
    fn a_failure_stops_the_rest() {
        let items: Vec<usize> = (0..100_000).collect();
        let cancel = AtomicBool::new(false);
        let mut watch = Watch { progress: &mut |_| (), cancel: &cancel };
        let worked = AtomicUsize::new(0);
        let result = each(&items, &mut watch, |n, _| {
            worked.fetch_add(1, Ordering::Relaxed);
            if *n == 7 { Err(*n) } else { Ok(()) }
        });
        assert_eq!(result, Err(Stop::Failed(7)));
        assert!(worked.into_inner() < 10_000);
    }

    #[test]
    fn cancelling_stops_the_rest() {
        let items: Vec<usize> = (0..100_000).collect();
        let cancel = AtomicBool::new(false);
        let mut progress = |progress: Progress| {
            if progress.done >= 3 * BLOCK_BYTES {
                cancel.store(true, Ordering::Relaxed);
            }
        };
        let mut watch = Watch { progress: &mut progress, cancel: &cancel };
        let result = each(&items, &mut watch, |_, _| Ok::<_, ()>(()));
        assert_eq!(result, Err(Stop::Cancelled));
    }

    #[test]
    fn nothing_to_do_is_done_at_once() {
        let cancel = AtomicBool::new(true);
        let mut watch = Watch { progress: &mut |_| (), cancel: &cancel };
        assert_eq!(each(&[] as &[u8], &mut watch, |_, _| Ok::<(), ()>(())), Ok(vec![]));
    }
}
