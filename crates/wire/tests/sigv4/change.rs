//! What may be changed in a signed request: everything.

use http::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use proptest::sample::Index;

use super::request::Message;

/// A change that must not go unnoticed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    Method,
    PathLonger,
    PathShorter,
    QueryMore,
    QueryLess,
    QueryOther,
    QueryPlus,
    HeaderOther,
    HeaderTwice,
    HeaderGone,
    HeaderAdded,
    Host,
    BodyOther,
    BodyLonger,
    BodyGone,
    Date,
    Day,
    AccessKey,
    Region,
    Service,
    Terminator,
    SignedHeaders,
    Expires,
    Signature,
    SignatureShorter,
    SignatureUpper,
    SignatureGone,
}

pub(crate) const CHANGES: [Change; 27] = [
    Change::Method,
    Change::PathLonger,
    Change::PathShorter,
    Change::QueryMore,
    Change::QueryLess,
    Change::QueryOther,
    Change::QueryPlus,
    Change::HeaderOther,
    Change::HeaderTwice,
    Change::HeaderGone,
    Change::HeaderAdded,
    Change::Host,
    Change::BodyOther,
    Change::BodyLonger,
    Change::BodyGone,
    Change::Date,
    Change::Day,
    Change::AccessKey,
    Change::Region,
    Change::Service,
    Change::Terminator,
    Change::SignedHeaders,
    Change::Expires,
    Change::Signature,
    Change::SignatureShorter,
    Change::SignatureUpper,
    Change::SignatureGone,
];

type Signed = Request<Vec<u8>>;

impl Change {
    /// Returns the request with the change, at one of the places where it can be made; `None` if
    /// it has none, or the change would leave it as it is.
    pub(crate) fn apply(self, message: &Message, signed: &Signed, at: Index) -> Option<Signed> {
        match self {
            Self::Method => {
                let methods = [Method::GET, Method::POST, Method::OPTIONS];
                let mut request = signed.clone();
                *request.method_mut() = at.get(&methods).clone();
                (request.method() != signed.method()).then_some(request)
            }
            Self::PathLonger => path(signed, |path| Some(format!("{path}x"))),
            Self::PathShorter => path(signed, |path| {
                let shorter = path.strip_suffix(|last: char| last.is_ascii_lowercase())?;
                Some(shorter.to_owned())
            }),
            Self::QueryMore => query(signed, |query| format!("{query}&extra=1")),
            Self::QueryLess => less_query(signed, at),
            Self::QueryOther => query(signed, |query| query.replacen('=', "=x", 1)),
            // A plus sign and a space are two things, however either is spelt.
            Self::QueryPlus => query(signed, |query| match query.contains("%2B") {
                true => query.replacen("%2B", "+", 1),
                false => query.replacen('+', "%2B", 1),
            }),
            Self::HeaderOther | Self::HeaderTwice | Self::HeaderGone => header(self, signed, at),
            Self::HeaderAdded => Some(with(signed, "x-amz-extra", "1")),
            Self::Host => Some(with_host(signed)),
            Self::BodyOther | Self::BodyLonger | Self::BodyGone => {
                body(self, signed, at).filter(|_| !message.leaves_body_out())
            }
            Self::Date => date(signed, |date| {
                let other = if &date[14..15] == "0" { "1" } else { "0" };
                format!("{}{other}Z", &date[..14])
            }),
            Self::Day => replaced(signed, "/20", "/19"),
            Self::AccessKey => replaced(signed, "AKIDEXAMPLE", "AKIDEXAMPLF"),
            Self::Region => replaced(signed, "local-1", "local-2"),
            Self::Service => replaced(signed, message.service, "iam"),
            Self::Terminator => replaced(signed, "aws4_request", "aws4_reques"),
            Self::SignedHeaders => replaced(signed, "SignedHeaders=", "SignedHeaders=a;"),
            Self::Expires => {
                message.seconds.and_then(|_| replaced(signed, "X-Amz-Expires=", "X-Amz-Expires=1"))
            }
            Self::Signature => signature(signed, |old| {
                let index = at.index(old.len());
                let other = if &old[index..=index] == "0" { "1" } else { "0" };
                format!("{}{other}{}", &old[..index], &old[index + 1..])
            }),
            Self::SignatureShorter => signature(signed, |old| old[1..].to_owned()),
            Self::SignatureUpper => signature(signed, str::to_ascii_uppercase),
            Self::SignatureGone => signature(signed, |_| String::new()),
        }
    }
}

