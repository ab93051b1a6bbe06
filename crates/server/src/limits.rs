//! How much of the machine the port may take, and for how long.

use std::time::Duration;

/// What bounds the port. Whatever is beyond waits, or is refused by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many connections are open at once; more wait in the kernel's queue.
    pub connections: usize,
    /// How many requests are worked on at once.
    pub requests: usize,
    /// How many requests wait for their turn at once.
    pub queue: usize,
    /// How long a request waits for its turn, and a body and what is read out of it for memory.
    pub turn: Duration,
    /// How many bytes all heads of requests that are being read and worked on may take together.
    pub heads: usize,
    /// How many bytes a body may have. The longest inputs of the model are
    /// documents of 16,000 characters, each of which may be twelve bytes of JSON.
    pub body: usize,
    /// How many bytes all bodies that are being read and worked on may have together.
    pub bodies: usize,
    /// How many bytes all that services read out of bodies may take together: much more than the
    /// bodies have, if someone chose them for that.
    pub contents: usize,
    /// How long a connection's first request may take to begin, the TLS handshake included.
    pub head: Duration,
    /// How long a body may take to arrive.
    pub arrival: Duration,
    /// How long a connection is kept on which no request is worked on.
    pub idle: Duration,
    /// How long requests have to end when the port is closed.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            requests: 64,
            queue: 256,
            turn: Duration::from_secs(5),
            heads: 16 << 20,
            body: 1 << 20,
            bodies: 32 << 20,
            contents: 256 << 20,
            head: Duration::from_secs(10),
            arrival: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            drain: Duration::from_secs(10),
        }
    }
}
