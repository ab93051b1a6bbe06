//! Lines of the channel: noise is refused or read, and what was read is
//! written as a line that can be read.
#![no_main]

use channel::{Event, Lines, Request, write_line};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|bytes: &[u8]| {
    read::<Event>(bytes);
    read::<Request>(bytes);
});

fn read<M: DeserializeOwned + Serialize>(bytes: &[u8]) {
    let mut lines = Lines::new(bytes);
    while let Ok(Some(message)) = lines.read::<M>() {
        let mut written = Vec::new();
        write_line(&mut written, &message).expect("messages are written to memory");
        // Not compared: the last digit of a number may differ.
        let again = Lines::new(&written[..]).read::<M>().expect("own lines are read");
        assert!(again.is_some());
    }
}
