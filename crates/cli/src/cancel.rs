//! Ctrl-C and its kin: the first asks for an orderly end, the second ends at once.

use std::fs;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::CliError;
use crate::exit::Exit;

/// Returns a flag that SIGINT, SIGTERM or SIGHUP sets; `told` is called then.
///
/// A second signal ends the process: cells and what runs in them end with it,
/// and the next start removes their folders. SIGHUP means nothing to a process
/// that was started to ignore it, by nohup(1). SIGINT always means something:
/// shells have what scripts put into the background ignore it, where whoever
/// sends it knows whom.
pub(crate) fn on_signals(told: impl Fn() + Send + 'static) -> Result<Arc<AtomicBool>, CliError> {
    let flag = Arc::new(AtomicBool::new(false));
    // Listening replaces what the process was started with, so this is first.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let listen = |kind: SignalKind| {
        let heeded = kind != SignalKind::hangup() || !is_ignored(&status, kind);
        heeded.then(|| signal(kind).map_err(CliError::Runtime)).transpose()
    };
    let mut signals = [
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
        listen(SignalKind::hangup())?,
    ];
    let set = Arc::clone(&flag);
    tokio::spawn(async move {
        any(&mut signals).await;
        set.store(true, Ordering::Release);
        told();
        any(&mut signals).await;
        std::process::exit(Exit::Cancelled.code().into());
    });
    Ok(flag)
}

/// Says whether a process whose `/proc/<pid>/status` this is ignores a signal.
fn is_ignored(status: &str, kind: SignalKind) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}

async fn any([interrupt, terminate, hangup]: &mut [Option<Signal>; 3]) {
    tokio::select! {
        () = next(interrupt) => {}
        () = next(terminate) => {}
        () = next(hangup) => {}
    }
}

/// Waits for the signal, for ever if it is not listened to.
async fn next(signal: &mut Option<Signal>) {
    match signal {
        // The stream of a signal does not end.
        Some(signal) => drop(signal.recv().await),
        None => pending().await,
    }
}
