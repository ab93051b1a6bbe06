//! Why a request is not believed, in AWS's names and words.

use http::StatusCode;

use super::moment::Moment;

/// A request whose sender is not believed. Its text is what the sender is told.
///
/// What it tells follows from the request and the time alone, never from
/// which keys exist: an unknown key is a [`Refusal::Mismatch`] too.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is not signed.
    #[error("Missing Authentication Token")]
    Unsigned,
    /// Its signature cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It has a session token; none is ever issued.
    #[error("The security token included in the request is invalid.")]
    SessionToken,
    /// A header that must be signed is not.
    #[error("'{name}' must be a 'SignedHeader' in the AWS Authorization.")]
    UnsignedHeader {
        /// The header's name in lower case.
        name: String,
    },
    /// The credential is for another day than the request.
    #[error(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
         HTTP: '{scope}' != '{}', from '{moment}'.", moment.date()
    )]
    OtherDay {
        /// The scope's date.
        scope: String,
        /// The request's date.
        moment: Moment,
    },
    /// It is too old.
    #[error("Signature expired: {moment} is now earlier than {earliest} ({now} - {minutes} min.)")]
    Expired {
        /// The request's date.
        moment: Moment,
        /// The earliest date that is accepted.
        earliest: Moment,
        /// The time here.
        now: Moment,
        /// How far dates may be off.
        minutes: u64,
    },
    /// It is a link whose time is over.
    #[error("Signature expired: the link was valid until {until}, now it is {now}.")]
    LinkExpired {
        /// The last second in which it was valid.
        until: Moment,
        /// The time here.
        now: Moment,
    },
    /// It comes from the future.
    #[error(
        "Signature not yet current: {moment} is still later than {latest} ({now} + {minutes} min.)"
    )]
    NotYetCurrent {
        /// The request's date.
        moment: Moment,
        /// The latest date that is accepted.
        latest: Moment,
        /// The time here.
        now: Moment,
        /// How far dates may be off.
        minutes: u64,
    },
    /// The signature is wrong, or the key is unknown or disabled, or the body
    /// is not the one that was signed.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check \
         your AWS Secret Access Key and signing method. Consult the service documentation for \
         details."
    )]
    Mismatch,
}

/// What is wrong with the form of a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A part is missing.
    #[error("The signature requires {what}.")]
    Lacks {
        /// The missing part.
        what: &'static str,
    },
    /// A part is there more than once.
    #[error("'{what}' must be given exactly once.")]
    Repeated {
        /// The part.
        what: &'static str,
    },
    /// The `Authorization` header has something that does not belong there.
    #[error("'{part}' is not a parameter of the Authorization header.")]
    Stray {
        /// What was found.
        part: String,
    },
    /// A header or parameter is not plain text.
    #[error("'{what}' must be ASCII text.")]
    NotText {
        /// The header or parameter.
        what: &'static str,
    },
    /// The request is signed in another way than by `AWS4-HMAC-SHA256`.
    #[error("Unsupported AWS 'algorithm': '{algorithm}', expected 'AWS4-HMAC-SHA256'.")]
    Algorithm {
        /// The algorithm that was named.
        algorithm: String,
    },
    /// The credential is not made of five parts.
    #[error(
        "Credential must have exactly 5 slash-delimited elements, e.g. \
         keyid/date/region/service/term, got '{credential}'."
    )]
    Credential {
        /// The credential.
        credential: String,
    },
    /// A part of the credential's scope is not what it must be.
    #[error("Credential should be scoped to a valid {what}, not '{found}'.")]
    Scope {
        /// The part.
        what: &'static str,
        /// What it is.
        found: String,
    },
    /// The signed headers are not a sorted list of lower-case names.
    #[error("SignedHeaders must be lower-case names in order, joined by ';', got '{found}'.")]
    SignedHeaders {
        /// The list.
        found: String,
    },
    /// The request's date cannot be read.
    #[error("Date must be in ISO-8601 'basic format'. Got '{found}'.")]
    Date {
        /// The date.
        found: String,
    },
    /// A link is valid for no time, or too long.
    #[error("X-Amz-Expires must be from 1 to 604800 seconds, got '{found}'.")]
    Expires {
        /// What was asked for.
        found: String,
    },
    /// Header and query both have a signature.
    #[error("A signature is given in the Authorization header or in the query, not in both.")]
    Both,
    /// The body is signed in chunks, or left out of the signature where it must not be.
    #[error("X-Amz-Content-Sha256 must be the SHA-256 of the body here, not '{found}'.")]
    Payload {
        /// What the header says.
        found: String,
    },
}

impl Refusal {
    /// Returns the error's name, as AWS's clients know it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unsigned => "MissingAuthenticationTokenException",
            Self::Malformed(_) => "IncompleteSignatureException",
            Self::SessionToken => "UnrecognizedClientException",
            Self::UnsignedHeader { .. }
            | Self::OtherDay { .. }
            | Self::Expired { .. }
            | Self::LinkExpired { .. }
            | Self::NotYetCurrent { .. }
            | Self::Mismatch => "InvalidSignatureException",
        }
    }

    /// Returns the HTTP status that AWS's front door gives it.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unsigned
            | Self::SessionToken
            | Self::UnsignedHeader { .. }
            | Self::OtherDay { .. }
            | Self::Expired { .. }
            | Self::LinkExpired { .. }
            | Self::NotYetCurrent { .. }
            | Self::Mismatch => StatusCode::FORBIDDEN,
        }
    }
}
