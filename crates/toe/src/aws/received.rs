//! A request as a server of the tests got it, and whether its signature holds.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;

use document::Algorithm;

use super::{Credentials, Request, authorization};
use crate::digest;

/// A request.
pub(crate) struct Received {
    pub(crate) method: String,
    /// Path and query as they were sent.
    pub(crate) target: String,
    /// The path, encoded.
    pub(crate) path: String,
    /// Names and values, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// Returns who asks in tests.
pub(crate) fn credentials() -> Credentials {
    Credentials {
        access_key: "access".into(),
        secret_key: "secret".into(),
        session_token: Some("token".into()),
    }
}

impl Received {
    /// Reads the next request of `stream`.
    pub(crate) fn read(stream: &TcpStream) -> Self {
        let mut reader = BufReader::new(stream);
        let mut first = String::new();
        reader.read_line(&mut first).unwrap();
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = Vec::new();
        reader.take(length).read_to_end(&mut body).unwrap();
        let mut words = first.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = pairs.map(|(name, value)| (decode(name), decode(value))).collect();
        Self { method, path: path.to_owned(), target: target.clone(), query, headers, body }
    }

    /// Checks that the [credentials](credentials()) signed this for the region
    /// `eu-west-1` and `service`.
    pub(crate) fn check_signature(&self, service: &str) -> Result<(), String> {
        let given = self.headers.get("authorization").ok_or("unsigned")?;
        let signed = given.split("SignedHeaders=").nth(1).and_then(|it| it.split(',').next());
        let names = signed.unwrap().split(';');
        let headers = names.map(|name| (name.to_owned(), self.headers[name].clone())).collect();
        let Self { method, path, query, .. } = self;
        let request = Request { method, path, query, region: "eu-west-1", service };
        if authorization(&request, &headers, &credentials()) != *given {
            return Err("not what was sent".into());
        }
        let sha256 = digest::of(&mut &self.body[..], Algorithm::Sha256).unwrap();
        if headers.get("x-amz-content-sha256") != Some(&sha256) {
            return Err("not the digest".into());
        }
        let has_token = headers.get("x-amz-security-token").is_some_and(|token| token == "token");
        if has_token { Ok(()) } else { Err("no token".into()) }
    }
}

/// Undoes the encoding of URLs.
pub(crate) fn decode(encoded: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}
