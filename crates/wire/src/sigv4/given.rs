//! What a request says of its signature, in its `Authorization` header or in its query.
//!
//! Takes the parts apart and checks their form; whether they are true is `claim`'s.

use http::HeaderMap;
use http::header::{AUTHORIZATION, DATE, HeaderName, HeaderValue};
use http::request::Parts;

use super::moment::Moment;
use super::refusal::{Malformed, Refusal};
use super::scope::Scope;
use crate::query::pairs;

/// A signature and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) access_key: String,
    pub(crate) scope: Scope,
    /// Lower-case names, sorted, each once.
    pub(crate) signed_headers: Vec<String>,
    pub(crate) signature: String,
    pub(crate) moment: Moment,
    pub(crate) form: Form,
}

/// Where a signature was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query of a link.
    Link {
        /// For how many seconds the link is valid.
        seconds: i64,
    },
}

/// The one algorithm.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The parameter of links that is not itself signed.
pub(crate) const SIGNATURE: &str = "X-Amz-Signature";

const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Seven days, the longest that a link may be valid.
const LONGEST: i64 = 604_800;

impl Given {
    /// Returns what the request says of its signature.
    pub(crate) fn read(request: &Parts) -> Result<Self, Refusal> {
        let link = Link::read(request.uri.query().unwrap_or_default())?;
        let token = request.headers.contains_key(TOKEN);
        match (one(&request.headers, AUTHORIZATION, "Authorization")?, link) {
            (Some(_), Some(_)) => Err(Malformed::Both.into()),
            (None, None) => Err(Refusal::Unsigned),
            (_, Some(link)) if token || link.token.is_some() => Err(Refusal::SessionToken),
            (Some(_), None) if token => Err(Refusal::SessionToken),
            (Some(header), None) => Ok(Self::of_header(header, &request.headers)?),
            (None, Some(link)) => Ok(Self::of_link(link)?),
        }
    }

