//! What the port itself refuses, in the words of the protocol that the client speaks.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::request::Parts;
use http::{Response, StatusCode};
use serde_json::json;
use wire::{Refusal, sigv4};

use crate::body::BodyError;

/// A request that does not get to its service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Denied {
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Signature(#[from] sigv4::Refusal),
    #[error("The service '{service}' is not served here. Served are: {served}.")]
    Service { service: String, served: String },
    #[error("Too many requests are being worked on. Try again.")]
    Busy,
    #[error("The request failed inside the server. Its log has the reason, with the request's id.")]
    Fault { fault: String },
}

impl Denied {
    /// Returns the error as a client sees it.
    pub(crate) fn refusal(&self) -> Refusal {
        let (status, code) = match self {
            Self::Body(BodyError::TooLong { .. }) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException")
            }
            Self::Body(BodyError::TooSlow { .. }) => {
                (StatusCode::REQUEST_TIMEOUT, "RequestTimeoutException")
            }
            Self::Body(BodyError::Broken) => (StatusCode::BAD_REQUEST, "InvalidRequestException"),
            Self::Signature(refusal) => (refusal.status(), refusal.name()),
            Self::Service { .. } => (StatusCode::BAD_REQUEST, "UnknownServiceException"),
            Self::Body(BodyError::Crowded) | Self::Busy => {
                (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException")
            }
            Self::Fault { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "ServiceException"),
        };
        Refusal { status, code, message: self.to_string() }
    }

    /// Returns the response that tells of this.
    pub(crate) fn response(&self, speech: Speech, request_id: &str) -> Response<Bytes> {
        let mut response = speech.response(&self.refusal(), request_id);
        let headers = response.headers_mut();
        if let Self::Body(BodyError::Crowded) | Self::Busy = self {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Self::Body(_) = self {
            // What is left of the body would be taken for the next request.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// The protocol in which a client expects errors.
///
/// Also for services that are not served: people ask `aws sts` who they are,
/// and should be able to read the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
    /// JSON whose error is named in a header.
    RestJson,
    /// JSON whose error is named in the body.
    Json,
    /// XML of the query protocols.
    Query,
}

impl Speech {
    /// Returns the protocol that a request is written in.
    pub(crate) fn of(request: &Parts) -> Self {
        let kind = request.headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        if kind.starts_with(b"application/x-www-form-urlencoded") {
            Self::Query
        } else if kind.starts_with(b"application/x-amz-json-") {
            Self::Json
        } else {
            Self::RestJson
        }
    }

    fn response(self, refusal: &Refusal, request_id: &str) -> Response<Bytes> {
        let mut response = refusal.response(request_id);
        let Refusal { status, code, message } = refusal;
        let (kind, text) = match self {
            Self::RestJson => return response,
            Self::Json => {
                let body = json!({ "__type": code, "message": message });
                ("application/x-amz-json-1.1", body.to_string())
            }
            Self::Query => {
                let fault = if status.is_server_error() { "Receiver" } else { "Sender" };
                let message = escape(message);
                let body = format!(
                    "<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code>\
                     <Message>{message}</Message></Error>\
                     <RequestId>{request_id}</RequestId></ErrorResponse>"
                );
                ("text/xml", body)
            }
        };
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        *response.body_mut() = text.into();
        response
    }
}

/// Returns a text as XML may hold it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use http::Request;

    use super::*;

    #[track_caller]
    fn check(denied: &Denied, content_type: &str, expected: Expect) {
        let request = Request::post("/").header(CONTENT_TYPE, content_type).body(()).unwrap();
        let (head, ()) = request.into_parts();
        let response = denied.response(Speech::of(&head), "3f0a");
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
        let headers: String = headers.collect();
        let body = str::from_utf8(response.body()).unwrap();
        expected.assert_eq(&format!("{}\n{headers}{body}\n", response.status().as_u16()));
    }

    #[test]
    fn errors_are_told_as_the_client_reads_them() {
        let unknown = Denied::Service { service: "sts".to_owned(), served: "a & b".to_owned() };
        check(
            &unknown,
            "application/json",
            expect![[r#"
            400
            content-type: application/json
            x-amzn-requestid: 3f0a
            x-amzn-errortype: UnknownServiceException
            {"message":"The service 'sts' is not served here. Served are: a & b."}
        "#]],
        );
        check(
            &unknown,
            "application/x-amz-json-1.0",
            expect![[r#"
            400
            content-type: application/x-amz-json-1.1
            x-amzn-requestid: 3f0a
            x-amzn-errortype: UnknownServiceException
            {"__type":"UnknownServiceException","message":"The service 'sts' is not served here. Served are: a & b."}
        "#]],
        );
        check(
            &unknown,
            "application/x-www-form-urlencoded; charset=utf-8",
            expect![[r#"
            400
            content-type: text/xml
            x-amzn-requestid: 3f0a
            x-amzn-errortype: UnknownServiceException
            <ErrorResponse><Error><Type>Sender</Type><Code>UnknownServiceException</Code><Message>The service 'sts' is not served here. Served are: a &amp; b.</Message></Error><RequestId>3f0a</RequestId></ErrorResponse>
        "#]],
        );
        check(
            &Denied::Busy,
            "application/x-www-form-urlencoded",
            expect![[r#"
            503
            content-type: text/xml
            x-amzn-requestid: 3f0a
            x-amzn-errortype: ServiceUnavailableException
            retry-after: 1
            <ErrorResponse><Error><Type>Receiver</Type><Code>ServiceUnavailableException</Code><Message>Too many requests are being worked on. Try again.</Message></Error><RequestId>3f0a</RequestId></ErrorResponse>
        "#]],
        );
    }

    #[test]
    fn what_broke_stays_inside() {
        let fault = Denied::Fault { fault: "the disk is full".to_owned() };
        check(
            &fault,
            "",
            expect![[r#"
            500
            content-type: application/json
            x-amzn-requestid: 3f0a
            x-amzn-errortype: ServiceException
            {"message":"The request failed inside the server. Its log has the reason, with the request's id."}
        "#]],
        );
        check(
            &Denied::Body(BodyError::TooLong { limit: 4 }),
            "",
            expect![[r#"
            413
            content-type: application/json
            x-amzn-requestid: 3f0a
            x-amzn-errortype: RequestEntityTooLargeException
            connection: close
            {"message":"The request's body is longer than 4 bytes."}
        "#]],
        );
    }
}
