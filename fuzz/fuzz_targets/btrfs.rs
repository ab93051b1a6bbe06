//! Btrfs as the kernel wrote it, damaged: reading it ends, in files or in an error.
#![no_main]

use std::sync::{LazyLock, Mutex, PoisonError};

use fuzz::Damaged;
use libfuzzer_sys::fuzz_target;

static DISK: LazyLock<Mutex<Damaged>> = LazyLock::new(|| {
    let packed = include_bytes!("../../fixtures/file-systems/btrfs.raw.zst");
    let sound = zstd::Decoder::new(&packed[..]).expect("the fixture is packed");
    Mutex::new(Damaged::new(sound))
});

fuzz_target!(|noise: &[u8]| {
    DISK.lock().unwrap_or_else(PoisonError::into_inner).exhaust(noise);
});
