//! Any request, signed by AWS's own signer.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use http::Request;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{collection, option, sample};

/// What requests are signed with.
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A request that is to be signed.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    method: &'static str,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// When it is signed, in seconds since 1970.
    pub(crate) at: i64,
    pub(crate) service: &'static str,
    /// For how long it is valid, if it is a link.
    pub(crate) seconds: Option<i64>,
    /// Whether S3 is told the body's digest rather than nothing.
    states_body: bool,
    names_host: bool,
}

pub(crate) fn message() -> impl Strategy<Value = Message> {
    let path = "(/([A-Za-z0-9._~:@!$'()*,;=-]|%[0-9A-F]{2}){0,8}){1,4}";
    let service = prop_oneof![Just("imagebuilder"), Just("ec2"), Just("s3")];
    let method = sample::select(vec!["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"]);
    let headers = collection::vec((name(), "[!-~]( {0,3}[!-~]){0,6}"), 0..4);
    let what = (method, path, query(), headers, any::<Vec<u8>>());
    let how = (
        1_000_000_000..4_000_000_000_i64,
        service,
        option::of(1..=604_800_i64),
        any::<[bool; 2]>(),
    );
    (what, how).prop_map(|((method, path, query, headers, body), (at, service, seconds, flags))| {
        let [states_body, names_host] = flags;
        Message {
            method,
            path,
            query,
            headers,
            body,
            at,
            service,
            seconds,
            states_body,
            names_host,
        }
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["x-amz-meta-[a-z]{1,2}", "[a-z]{1,3}-note", Just("content-type".to_owned())]
}

fn query() -> impl Strategy<Value = String> {
    let text = || {
        prop_oneof![
            any::<String>()
                .prop_map(|text| utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string()),
            "[a-c+*~._-]{0,3}"
        ]
    };
    let pair = (text(), option::of(text())).prop_map(|(name, value)| match value {
        Some(value) => format!("{name}={value}"),
        None => name,
    });
    collection::vec(pair, 0..5).prop_map(|pairs| pairs.join("&"))
}

impl Message {
    /// Says whether the body may be any, as in links to S3.
    pub(crate) fn leaves_body_out(&self) -> bool {
        self.service == "s3" && (self.seconds.is_some() || !self.states_body)
    }

    /// Returns the request with its signature.
    pub(crate) fn signed(&self) -> Request<Vec<u8>> {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        let uri = format!("http://127.0.0.1:4747{}{query}", self.path);
        let mut request = Request::builder().method(self.method).uri(&uri);
        if self.names_host {
            request = request.header("host", "builder.example:4747");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(self.body.clone()).unwrap();
        let headers: Vec<(String, String)> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = if self.leaves_body_out() {
            SignableBody::UnsignedPayload
        } else {
            SignableBody::Bytes(&self.body)
        };
        let identity = Credentials::new("AKIDEXAMPLE", SECRET, None, None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("local-1")
            .name(self.service)
            .time(UNIX_EPOCH + Duration::from_secs(self.at.unsigned_abs()))
            .settings(self.settings())
            .build()
            .unwrap()
            .into();
        let signable = SignableRequest::new(self.method, uri, headers, body).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        instructions.apply_to_request_http1x(&mut request);
        request
    }

    fn settings(&self) -> SigningSettings {
        let mut settings = SigningSettings::default();
        if let Some(seconds) = self.seconds {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(seconds.unsigned_abs()));
        }
        if self.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        settings
    }
}