    fn of_header(header: &str, headers: &HeaderMap) -> Result<Self, Malformed> {
        let (algorithm, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        require_algorithm(algorithm)?;
        let [mut credential, mut signed_headers, mut signature] = [None; 3];
        for part in rest.split(',').map(str::trim) {
            let (slot, what, value) = match part.split_once('=') {
                Some(("Credential", value)) => (&mut credential, "Credential", value),
                Some(("SignedHeaders", value)) => (&mut signed_headers, "SignedHeaders", value),
                Some(("Signature", value)) => (&mut signature, "Signature", value),
                Some(_) | None => return Err(Malformed::Stray { part: part.to_owned() }),
            };
            if slot.replace(value).is_some() {
                return Err(Malformed::Repeated { what });
            }
        }
        let lacks = |what| move || Malformed::Lacks { what };
        let (access_key, scope) =
            Scope::parse(credential.ok_or_else(lacks("a 'Credential' parameter"))?)?;
        Ok(Self {
            access_key,
            scope,
            signed_headers: names(
                signed_headers.ok_or_else(lacks("a 'SignedHeaders' parameter"))?,
            )?,
            signature: signature.ok_or_else(lacks("a 'Signature' parameter"))?.to_owned(),
            moment: moment_of(headers)?,
            form: Form::Header,
        })
    }

    fn of_link(link: Link) -> Result<Self, Malformed> {
        let lacks = |what| move || Malformed::Lacks { what };
        require_algorithm(&link.algorithm.ok_or_else(lacks("an 'X-Amz-Algorithm' parameter"))?)?;
        let credential = link.credential.ok_or_else(lacks("an 'X-Amz-Credential' parameter"))?;
        let (access_key, scope) = Scope::parse(&credential)?;
        let date = link.date.ok_or_else(lacks("an 'X-Amz-Date' parameter"))?;
        let expires = link.expires.ok_or_else(lacks("an 'X-Amz-Expires' parameter"))?;
        let seconds = expires.bytes().all(|byte| byte.is_ascii_digit()).then(|| expires.parse());
        let seconds = match seconds {
            Some(Ok(seconds @ 1..=LONGEST)) => seconds,
            Some(_) | None => return Err(Malformed::Expires { found: expires }),
        };
        Ok(Self {
            access_key,
            scope,
            signed_headers: names(
                &link.signed_headers.ok_or_else(lacks("an 'X-Amz-SignedHeaders' parameter"))?,
            )?,
            signature: link.signature.ok_or_else(lacks("an 'X-Amz-Signature' parameter"))?,
            moment: Moment::parse_basic(&date).ok_or(Malformed::Date { found: date })?,
            form: Form::Link { seconds },
        })
    }
}

/// The parameters of a link that tell of its signature.
#[derive(Debug, Default)]
struct Link {
    algorithm: Option<String>,
    credential: Option<String>,
    date: Option<String>,
    expires: Option<String>,
    signed_headers: Option<String>,
    signature: Option<String>,
    token: Option<String>,
}

impl Link {
    /// Returns the parameters, if the query has any that makes it a signed link.
    fn read(query: &str) -> Result<Option<Self>, Malformed> {
        let mut link = Self::default();
        for (name, value) in pairs(query) {
            let (slot, what) = match name.as_slice() {
                b"X-Amz-Algorithm" => (&mut link.algorithm, "X-Amz-Algorithm"),
                b"X-Amz-Credential" => (&mut link.credential, "X-Amz-Credential"),
                b"X-Amz-Date" => (&mut link.date, "X-Amz-Date"),
                b"X-Amz-Expires" => (&mut link.expires, "X-Amz-Expires"),
                b"X-Amz-SignedHeaders" => (&mut link.signed_headers, "X-Amz-SignedHeaders"),
                b"X-Amz-Signature" => (&mut link.signature, SIGNATURE),
                b"X-Amz-Security-Token" => (&mut link.token, "X-Amz-Security-Token"),
                _ => continue,
            };
            let value = String::from_utf8(value).map_err(|_| Malformed::NotText { what })?;
            if slot.replace(value).is_some() {
                return Err(Malformed::Repeated { what });
            }
        }
        let signed =
            link.algorithm.is_some() || link.credential.is_some() || link.signature.is_some();
        Ok(signed.then_some(link))
    }
}

/// Returns the header's text, if the request has it.
pub(crate) fn one<'a>(
    headers: &'a HeaderMap,
    name: HeaderName,
    what: &'static str,
) -> Result<Option<&'a str>, Malformed> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(Malformed::Repeated { what }),
        (Some(value), None) => text(value, what).map(Some),
    }
}

fn text<'a>(value: &'a HeaderValue, what: &'static str) -> Result<&'a str, Malformed> {
    value.to_str().map_err(|_| Malformed::NotText { what })
}

fn require_algorithm(algorithm: &str) -> Result<(), Malformed> {
    if algorithm == ALGORITHM {
        return Ok(());
    }
    Err(Malformed::Algorithm { algorithm: algorithm.to_owned() })
}

fn names(list: &str) -> Result<Vec<String>, Malformed> {
    let names: Vec<String> = list.split(';').map(str::to_owned).collect();
    let is_name =
        |name: &String| !name.is_empty() && HeaderName::from_lowercase(name.as_bytes()).is_ok();
    if names.iter().all(is_name) && names.is_sorted_by(|one, next| one < next) {
        return Ok(names);
    }
    Err(Malformed::SignedHeaders { found: list.to_owned() })
}

fn moment_of(headers: &HeaderMap) -> Result<Moment, Malformed> {
    if let Some(date) = one(headers, AMZ_DATE, "X-Amz-Date")? {
        return Moment::parse_basic(date).ok_or_else(|| Malformed::Date { found: date.to_owned() });
    }
    match one(headers, DATE, "Date")? {
        Some(date) => {
            Moment::parse_http(date).ok_or_else(|| Malformed::Date { found: date.to_owned() })
        }
        None => Err(Malformed::Lacks { what: "an 'X-Amz-Date' or a 'Date' header" }),
    }
}
