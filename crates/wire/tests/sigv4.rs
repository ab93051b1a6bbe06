//! Requests signed as AWS's clients do are believed, and nothing else is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "sigv4/change.rs"]
mod change;
#[path = "sigv4/request.rs"]
mod request;

use expect_test::{Expect, expect};
use http::Request;
use http::request::Builder;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::Index;
use seal::Secret;
use wire::sigv4::{Caller, Claim, Credentials, Refusal, Tolerance};

use change::{CHANGES, Change};
use request::{SECRET, message};

fn credentials(secret: &str) -> Credentials {
    Credentials { account: "123456789012".parse().unwrap(), secret: Secret::new(secret.to_owned()) }
}

/// Verifies a request at a second. Whose id ends in `EXAMPLE` is known, if a secret is given.
fn verify(
    request: &Request<Vec<u8>>,
    second: i64,
    secret: Option<&str>,
) -> Result<Caller, Refusal> {
    let (parts, body) = request.clone().into_parts();
    let claim = Claim::read(&parts, second * 1_000_000, Tolerance::default())?;
    let secret = secret.filter(|_| claim.access_key().ends_with("EXAMPLE"));
    claim.verify(&body, secret.map(credentials).as_ref())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_aws_signs_is_believed(message in message(), later in -300..=300_i64) {
        let later = if message.seconds.is_some() { later.min(0) } else { later };
        let caller = verify(&message.signed(), message.at + later, Some(SECRET)).unwrap();
        prop_assert_eq!(caller.access_key, "AKIDEXAMPLE");
        prop_assert_eq!(caller.account.as_str(), "123456789012");
        prop_assert_eq!(caller.region.as_str(), "local-1");
        prop_assert_eq!(caller.service, message.service);
    }

    #[test]
    fn every_change_is_refused(message in message(), at in any::<Index>()) {
        let signed = message.signed();
        for change in CHANGES {
            let Some(changed) = change.apply(&message, &signed, at) else { continue };
            prop_assert!(verify(&changed, message.at, Some(SECRET)).is_err(), "{change:?}: {changed:?}");
        }
    }

    #[test]
    fn unknown_keys_and_wrong_secrets_look_alike(
        message in message(),
        secret in "[ -~]{1,60}",
        at in any::<Index>(),
    ) {
        let signed = message.signed();
        for secret in [None, Some(secret.as_str()), Some("")] {
            prop_assert_eq!(verify(&signed, message.at, secret), Err(Refusal::Mismatch));
        }
        let wrong = Change::Signature.apply(&message, &signed, at);
        prop_assert_eq!(verify(&wrong.unwrap(), message.at, Some(SECRET)), Err(Refusal::Mismatch));
    }

    #[test]
    fn signatures_do_not_last(message in message()) {
        let signed = message.signed();
        let last = message.at + message.seconds.unwrap_or(300);
        prop_assert!(verify(&signed, last, Some(SECRET)).is_ok());
        for outside in [last + 1, message.at - 301, i64::MAX / 1_000_000, i64::MIN / 1_000_000] {
            prop_assert!(verify(&signed, outside, Some(SECRET)).is_err(), "{outside}");
        }
    }

    #[test]
    fn no_header_breaks_the_reader(
        authorization in "(AWS4-HMAC-SHA256 )?([a-zA-Z]*=?[ -~]{0,20},?){0,4}",
        query in "((X-Amz-[A-Za-z]*)?=?[!-;=-~]{0,20}&?){0,6}",
    ) {
        let request = Request::get(format!("/?{query}")).header("authorization", authorization);
        if let Ok(request) = request.body(Vec::new()) {
            prop_assert!(verify(&request, 0, None).is_err());
        }
    }
}

/// The example of the AWS General Reference, "Create a signed AWS API request".
#[test]
fn the_documented_request_is_believed() {
    let signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    let request = Request::get("/?Action=ListUsers&Version=2010-05-08")
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .header("host", "iam.amazonaws.com")
        .header("x-amz-date", "20150830T123600Z")
        .header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date, Signature={signature}"
            ),
        )
        .body(Vec::new())
        .unwrap();
    let secret = Some("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    let caller = verify(&request, 1_440_938_160, secret).unwrap();
    assert_eq!((caller.region.as_str(), caller.service.as_str()), ("us-east-1", "iam"));
}

