//! Signs requests as AWS asks for it: Signature Version 4 with its headers.
//!
//! The payload's digest is part of what is signed; it is computed elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::Credentials;
use crate::digest::hex;

/// The digest of no payload.
pub(crate) const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What is signed of a request, and for whom.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// The path, encoded.
    pub(crate) path: &'a str,
    /// Names and values, neither encoded nor in order.
    pub(crate) query: &'a [(String, String)],
    pub(crate) region: &'a str,
    /// The service as signatures call it, as in `s3`.
    pub(crate) service: &'a str,
}

/// Adds to `headers` what proves that `credentials` sent them at `unix_seconds`,
/// with a payload of the digest `sha256`. Their names are in lower case.
pub(crate) fn sign(
    request: &Request<'_>,
    headers: &mut BTreeMap<String, String>,
    sha256: &str,
    credentials: &Credentials,
    unix_seconds: u64,
) {
    headers.insert("x-amz-content-sha256".to_owned(), sha256.to_owned());
    headers.insert("x-amz-date".to_owned(), timestamp(unix_seconds));
    if let Some(token) = &credentials.session_token {
        headers.insert("x-amz-security-token".to_owned(), token.clone());
    }
    let signed = authorization(request, headers, credentials);
    headers.insert("authorization".to_owned(), signed);
}

/// Returns the value of the `authorization` header; `x-amz-date` and
/// `x-amz-content-sha256` are among `headers`.
pub(crate) fn authorization(
    request: &Request<'_>,
    headers: &BTreeMap<String, String>,
    credentials: &Credentials,
) -> String {
    let header = |name: &str| headers.get(name).map_or("", String::as_str);
    let time = header("x-amz-date");
    let day = time.get(..8).unwrap_or(time);
    let scope = format!("{day}/{}/{}/aws4_request", request.region, request.service);
    let signed: Vec<&str> = headers.keys().map(String::as_str).collect();
    let signed = signed.join(";");
    let lines: String =
        headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let canonical = format!(
        "{}\n{}\n{}\n{lines}\n{signed}\n{}",
        request.method,
        request.path,
        query(request.query),
        header("x-amz-content-sha256"),
    );
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let secret = format!("AWS4{}", credentials.secret_key);
    let key = [day, request.region, request.service, "aws4_request"]
        .iter()
        .fold(secret.into_bytes(), |key, part| hmac(&key, part.as_bytes()).to_vec());
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={signed},Signature={}",
        credentials.access_key,
        hex(&hmac(&key, text.as_bytes()))
    )
}

/// Returns a query in the form and order in which it is signed.
pub(crate) fn query(pairs: &[(String, String)]) -> String {
    let encode = |text: &String| encode(text, Slash::Encoded);
    let mut pairs: Vec<_> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.sort();
    pairs.join("&")
}

/// What becomes of `/` when a text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slash {
    /// It stays, as in paths.
    Kept,
    /// It is encoded, as in queries.
    Encoded,
}

/// Encodes all bytes but unreserved ones (RFC 3986), with capital letters.
pub(crate) fn encode(text: &str, slash: Slash) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let stays = byte.is_ascii_alphanumeric()
            || b"-._~".contains(&byte)
            || byte == b'/' && slash == Slash::Kept;
        if stays {
            encoded.push(byte.into());
        } else {
            write!(encoded, "%{byte:02X}").expect("writing succeeds because it is to a string");
        }
    }
    encoded
}

/// Returns a moment as signatures write it, as in `20130524T000000Z`.
fn timestamp(unix_seconds: u64) -> String {
    let moment = i64::try_from(unix_seconds).ok();
    let moment = moment.and_then(|seconds| Timestamp::from_second(seconds).ok());
    moment.unwrap_or_default().strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// HMAC with SHA-256 (RFC 2104).
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner =
        Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a signature that AWS publishes: "Signature Calculations for the
    /// Authorization Header", Amazon S3 API Reference.
    #[track_caller]
    fn check(
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        expected: &str,
    ) {
        let credentials = Credentials {
            access_key: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
        };
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let common =
            [("host", "examplebucket.s3.amazonaws.com"), ("x-amz-date", "20130524T000000Z")];
        let headers = common.iter().chain(headers).map(pair).collect();
        let query: Vec<_> = query.iter().map(pair).collect();
        let (region, service) = ("us-east-1", "s3");
        let request = Request { method, path, query: &query, region, service };
        let actual = authorization(&request, &headers, &credentials);
        let start = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/\
            aws4_request,SignedHeaders=";
        assert!(actual.starts_with(start), "{actual}");
        assert_eq!(actual.rsplit_once("Signature=").unwrap().1, expected);
    }

    #[test]
    fn signatures_are_the_published_ones() {
        let empty = ("x-amz-content-sha256", EMPTY);
        check(
            "GET",
            "/test.txt",
            &[],
            &[("range", "bytes=0-9"), empty],
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        );
        check(
            "PUT",
            &encode("/test$file.text", Slash::Kept),
            &[],
            &[
                ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                (
                    "x-amz-content-sha256",
                    "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
                ),
            ],
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        );
        check(
            "GET",
            "/",
            &[("lifecycle", "")],
            &[empty],
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        );
        check(
            "GET",
            "/",
            &[("prefix", "J"), ("max-keys", "2")],
            &[empty],
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        );
    }

    #[test]
    fn codes_of_long_keys_are_the_published_ones() {
        // RFC 4231, test cases 2 and 6.
        let code = hmac(b"Jefe", b"what do ya want for nothing?");
        assert!(hex(&code).starts_with("5bdcc146bf60754e6a042426089575c7"));
        let code = hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert!(hex(&code).starts_with("60e431591ee0b67f0d8a26aacbf5b77f"));
    }

    #[test]
    fn moments_are_written_as_dates() {
        assert_eq!(timestamp(0), "19700101T000000Z");
        assert_eq!(timestamp(951_782_399), "20000228T235959Z");
        assert_eq!(timestamp(951_782_400), "20000229T000000Z");
        assert_eq!(timestamp(1_369_353_600), "20130524T000000Z");
        assert_eq!(timestamp(4_107_542_399), "21000228T235959Z");
        assert_eq!(timestamp(4_107_542_400), "21000301T000000Z");
    }

    #[test]
    fn texts_are_encoded_with_capitals() {
        assert_eq!(encode("a b/é~*", Slash::Kept), "a%20b/%C3%A9~%2A");
        assert_eq!(encode("a/b", Slash::Encoded), "a%2Fb");
    }
}
