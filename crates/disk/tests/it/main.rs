//! What this crate writes, judged by the reference tools and by itself.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod disks;
mod foreign;
mod kernel;
mod round_trip;
mod shapes;
mod sharing;
mod support;
mod system;