/// The example of the Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters".
#[test]
fn the_documented_link_is_believed() {
    let link = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
        &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let request = Request::get(link).header("host", "examplebucket.s3.amazonaws.com");
    let request = request.body(Vec::new()).unwrap();
    let secret = Some("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let caller = verify(&request, 1_369_353_600 + 86_400, secret).unwrap();
    assert_eq!(caller.access_key, "AKIAIOSFODNN7EXAMPLE");
}

/// Requests that botocore 1.44.5 signed on 2026-11-22 at 18:30 UTC.
#[test]
fn what_botocore_signs_is_believed() {
    let cases: serde_json::Value =
        serde_json::from_str(include_str!("sigv4/botocore.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let word = |member: &str| case[member].as_str().unwrap();
        let target = word("url").strip_prefix("http://127.0.0.1:4747").unwrap();
        let mut request = Request::builder().method(word("method")).uri(target);
        for (name, value) in case["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        if !case["headers"].as_object().unwrap().contains_key("host") {
            request = request.header("host", "127.0.0.1:4747");
        }
        let request = request.body(word("body").as_bytes().to_vec()).unwrap();
        let verified = verify(&request, 1_795_372_200, Some(SECRET));
        assert!(verified.is_ok(), "{}: {verified:?}", word("name"));
    }
}

const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 \
    Credential=AKIDEXAMPLE/20150830/local-1/imagebuilder/aws4_request, \
    SignedHeaders=host;x-amz-date, Signature=00";

fn signed() -> Builder {
    Request::get("/").header("host", "localhost").header("x-amz-date", "20150830T123600Z")
}

fn link(change: impl Fn(&str) -> String) -> Builder {
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIDEXAMPLE/20150830/local-1/imagebuilder/aws4_request\
        &X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00";
    Request::get(format!("/?{}", change(query))).header("host", "localhost")
}

/// Sends requests of an unknown key and compares the answers, one a line.
#[track_caller]
fn check<const N: usize>(requests: [(&str, Builder); N], expected: Expect) {
    let answers = requests.map(|(what, request)| {
        let request = request.body(Vec::new()).unwrap();
        let refusal = verify(&request, 1_440_938_160, None).unwrap_err();
        let told = match &refusal {
            Refusal::Mismatch => "(mismatch)".to_owned(),
            refusal => refusal.to_string(),
        };
        format!("{what} -> {} {}: {told}\n", refusal.status().as_u16(), refusal.name())
    });
    expected.assert_eq(&answers.concat());
}

#[test]
fn refusals_are_aws_s() {
    let with = |authorization: &str| signed().header("authorization", authorization);
    let replaced = |from: &str, to: &str| with(&AUTHORIZATION.replace(from, to));
    let chunked = replaced("host;x-amz-date", "host;x-amz-content-sha256;x-amz-date")
        .header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    check(
        [
            ("unsigned", signed()),
            ("unknown key", with(AUTHORIZATION)),
            ("another scheme", with("Bearer abc")),
            ("nothing", with("AWS4-HMAC-SHA256")),
            ("no credential", with("AWS4-HMAC-SHA256 Signature=1")),
            ("no signature", replaced(", Signature=00", "")),
            ("two signatures", replaced("Signature=00", "Signature=00, Signature=00")),
            ("a stray part", replaced("Signature=00", "Signed=00")),
            ("a short credential", replaced("/local-1/", "/")),
            ("no region", replaced("local-1", "Local")),
            ("another terminator", replaced("aws4_request", "aws5_request")),
            ("another day", replaced("20150830", "20150829")),
            ("disorder", replaced("host;x-amz-date", "x-amz-date;host")),
            ("upper case", replaced("host;x-amz-date", "Host;x-amz-date")),
            ("date not signed", replaced("host;x-amz-date", "host")),
            ("host not signed", replaced("host;x-amz-date", "x-amz-date")),
            ("target not signed", with(AUTHORIZATION).header("x-amz-target", "x")),
            ("two headers", with(AUTHORIZATION).header("authorization", AUTHORIZATION)),
            ("a token", with(AUTHORIZATION).header("x-amz-security-token", "x")),
            ("chunks", chunked),
        ],
        expect![[r#"
            unsigned -> 403 MissingAuthenticationTokenException: Missing Authentication Token
            unknown key -> 403 InvalidSignatureException: (mismatch)
            another scheme -> 400 IncompleteSignatureException: Unsupported AWS 'algorithm': 'Bearer', expected 'AWS4-HMAC-SHA256'.
            nothing -> 400 IncompleteSignatureException: '' is not a parameter of the Authorization header.
            no credential -> 400 IncompleteSignatureException: The signature requires a 'Credential' parameter.
            no signature -> 400 IncompleteSignatureException: The signature requires a 'Signature' parameter.
            two signatures -> 400 IncompleteSignatureException: 'Signature' must be given exactly once.
            a stray part -> 400 IncompleteSignatureException: 'Signed=00' is not a parameter of the Authorization header.
            a short credential -> 400 IncompleteSignatureException: Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE/20150830/imagebuilder/aws4_request'.
            no region -> 400 IncompleteSignatureException: Credential should be scoped to a valid region, not 'Local'.
            another terminator -> 400 IncompleteSignatureException: Credential should be scoped to a valid terminator, not 'aws5_request'.
            another day -> 403 InvalidSignatureException: Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'.
            disorder -> 400 IncompleteSignatureException: SignedHeaders must be lower-case names in order, joined by ';', got 'x-amz-date;host'.
            upper case -> 400 IncompleteSignatureException: SignedHeaders must be lower-case names in order, joined by ';', got 'Host;x-amz-date'.
            date not signed -> 403 InvalidSignatureException: 'x-amz-date' must be a 'SignedHeader' in the AWS Authorization.
            host not signed -> 403 InvalidSignatureException: 'host' must be a 'SignedHeader' in the AWS Authorization.
            target not signed -> 403 InvalidSignatureException: 'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.
            two headers -> 400 IncompleteSignatureException: 'Authorization' must be given exactly once.
            a token -> 403 UnrecognizedClientException: The security token included in the request is invalid.
            chunks -> 400 IncompleteSignatureException: X-Amz-Content-Sha256 must be the SHA-256 of the body here, not 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'.
        "#]],
    );
}

#[test]
fn dates_are_read_and_compared() {
    let amz = |date: &str| {
        let request = Request::get("/").header("host", "localhost").header("x-amz-date", date);
        request.header("authorization", AUTHORIZATION)
    };
    let unsigned_date = AUTHORIZATION.replace(";x-amz-date", "");
    let dateless = || Request::get("/").header("host", "a").header("authorization", &unsigned_date);
    let http = |date: &str| dateless().header("date", date);
    check(
        [
            ("in time", amz("20150830T123600Z")),
            ("late", amz("20150830T123059Z")),
            ("early", amz("20150830T124101Z")),
            ("another form", amz("2015-08-30T12:36:00Z")),
            ("http, in time", http("Sun, 30 Aug 2015 12:36:00 GMT")),
            ("http, late", http("Sun, 30 Aug 2015 12:30:59 GMT")),
            ("http, no date", http("yesterday")),
            ("none", dateless()),
        ],
        expect![[r#"
            in time -> 403 InvalidSignatureException: (mismatch)
            late -> 403 InvalidSignatureException: Signature expired: 20150830T123059Z is now earlier than 20150830T123100Z (20150830T123600Z - 5 min.)
            early -> 403 InvalidSignatureException: Signature not yet current: 20150830T124101Z is still later than 20150830T124100Z (20150830T123600Z + 5 min.)
            another form -> 400 IncompleteSignatureException: Date must be in ISO-8601 'basic format'. Got '2015-08-30T12:36:00Z'.
            http, in time -> 403 InvalidSignatureException: (mismatch)
            http, late -> 403 InvalidSignatureException: Signature expired: 20150830T123059Z is now earlier than 20150830T123100Z (20150830T123600Z - 5 min.)
            http, no date -> 400 IncompleteSignatureException: Date must be in ISO-8601 'basic format'. Got 'yesterday'.
            none -> 400 IncompleteSignatureException: The signature requires an 'X-Amz-Date' or a 'Date' header.
        "#]],
    );
}

#[test]
fn links_are_complete_and_short_lived() {
    let plain = || link(str::to_owned);
    let replaced = |from: &'static str, to: &'static str| link(move |all| all.replace(from, to));
    check(
        [
            ("unknown key", plain()),
            ("no duration", replaced("&X-Amz-Expires=60", "")),
            ("no time", replaced("=60", "=0")),
            ("too long", replaced("=60", "=604801")),
            ("a sign", replaced("=60", "=%2B6")),
            ("two durations", replaced("&X-Amz-Date", "&X-Amz-Expires=61&X-Amz-Date")),
            ("over", replaced("T123600Z", "T123459Z")),
            ("early", replaced("T123600Z", "T124101Z")),
            ("another algorithm", replaced("HMAC-SHA256", "ECDSA-P256-SHA256")),
            ("a token", replaced("&X-Amz-Date", "&X-Amz-Security-Token=a&X-Amz-Date")),
            ("no text", replaced("=host", "=%FF")),
            ("a header too", plain().header("authorization", AUTHORIZATION)),
            ("header not signed", plain().header("x-amz-meta", "a")),
            ("agent not signed", plain().header("x-amz-user-agent", "a")),
        ],
        expect![[r#"
            unknown key -> 403 InvalidSignatureException: (mismatch)
            no duration -> 400 IncompleteSignatureException: The signature requires an 'X-Amz-Expires' parameter.
            no time -> 400 IncompleteSignatureException: X-Amz-Expires must be from 1 to 604800 seconds, got '0'.
            too long -> 400 IncompleteSignatureException: X-Amz-Expires must be from 1 to 604800 seconds, got '604801'.
            a sign -> 400 IncompleteSignatureException: X-Amz-Expires must be from 1 to 604800 seconds, got '+6'.
            two durations -> 400 IncompleteSignatureException: 'X-Amz-Expires' must be given exactly once.
            over -> 403 InvalidSignatureException: Signature expired: the link was valid until 20150830T123559Z, now it is 20150830T123600Z.
            early -> 403 InvalidSignatureException: Signature not yet current: 20150830T124101Z is still later than 20150830T124100Z (20150830T123600Z + 5 min.)
            another algorithm -> 400 IncompleteSignatureException: Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256', expected 'AWS4-HMAC-SHA256'.
            a token -> 403 UnrecognizedClientException: The security token included in the request is invalid.
            no text -> 400 IncompleteSignatureException: 'X-Amz-SignedHeaders' must be ASCII text.
            a header too -> 400 IncompleteSignatureException: A signature is given in the Authorization header or in the query, not in both.
            header not signed -> 403 InvalidSignatureException: 'x-amz-meta' must be a 'SignedHeader' in the AWS Authorization.
            agent not signed -> 403 InvalidSignatureException: (mismatch)
        "#]],
    );
}
