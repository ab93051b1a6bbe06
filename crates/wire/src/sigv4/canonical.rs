//! The canonical request: one text for all spellings of a request.

use http::header::{HOST, HeaderName};
use http::request::Parts;

use super::encoding::{encode, encode_path, normalise};
use super::given::SIGNATURE;
use crate::query::pairs;

/// Returns the canonical request up to the digest of its body, which comes
/// last; `None` if a signed header is not there.
///
/// `as_sent` leaves the path as it is, as S3 does; elsewhere it is normalised
/// and encoded once more.
pub(crate) fn head(request: &Parts, signed_headers: &[String], as_sent: bool) -> Option<Vec<u8>> {
    let path = request.uri.path();
    let path = if as_sent { path.to_owned() } else { encode_path(&normalise(path)) };
    let query = query(request.uri.query().unwrap_or_default());
    let mut text = format!("{}\n{path}\n{query}\n", request.method).into_bytes();
    for name in signed_headers {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        text.extend(values(request, name)?);
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(signed_headers.join(";").as_bytes());
    text.push(b'\n');
    Some(text)
}

/// Returns the query with its pairs encoded and in order, without the signature.
fn query(query: &str) -> String {
    let pairs = pairs(query).into_iter().filter(|(name, _)| name != SIGNATURE.as_bytes());
    let mut pairs: Vec<_> = pairs.map(|(name, value)| (encode(&name), encode(&value))).collect();
    pairs.sort();
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// Returns a header's values, trimmed, folded and joined.
fn values(request: &Parts, name: &str) -> Option<Vec<u8>> {
    let name = HeaderName::from_lowercase(name.as_bytes()).ok()?;
    let mut values = request.headers.get_all(&name).iter().peekable();
    if values.peek().is_none() && name == HOST {
        // HTTP/2 has it in the request's target.
        return Some(request.uri.authority()?.as_str().as_bytes().to_vec());
    }
    values.peek()?;
    let values: Vec<_> = values.map(|value| folded(value.as_bytes())).collect();
    Some(values.join(&b','))
}

/// Returns a value with every run of spaces as one, and none at its ends.
fn folded(value: &[u8]) -> Vec<u8> {
    let words = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b' ')
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use http::Request;

    use super::*;

    #[track_caller]
    fn check(request: http::request::Builder, signed_headers: &[&str], expected: Expect) {
        let (request, ()) = request.body(()).unwrap().into_parts();
        let signed_headers: Vec<_> = signed_headers.iter().map(|&name| name.to_owned()).collect();
        let head = head(&request, &signed_headers, false).map(String::from_utf8);
        expected.assert_eq(&head.map_or("none".to_owned(), Result::unwrap));
    }

    #[test]
    fn spellings_become_one() {
        check(
            Request::post("/a//b/../c%20d/é?b=2&a=&b=1&a-=3&c&X-Amz-Signature=00")
                .header("host", "example.com")
                .header("x-amz-meta", "  one   two ")
                .header("X-Amz-Meta", "three"),
            &["host", "x-amz-meta"],
            expect![[r#"
                POST
                /a/c%2520d/%C3%A9
                a=&a-=3&b=1&b=2&c=
                host:example.com
                x-amz-meta:one two,three

                host;x-amz-meta
            "#]],
        );
    }

    #[test]
    fn the_host_may_be_in_the_target() {
        check(
            Request::get("https://example.com:4747"),
            &["host"],
            expect![[r#"
            GET
            /

            host:example.com:4747

            host
        "#]],
        );
    }

    #[test]
    fn what_was_signed_must_be_there() {
        check(Request::get("/").header("host", "a"), &["content-type", "host"], expect!["none"]);
        check(Request::get("/"), &["host"], expect!["none"]);
    }

    #[test]
    fn a_path_may_count_as_sent() {
        let (request, ()) = Request::get("/a//b%20/../c").body(()).unwrap().into_parts();
        let head = head(&request, &[], true).unwrap();
        assert!(head.starts_with(b"GET\n/a//b%20/../c\n\n"), "{head:?}");
    }
}
