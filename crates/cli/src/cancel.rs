//! Ctrl-C and its kin: the first asks for an orderly end, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::CliError;
use crate::exit::Exit;

/// Returns a flag that SIGINT, SIGTERM or SIGHUP sets; `told` is called then.
///
/// A second signal ends the process: cells and what runs in them end with it,
/// and the next start removes their folders.
pub(crate) fn on_signals(told: impl Fn() + Send + 'static) -> Result<Arc<AtomicBool>, CliError> {
    let flag = Arc::new(AtomicBool::new(false));
    let listen = |kind| signal(kind).map_err(CliError::Runtime);
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

async fn any([interrupt, terminate, hangup]: &mut [Signal; 3]) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
