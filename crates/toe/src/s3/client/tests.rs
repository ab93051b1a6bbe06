//! Requests to a server on the loopback interface, and where AWS's would go.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use super::super::server::{OWNER, Server};
use super::*;
use crate::cause::chain;
use crate::clock::Deadline;

fn address(text: &str) -> S3Address {
    text.parse().unwrap()
}

fn client_of(settings: &Settings) -> Client<'static> {
    let limit = Limit::new(Deadline::after(None), &Arc::default());
    Client::new(settings, limit, |_| {}).impatient()
}

const BUSY: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const ELSEWHERE: &str = "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\nConnection: close\r\n\
    x-amz-bucket-region: eu-west-1\r\n\r\n";
const BROKEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhel";

/// Reads `s3://bucket/key` after these answers and checks the text or the error.
#[track_caller]
fn check(
    first: &[&'static str],
    settings: impl FnOnce(&mut Settings),
    expected: Result<&str, &str>,
) {
    let server = Server::start(&[("/bucket/a key", "text")]);
    server.refuse_first(first);
    let mut changed = server.settings();
    settings(&mut changed);
    let result = client_of(&changed)
        .read(&address("s3://bucket/a key"), Some(OWNER), 4)
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .map_err(|error| chain(&error));
    assert_eq!(result.as_deref().map_err(String::as_str), expected);
}

#[test]
fn objects_are_read_with_a_signature_that_holds() {
    check(&[], |_| {}, Ok("text"));
    check(&[BUSY, BROKEN, BUSY, BUSY], |_| {}, Ok("text"));
    check(&[BUSY; 5], |_| {}, Err("`s3://bucket/a key` answered 503 Service Unavailable"));
    check(&[ELSEWHERE], |it| it.region = None, Ok("text"));
    check(&[ELSEWHERE], |_| {}, Err("`s3://bucket/a key` answered 400 Bad Request"));
    let forbidden = "`s3://bucket/a key` answered 403 Forbidden: SignatureDoesNotMatch: ";
    let wrong_secret = |settings: &mut Settings| {
        settings.credentials.as_mut().unwrap().secret_key = "other".into();
    };
    check(&[], wrong_secret, Err(&format!("{forbidden}not what was sent")));
    check(&[], |it| it.region = None, Err(&format!("{forbidden}not what was sent")));
    check(&[], |it| it.credentials = None, Err(&format!("{forbidden}unsigned")));
    check(
        &[],
        |it| it.endpoint = Some("mirror.example".into()),
        Err("the endpoint `mirror.example` is no address: expected `https://…` or `http://…`"),
    );
}

#[test]
fn what_is_sent_again_is_told() {
    let server = Server::start(&[("/bucket/key", "text")]);
    server.refuse_first(&[BUSY, BROKEN]);
    let limit = Limit::new(Deadline::after(None), &Arc::default());
    let mut told = Vec::new();
    let mut client =
        Client::new(&server.settings(), limit, |line| told.push(line.to_owned())).impatient();
    client.read(&address("s3://bucket/key"), None, 4).unwrap();
    drop(client);
    let reasons = ["answered 503 Service Unavailable", "broke off: Peer disconnected"];
    let line = |n| {
        format!("attempt {} of 5: `s3://bucket/key` {}; trying again in 0 s", n + 1, reasons[n])
    };
    assert_eq!(told, [0, 1].map(line));
}

#[test]
fn refusals_say_what_was_asked_for() {
    let server = Server::start(&[("/bucket/key", "more")]);
    let mut client = client_of(&server.settings());
    let mut check = |text: &str, owner, expected: &str| {
        let error = client.read(&address(text), owner, 3).unwrap_err();
        assert_eq!(chain(&error), expected);
    };
    check(
        "s3://bucket/absent",
        None,
        "`s3://bucket/absent` answered 404 Not Found: NoSuchKey: The specified key does not exist.",
    );
    check(
        "s3://bucket/key",
        Some("000000000000"),
        "`s3://bucket/key` answered 403 Forbidden: AccessDenied: Access Denied",
    );
    check("s3://bucket/key", None, "`s3://bucket/key` is larger than 3 bytes");
}

#[test]
fn lists_have_all_pages_or_none() {
    let objects: Vec<String> =
        ["a", "b&c", "d e", "f", "g+"].map(|it| format!("/bucket/p/{it}")).into();
    let pairs: Vec<(&str, &str)> = objects.iter().map(|it| (it.as_str(), "")).collect();
    let server = Server::start(&[&pairs[..], &[("/bucket/other", "")]].concat());
    let mut client = client_of(&server.settings());
    let prefix = address("s3://bucket/p/");
    let keys = client.list(&prefix, None, 5).unwrap();
    assert_eq!(keys, ["p/a", "p/b&c", "p/d e", "p/f", "p/g+"]);
    let asked =
        |token: &str| format!("GET /bucket/?{token}encoding-type=url&list-type=2&prefix=p%2F");
    let tokens = ["", "continuation-token=2&", "continuation-token=4&"];
    assert_eq!(server.requests(), tokens.map(asked));
    let error = client.list(&prefix, None, 4).unwrap_err();
    assert_eq!(chain(&error), "there are more than 4 objects below `s3://bucket/p/`");
}

#[test]
fn files_are_sent_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&[]);
    server.refuse_first(&[BUSY]);
    let mut client = client_of(&server.settings());
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut source = File::options();
    let mut source =
        source.read(true).write(true).create_new(true).open(folder.path().join("a")).unwrap();
    io::copy(&mut Cursor::new(&bytes), &mut source).unwrap();
    let there = address("s3://bucket/a/ö");
    client.upload(&there, Some(OWNER), &source).unwrap();
    let path = folder.path().join("b");
    let mut target = File::create(&path).unwrap();
    server.refuse_first(&[BROKEN, BUSY]);
    client.download(&there, None, &mut target).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), bytes);
    assert_eq!(server.requests()[0], "PUT /bucket/a/%C3%B6");
}

