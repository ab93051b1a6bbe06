//! What the access log says of a request: never its query, its headers or its body.

use std::fmt;
use std::net::SocketAddr;

use jiff::Timestamp;
use serde::Serialize;

/// Where records go.
pub trait Log: Send + Sync + 'static {
    /// Takes a record. Called when the response is ready, before it is sent.
    fn take(&self, record: &Record);
}

impl<F: Fn(&Record) + Send + Sync + 'static> Log for F {
    fn take(&self, record: &Record) {
        self(record);
    }
}

/// One request and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// When it began, in RFC 3339 to the millisecond.
    pub time: String,
    /// The id that the response names too.
    pub request_id: String,
    /// Who connected.
    pub peer: String,
    /// The method.
    pub method: String,
    /// The path, shortened, and without the query.
    pub path: String,
    /// The status.
    pub status: u16,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// The error's name, if it was refused, by the port or by the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The service that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The region that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<&'static str>,
    /// The account, once the signature was found to be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The id of the key, once the signature was found to be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// What broke, where the answer is only that something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// The longest path in the log, in bytes.
const LONGEST: usize = 512;

impl Record {
    /// Returns the record of a request that just began, at `now` in microseconds since 1970.
    pub(crate) fn new(
        request_id: &str,
        request: &http::request::Parts,
        peer: Peer,
        now: i64,
    ) -> Self {
        let time = Timestamp::from_microsecond(now).unwrap_or_default();
        let path: String = request.uri.path().escape_debug().take(LONGEST).collect();
        let method: String = request.method.as_str().chars().take(LONGEST).collect();
        Self {
            time: format!("{time:.3}"),
            request_id: request_id.to_owned(),
            peer: peer.0.to_string(),
            method,
            path,
            status: 0,
            micros: 0,
            error: None,
            service: None,
            region: None,
            operation: None,
            account: None,
            access_key: None,
            fault: None,
        }
    }
}

/// Who connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl fmt::Display for Record {
    /// Writes the record in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, method, path, status, request_id, peer, .. } = self;
        let millis = self.micros / 1000;
        let tenths = self.micros / 100 % 10;
        write!(f, "{time} {method} {path} {status} {millis}.{tenths}ms")?;
        let named = [
            ("error", self.error.as_deref()),
            ("operation", self.operation),
            ("service", self.service.as_deref()),
            ("region", self.region.as_deref()),
            ("account", self.account.as_deref()),
            ("key", self.access_key.as_deref()),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                write!(f, " {name}={value}")?;
            }
        }
        write!(f, " request={request_id} peer={peer}")?;
        match &self.fault {
            Some(fault) => write!(f, " fault={fault:?}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use http::Request;

    use super::*;

    fn record(uri: &str) -> Record {
        let (head, ()) = Request::get(uri).body(()).unwrap().into_parts();
        let peer = Peer("127.0.0.1:40000".parse().unwrap());
        Record::new("3f0a", &head, peer, 1_795_375_225_123_456)
    }

    #[track_caller]
    fn check(record: &Record, text: Expect, json: Expect) {
        text.assert_eq(&record.to_string());
        json.assert_eq(&serde_json::to_string(record).unwrap());
    }

    #[test]
    fn a_record_is_one_line() {
        let mut full = record("/GetImage?X-Amz-Signature=5ec2e7");
        full.status = 500;
        full.micros = 12_345;
        full.operation = Some("GetImage");
        full.service = Some("imagebuilder".to_owned());
        full.region = Some("local-1".to_owned());
        full.account = Some("123456789012".to_owned());
        full.access_key = Some("AKIDEXAMPLE".to_owned());
        full.fault = Some("two\nlines".to_owned());
        check(
            &full,
            expect![[
                r#"2026-11-22T19:20:25.123Z GET /GetImage 500 12.3ms operation=GetImage service=imagebuilder region=local-1 account=123456789012 key=AKIDEXAMPLE request=3f0a peer=127.0.0.1:40000 fault="two\nlines""#
            ]],
            expect![[
                r#"{"time":"2026-11-22T19:20:25.123Z","requestId":"3f0a","peer":"127.0.0.1:40000","method":"GET","path":"/GetImage","status":500,"micros":12345,"service":"imagebuilder","region":"local-1","operation":"GetImage","account":"123456789012","accessKey":"AKIDEXAMPLE","fault":"two\nlines"}"#
            ]],
        );
        let mut refused = record("/");
        refused.status = 403;
        refused.error = Some("InvalidSignatureException".to_owned());
        check(
            &refused,
            expect![
                "2026-11-22T19:20:25.123Z GET / 403 0.0ms error=InvalidSignatureException request=3f0a peer=127.0.0.1:40000"
            ],
            expect![[
                r#"{"time":"2026-11-22T19:20:25.123Z","requestId":"3f0a","peer":"127.0.0.1:40000","method":"GET","path":"/","status":403,"micros":0,"error":"InvalidSignatureException"}"#
            ]],
        );
    }

    #[test]
    fn paths_are_harmless_and_short() {
        assert_eq!(record(r#"/a%0a"\'b"#).path, r#"/a%0a\"\\\'b"#);
        assert_eq!(record(&format!("/{}", "a".repeat(5000))).path.len(), LONGEST);
    }
}
