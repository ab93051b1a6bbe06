//! Lines of the channel: noise is refused or read, and what was read is
//! written as a line that reads the same.
#![no_main]

use std::fmt::Debug;

use channel::{Event, Lines, Request, write_line};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|bytes: &[u8]| {
    read::<Event>(bytes);
    read::<Request>(bytes);
});

fn read<M: DeserializeOwned + Serialize + Debug>(bytes: &[u8]) {
    let mut lines = Lines::new(bytes);
    while let Ok(Some(message)) = lines.read::<M>() {
        let mut written = Vec::new();
        write_line(&mut written, &message).expect("messages are written to memory");
        let again: Option<M> = Lines::new(&written[..]).read().expect("own lines are read");
        let mut twice = Vec::new();
        write_line(&mut twice, &again.expect("there is a line")).expect("as before");
        assert_eq!(written, twice);
    }
}