#[test]
fn files_are_sent_whole_to_wherever_the_bucket_is() {
    let server = Server::start(&[]);
    server.refuse_first(&[ELSEWHERE]);
    let settings = Settings { region: None, ..server.settings() };
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"text").unwrap();
    client_of(&settings).upload(&address("s3://bucket/a"), None, &file).unwrap();
    assert_eq!(server.requests(), ["PUT /bucket/a"; 2]);
    assert_eq!(server.objects(), ["/bucket/a=text"]);
}

#[test]
fn buckets_of_aws_have_hosts_of_their_own() {
    let check = |region: Option<&str>, text: &str, origin: &str, path: &str| {
        let region = region.map(str::to_owned);
        let client = client_of(&Settings { region, ..Settings::default() });
        let place = client.place(&address(text)).unwrap();
        assert_eq!((place.origin.as_str(), place.path.as_str()), (origin, path));
        assert_eq!(place.origin, format!("https://{}", place.host));
    };
    check(None, "s3://bucket/a b", "https://bucket.s3.us-east-1.amazonaws.com", "/a%20b");
    check(
        Some("eu-west-1"),
        "s3://my.bucket/k",
        "https://s3.eu-west-1.amazonaws.com",
        "/my.bucket/k",
    );
    check(Some("cn-north-1"), "s3://bucket/", "https://bucket.s3.cn-north-1.amazonaws.com.cn", "/");
    let endpoint = Some("http://mirror.example:9000/s3/".to_owned());
    let client = client_of(&Settings { endpoint, ..Settings::default() });
    let place = client.place(&address("s3://bucket/k")).unwrap();
    let (origin, host) = ("http://mirror.example:9000".into(), "mirror.example:9000".into());
    assert_eq!(place, Place { origin, host, path: "/s3/bucket/k".into() });
}

/// The client was made while there was time.
#[test]
fn nothing_is_asked_for_when_time_is_up() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&[("/bucket/a", "text")]);
    let limit = Limit::new(Deadline::after(Some(Duration::ZERO)), &Arc::default());
    let mut client = Client::new(&server.settings(), limit, |_| {});
    let there = address("s3://bucket/a");
    let check = |done: Result<(), S3Error>, expected: &str| {
        assert_eq!(chain(&done.unwrap_err()), expected);
    };
    let asked = "failed to ask for `s3://bucket/a`: io: its time is up";
    check(client.read(&there, None, 4).map(drop), asked);
    check(
        client.list(&there, None, 4).map(drop),
        "failed to ask for `s3://bucket/`: io: its time is up",
    );
    let mut file = File::create_new(folder.path().join("a")).unwrap();
    check(client.download(&there, None, &mut file), asked);
    let unread = "failed to read what `s3://bucket/a` is to hold: its time is up";
    check(client.upload(&there, None, &file), unread);
    assert_eq!(server.requests(), [""; 0]);
}
