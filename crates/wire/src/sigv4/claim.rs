//! From what a request claims to who sent it.
//!
//! In two steps, since keys are looked up and bodies read in between:
//! [`Claim::read`] needs the head of the request, [`Claim::verify`] the rest.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use http::header::HeaderName;
use http::request::Parts;
use name::{Account, Region};
use seal::Secret;
use zeroize::Zeroizing;

use super::canonical::head;
use super::given::{ALGORITHM, Form, Given, one};
use super::moment::Moment;
use super::refusal::{Malformed, Refusal};
use super::scope::TERMINATOR;

/// What a request claims; not yet believed.
#[derive(Debug)]
pub struct Claim {
    given: Given,
    head: Option<Vec<u8>>,
    payload: Payload,
}

/// Who sent a request, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account that the key belongs to.
    pub account: Account,
    /// The key's id.
    pub access_key: String,
    /// The region that the request is for.
    pub region: Region,
    /// The service that the request is for, by its signing name.
    pub service: String,
}

/// What a key's id stands for.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The account that the key belongs to.
    pub account: Account,
    /// What requests are signed with.
    pub secret: Secret,
}

/// How far the dates of requests may be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// In minutes, to both sides.
    pub minutes: u16,
}

impl Default for Tolerance {
    /// Returns AWS's: five minutes.
    fn default() -> Self {
        Self { minutes: 5 }
    }
}

/// What is signed of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Payload {
    /// Its digest, computed here.
    Digest,
    /// Its digest, which the request also states.
    Stated(String),
    /// Nothing.
    Unsigned,
}

const CONTENT: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Headers that links leave out although their names begin with `x-amz-`.
const NOT_IN_LINKS: [&str; 2] = ["x-amz-checksum-mode", "x-amz-user-agent"];

impl Claim {
    /// Reads what the head of a request claims; `now` is in microseconds since 1970.
    pub fn read(request: &Parts, now: i64, tolerance: Tolerance) -> Result<Self, Refusal> {
        let given = Given::read(request)?;
        require_signed(request, &given)?;
        if given.scope.date != given.moment.date() {
            let (scope, moment) = (given.scope.date, given.moment);
            return Err(Refusal::OtherDay { scope, moment });
        }
        require_current(&given, Moment::at(now), tolerance)?;
        let is_s3 = given.scope.service == "s3";
        let payload = Payload::of(request, given.form, is_s3)?;
        let head = head(request, &given.signed_headers, is_s3);
        Ok(Self { given, head, payload })
    }

    /// Returns the id of the key that the request claims to be signed with.
    pub fn access_key(&self) -> &str {
        &self.given.access_key
    }

    /// Returns who sent the request, if `credentials` are the key's and signed it with this body.
    ///
    /// Without credentials, for a key that is unknown or disabled, the same is
    /// computed and the same is answered as for a wrong signature.
    pub fn verify(self, body: &[u8], credentials: Option<&Credentials>) -> Result<Caller, Refusal> {
        let secret = credentials.map_or(DECOY, |credentials| credentials.secret.expose());
        let (payload, body_is_stated) = self.payload.text(body);
        let mut request = self.head.clone().unwrap_or_default();
        request.extend_from_slice(payload.as_bytes());
        let expected = self.signature(secret, &request);
        let matches = seal::equal(expected.as_bytes(), self.given.signature.as_bytes());
        match credentials {
            Some(credentials) if matches && body_is_stated && self.head.is_some() => Ok(Caller {
                account: credentials.account.clone(),
                access_key: self.given.access_key,
                region: self.given.scope.region,
                service: self.given.scope.service,
            }),
            Some(_) | None => Err(Refusal::Mismatch),
        }
    }

    fn signature(&self, secret: &str, request: &[u8]) -> String {
        let scope = &self.given.scope;
        let secret = Zeroizing::new(format!("AWS4{secret}"));
        let parts = [&scope.date, scope.region.as_str(), &scope.service, TERMINATOR];
        let mut key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        for part in parts {
            let next = hmac::sign(&key, part.as_bytes());
            key = hmac::Key::new(hmac::HMAC_SHA256, next.as_ref());
        }
        let digest = hex(digest(&SHA256, request).as_ref());
        let text = format!("{ALGORITHM}\n{}\n{}\n{digest}", self.given.moment, scope.text());
        hex(hmac::sign(&key, text.as_bytes()).as_ref())
    }
}

/// What stands in for the secret of a key that is not there, as long as AWS's secrets are.
const DECOY: &str = "0000000000000000000000000000000000000000";

impl Payload {
    fn of(request: &Parts, form: Form, is_s3: bool) -> Result<Self, Malformed> {
        match one(&request.headers, CONTENT, "X-Amz-Content-Sha256")? {
            Some(UNSIGNED) if is_s3 => Ok(Self::Unsigned),
            Some(stated) if stated.len() == 64 => Ok(Self::Stated(stated.to_owned())),
            Some(other) => Err(Malformed::Payload { found: other.to_owned() }),
            None if is_s3 && form != Form::Header => Ok(Self::Unsigned),
            None => Ok(Self::Digest),
        }
    }

    /// Returns what the canonical request says of the body, and whether that is true.
    fn text(&self, body: &[u8]) -> (String, bool) {
        let digest = || hex(digest(&SHA256, body).as_ref());
        match self {
            Self::Digest => (digest(), true),
            Self::Stated(stated) => (stated.clone(), *stated == digest()),
            Self::Unsigned => (UNSIGNED.to_owned(), true),
        }
    }
}

fn require_signed(request: &Parts, given: &Given) -> Result<(), Refusal> {
    let is_link = given.form != Form::Header;
    let must = |name: &str| {
        name.starts_with("x-amz-") && !(is_link && NOT_IN_LINKS.contains(&name)) || name == "host"
    };
    let is_signed = |name: &str| given.signed_headers.iter().any(|signed| signed == name);
    let names = request.headers.keys().map(HeaderName::as_str).filter(|name| must(name));
    match std::iter::once("host").chain(names).find(|name| !is_signed(name)) {
        Some(name) => Err(Refusal::UnsignedHeader { name: name.to_owned() }),
        None => Ok(()),
    }
}

fn require_current(given: &Given, now: Moment, tolerance: Tolerance) -> Result<(), Refusal> {
    let moment = given.moment;
    let seconds = i64::from(tolerance.minutes) * 60;
    let minutes = tolerance.minutes.into();
    let (earliest, latest) = (now.plus(-seconds), now.plus(seconds));
    if moment > latest {
        return Err(Refusal::NotYetCurrent { moment, latest, now, minutes });
    }
    match given.form {
        Form::Header if moment < earliest => {
            Err(Refusal::Expired { moment, earliest, now, minutes })
        }
        Form::Link { seconds } if moment.plus(seconds) < now => {
            Err(Refusal::LinkExpired { until: moment.plus(seconds), now })
        }
        Form::Header | Form::Link { .. } => Ok(()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
