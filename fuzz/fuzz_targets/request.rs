//! Requests without regard to who sends them: what is accepted is the operation that the path
//! means, what is refused is told in a response.
#![no_main]

use bytes::Bytes;
use http::{Method, Request};
use libfuzzer_sys::fuzz_target;
use wire::imagebuilder::{accept, find};

const METHODS: [Method; 5] =
    [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH];

// The first byte chooses the method, the first line is the target, the rest the body.
fuzz_target!(|noise: &[u8]| {
    let Some((first, rest)) = noise.split_first() else { return };
    let method = METHODS[usize::from(*first) % METHODS.len()].clone();
    let (target, body) = match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&rest[..end], &rest[end + 1..]),
        None => (rest, &[][..]),
    };
    let body = Bytes::copy_from_slice(body);
    let Ok(request) = Request::builder().method(method).uri(target).body(body) else { return };
    let meant = find(request.method(), request.uri().path());
    match accept(&request) {
        Ok(call) => assert_eq!(Some(call.operation), meant),
        Err(refusal) => {
            assert!(refusal.status.is_client_error(), "{refusal:?}");
            assert_eq!(refusal.response("request").status(), refusal.status);
        }
    }
});
