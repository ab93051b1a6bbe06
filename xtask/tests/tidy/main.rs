//! The house rules, as ordinary tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod files;
mod generated;
mod graph;
mod invariants;
mod supply;
mod tiers;

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