fn body(change: Change, signed: &Signed, at: Index) -> Option<Signed> {
    let mut request = signed.clone();
    let body = request.body_mut();
    if let Change::BodyLonger = change {
        body.push(0);
        return Some(request);
    }
    if body.is_empty() {
        return None;
    }
    if let Change::BodyOther = change {
        let index = at.index(body.len());
        body[index] ^= 1;
    } else {
        body.clear();
    }
    Some(request)
}

/// Changes one of the headers that are there and signed.
fn header(change: Change, signed: &Signed, at: Index) -> Option<Signed> {
    let names: Vec<HeaderName> =
        signed.headers().keys().filter(|name| *name != AUTHORIZATION).cloned().collect();
    let name = (!names.is_empty()).then(|| at.get(&names).clone())?;
    let mut request = signed.clone();
    let headers = request.headers_mut();
    if let Change::HeaderTwice = change {
        headers.append(name, HeaderValue::from_static("x"));
        return Some(request);
    }
    let old = headers.remove(&name)?;
    if let Change::HeaderOther = change {
        let longer = [old.as_bytes(), b"x"].concat();
        headers.insert(name, HeaderValue::from_bytes(&longer).unwrap());
    } else if name == HOST {
        // The target's takes its place, which is another one.
        assert_ne!(old, request.uri().authority()?.as_str());
    }
    Some(request)
}

fn with(signed: &Signed, name: &'static str, value: &'static str) -> Signed {
    let mut request = signed.clone();
    request.headers_mut().insert(name, HeaderValue::from_static(value));
    request
}

fn with_host(signed: &Signed) -> Signed {
    with(signed, "host", "elsewhere.example")
}

fn path(signed: &Signed, edit: impl Fn(&str) -> Option<String>) -> Option<Signed> {
    let path = edit(signed.uri().path())?;
    let query = signed.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    at_uri(signed, &format!("{path}{query}"))
}

fn query(signed: &Signed, edit: impl Fn(&str) -> String) -> Option<Signed> {
    let old = signed.uri().query().unwrap_or_default();
    let new = edit(old);
    (new != old).then(|| at_uri(signed, &format!("{}?{new}", signed.uri().path())))?
}

fn less_query(signed: &Signed, at: Index) -> Option<Signed> {
    let query = signed.uri().query()?;
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    if pairs.is_empty() {
        return None;
    }
    pairs.remove(at.index(pairs.len()));
    at_uri(signed, &format!("{}?{}", signed.uri().path(), pairs.join("&")))
}

fn date(signed: &Signed, edit: impl Fn(&str) -> String) -> Option<Signed> {
    let Some(date) = signed.headers().get("x-amz-date") else {
        return query(signed, |query| {
            let (before, rest) = query.split_once("X-Amz-Date=").unwrap();
            let (date, after) = rest.split_at("20150830T123600Z".len());
            format!("{before}X-Amz-Date={}{after}", edit(date))
        });
    };
    let new = edit(date.to_str().unwrap());
    let mut request = signed.clone();
    request.headers_mut().insert("x-amz-date", new.parse().unwrap());
    Some(request)
}

/// Changes what tells of the signature, wherever that is.
fn edited(signed: &Signed, edit: impl Fn(&str) -> String) -> Option<Signed> {
    let Some(header) = signed.headers().get(AUTHORIZATION) else {
        return query(signed, |query| edit(&query.replace("%2F", "/").replace("%3B", ";")));
    };
    let old = header.to_str().unwrap();
    let new = edit(old);
    let mut request = signed.clone();
    request.headers_mut().insert(AUTHORIZATION, new.parse().unwrap());
    (new != old).then_some(request)
}

fn replaced(signed: &Signed, from: &str, to: &str) -> Option<Signed> {
    edited(signed, |text| {
        assert!(text.contains(from), "{from} is not in {text}");
        text.replacen(from, to, 1)
    })
}

fn signature(signed: &Signed, edit: impl Fn(&str) -> String) -> Option<Signed> {
    edited(signed, |text| {
        let (before, rest) = text.split_once("Signature=").unwrap();
        let (old, after) = rest.split_at(64);
        format!("{before}Signature={}{after}", edit(old))
    })
}

fn at_uri(signed: &Signed, path_and_query: &str) -> Option<Signed> {
    let mut parts = signed.uri().clone().into_parts();
    parts.path_and_query = Some(path_and_query.parse().unwrap());
    let mut request = signed.clone();
    *request.uri_mut() = Uri::from_parts(parts).unwrap();
    Some(request)
}
