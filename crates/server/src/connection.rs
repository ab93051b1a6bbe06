//! One connection: its handshake, its protocol, and when it has been idle for too long.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::gate::Gate;
use crate::keys::Keys;
use crate::record::Peer;
use crate::tls::Tls;

/// How many requests of one HTTP/2 connection are worked on at once.
const STREAMS: u32 = 64;

/// How many bytes of bodies an HTTP/2 connection may send ahead of who reads them: the least that
/// the protocol allows, since nobody has said yet who sends them (RFC 9113, 6.9.2).
const AHEAD: u32 = (64 << 10) - 1;

/// The longest head of a request, in bytes.
const HEAD: u32 = 64 << 10;

/// Serves a connection until either side ends it, it is idle for too long, or
/// `closing` says so and its requests are answered.
pub(crate) async fn serve<K: Keys>(
    stream: TcpStream,
    tls: Option<Tls>,
    gate: Arc<Gate<K>>,
    peer: Peer,
    closing: watch::Receiver<bool>,
) {
    // Answers are small and whole: waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    match tls {
        None => speak(stream, gate, peer, closing).await,
        Some(tls) => {
            let shake = timeout(gate.limits().head, tls.accept(stream)).await;
            if let Ok(Ok(stream)) = shake {
                speak(stream, gate, peer, closing).await;
            }
        }
    }
}

async fn speak<K: Keys, I>(
    stream: I,
    gate: Arc<Gate<K>>,
    peer: Peer,
    mut closing: watch::Receiver<bool>,
) where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let limits = *gate.limits();
    let busy = watch::Sender::new(0);
    let watched = busy.subscribe();
    let service = service_fn(move |request: Request<Incoming>| {
        let (gate, work) = (Arc::clone(&gate), Work::begin(busy.clone()));
        async move {
            let response = gate.answer(request, peer).await;
            drop(work);
            Ok::<Response<Full<Bytes>>, Infallible>(response.map(Full::new))
        }
    });
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut idle = pin!(idle(watched, limits.head, limits.idle));
    tokio::select! {
        // What a connection ends with concerns nobody: requests were logged.
        _ = connection.as_mut() => return,
        () = idle.as_mut() => return,
        _ = closing.wait_for(|closing| *closing) => {}
    }
    Pin::as_mut(&mut connection).graceful_shutdown();
    tokio::select! {
        _ = connection.as_mut() => {}
        () = idle.as_mut() => {}
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // A head that does not come is an idle connection, in both protocols.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEAD as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_connection_window_size(AHEAD)
        .initial_stream_window_size(AHEAD)
        .max_header_list_size(HEAD);
    builder
}

/// A request that is worked on; over when dropped.
struct Work(watch::Sender<usize>);

impl Work {
    fn begin(busy: watch::Sender<usize>) -> Self {
        busy.send_modify(|requests| *requests += 1);
        Self(busy)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.send_modify(|requests| *requests -= 1);
    }
}

/// Waits until no request has been worked on for a while: `first` before any
/// was, `later` afterwards.
async fn idle(mut busy: watch::Receiver<usize>, first: Duration, later: Duration) {
    let mut limit = first;
    loop {
        if *busy.borrow_and_update() == 0 {
            tokio::select! {
                changed = busy.changed() => if changed.is_err() { return },
                () = sleep(limit) => return,
            }
        } else if busy.changed().await.is_err() {
            return;
        }
        limit = later;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn idle_connections_end_and_busy_ones_do_not() {
        let busy = watch::Sender::new(0);
        let (short, long) = (Duration::from_millis(5), Duration::from_secs(3600));
        idle(busy.subscribe(), short, long).await;
        let work = Work::begin(busy.clone());
        let still = timeout(Duration::from_millis(50), idle(busy.subscribe(), short, short)).await;
        assert!(still.is_err());
        let mut waiting = pin!(idle(busy.subscribe(), long, short));
        assert!(timeout(Duration::from_millis(5), waiting.as_mut()).await.is_err());
        drop(work);
        waiting.await;
    }
}
