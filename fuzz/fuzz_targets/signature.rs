//! Heads of requests whose signatures are noise: nobody is believed, and it makes no difference
//! whether the key is known.
#![no_main]

use http::Request;
use libfuzzer_sys::fuzz_target;
use seal::Secret;
use wire::sigv4::{Claim, Credentials, Tolerance};

/// 2026-11-22T18:30:00Z, when the seeds were signed.
const NOW: i64 = 1_795_372_200_000_000;

// The first line is the target, each line after it a header, up to an empty one; the rest is the
// body.
fuzz_target!(|noise: &[u8]| {
    let mut lines = noise.split(|byte| *byte == b'\n');
    let mut request = Request::post(lines.next().unwrap_or_default());
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        request = request.header(name, value.trim_ascii());
    }
    let Ok(request) = request.body(()) else { return };
    let (head, ()) = request.into_parts();
    let body = lines.next().unwrap_or_default();
    let read = || Claim::read(&head, NOW, Tolerance::default());
    let (Ok(claim), Ok(again)) = (read(), read()) else { return };
    let account = "123456789012".parse().expect("the account is valid");
    let credentials = Credentials { account, secret: Secret::new("noise".to_owned()) };
    let unknown = claim.verify(body, None).expect_err("nobody has this key");
    let wrong = again.verify(body, Some(&credentials)).expect_err("noise signs nothing");
    assert_eq!(unknown.to_string(), wrong.to_string());
});
