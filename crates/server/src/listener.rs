//! The listening socket: takes connections, as many as may be, until it is told to end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::connection;
use crate::gate::Gate;
use crate::keys::Keys;
use crate::record::Peer;
use crate::tls::Tls;

/// A port that listens; connections wait in the kernel until it is served.
pub struct Port {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("failed to listen on {address}")]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// Why not.
    #[source]
    pub source: io::Error,
}

/// How long to wait when the process has no room for another connection.
const PAUSE: Duration = Duration::from_millis(100);

impl Port {
    /// Listens on an address; its port may be 0 for any that is free.
    pub async fn bind(address: SocketAddr, tls: Option<Tls>) -> Result<Self, BindError> {
        let bound = async {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok(Self { listener, address, tls })
        };
        bound.await.map_err(|source| BindError { address, source })
    }

    /// Returns the address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves connections until `end`; returns when the requests that were
    /// begun by then are answered, or have taken too long.
    pub async fn serve<K: Keys>(self, gate: Gate<K>, end: impl Future<Output = ()>) {
        let gate = Arc::new(gate);
        let (close, closing) = watch::channel(false);
        let mut connections = JoinSet::new();
        tokio::select! {
            () = self.accept(&gate, &closing, &mut connections) => {}
            () = end => {}
        }
        drop(self);
        // Those that ended by themselves do not hear it.
        let _ = close.send(true);
        let ended = async {
            while connections.join_next().await.is_some() {}
            gate.quiet().await;
        };
        let _ = timeout(gate.limits().drain, ended).await;
    }

    async fn accept<K: Keys>(
        &self,
        gate: &Arc<Gate<K>>,
        closing: &watch::Receiver<bool>,
        connections: &mut JoinSet<()>,
    ) {
        let room = Arc::new(Semaphore::new(gate.limits().connections));
        while let Ok(place) = Arc::clone(&room).acquire_owned().await {
            while connections.try_join_next().is_some() {}
            let Ok((stream, peer)) = self.listener.accept().await else {
                // A client that left again, or no room for another file: both pass.
                sleep(PAUSE).await;
                continue;
            };
            let (gate, closing, tls) = (Arc::clone(gate), closing.clone(), self.tls.clone());
            connections.spawn(async move {
                connection::serve(stream, tls, gate, Peer(peer), closing).await;
                drop(place);
            });
        }
    }
}
