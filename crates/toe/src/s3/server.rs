//! A server on the loopback interface that answers as S3 does, and checks
//! who asks and what was signed.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::aws::received::{Received, credentials, decode};
use crate::aws::{Settings, Slash, encode};

/// How many keys one page of a list holds.
const PAGE: usize = 2;

/// The owner of all buckets.
pub(crate) const OWNER: &str = "123456789012";

/// What the server holds, how it was asked, and what it answers first.
#[derive(Default)]
struct Held {
    objects: BTreeMap<String, Vec<u8>>,
    requests: Vec<String>,
    refusals: VecDeque<&'static str>,
}

/// A running server; its thread ends with the process.
pub(crate) struct Server {
    address: String,
    held: Arc<Mutex<Held>>,
}

impl Server {
    /// Starts a server with these objects, by `/bucket/key`.
    pub(crate) fn start(objects: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let objects = objects.iter().map(|(key, text)| ((*key).to_owned(), (*text).into()));
        let held = Held { objects: objects.collect(), ..Held::default() };
        let held = Arc::new(Mutex::new(held));
        let theirs = Arc::clone(&held);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &mut theirs.lock().unwrap());
            }
        });
        Self { address, held }
    }

    /// Answers the next requests with these, whatever they ask for.
    pub(crate) fn refuse_first(&self, answers: &[&'static str]) {
        self.held.lock().unwrap().refusals.extend(answers);
    }

    /// Returns how to reach the server.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            credentials: Some(credentials()),
            region: Some("eu-west-1".into()),
            endpoint: Some(self.address.clone()),
        }
    }

    /// Returns what the server holds, as `/bucket/key=text`.
    pub(crate) fn objects(&self) -> Vec<String> {
        let held = self.held.lock().unwrap();
        let told = held.objects.iter().map(|(path, bytes)| {
            let text = String::from_utf8_lossy(bytes);
            format!("{path}={text}")
        });
        told.collect()
    }

    /// Returns what was asked for, as `GET /bucket/key`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.held.lock().unwrap().requests.clone()
    }
}

fn answer(mut stream: TcpStream, held: &mut Held) {
    let received = Received::read(&stream);
    held.requests.push(format!("{} {}", received.method, received.target));
    let answer = match held.refusals.pop_front() {
        Some(answer) => answer.as_bytes().to_vec(),
        None => respond(received, held),
    };
    stream.write_all(&answer).unwrap();
}

fn respond(received: Received, held: &mut Held) -> Vec<u8> {
    if let Err(reason) = received.check_signature("s3") {
        return refuse(403, "SignatureDoesNotMatch", &reason);
    }
    let Received { method, path, query, headers, body, .. } = received;
    if headers.get("x-amz-expected-bucket-owner").is_some_and(|owner| owner != OWNER) {
        return refuse(403, "AccessDenied", "Access Denied");
    }
    let path = decode(&path);
    let find = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    match (&*method, find("list-type")) {
        ("PUT", _) => {
            held.objects.insert(path, body);
            accept(b"")
        }
        (_, Some(_)) => {
            let start = format!("{path}{}", find("prefix").unwrap());
            let skipped = find("continuation-token").map_or(0, |token| token.parse().unwrap());
            accept(list(&path, &start, skipped, held).as_bytes())
        }
        (_, None) => match held.objects.get(&path) {
            Some(bytes) => accept(bytes),
            None => refuse(404, "NoSuchKey", "The specified key does not exist."),
        },
    }
}

fn list(bucket: &str, start: &str, skipped: usize, held: &Held) -> String {
    let found: Vec<_> = held.objects.keys().filter(|key| key.starts_with(start)).collect();
    let mut xml = "<ListBucketResult><EncodingType>url</EncodingType>".to_owned();
    for path in found.iter().skip(skipped).take(PAGE) {
        let key = encode(path.strip_prefix(bucket).unwrap(), Slash::Kept);
        write!(xml, "<Contents><Key>{key}</Key></Contents>").unwrap();
    }
    let next = skipped + PAGE;
    if found.len() > next {
        write!(xml, "<IsTruncated>true</IsTruncated>").unwrap();
        write!(xml, "<NextContinuationToken>{next}</NextContinuationToken>").unwrap();
    }
    xml + "</ListBucketResult>"
}

fn accept(body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn refuse(status: u16, code: &str, message: &str) -> Vec<u8> {
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    let head = format!(
        "HTTP/1.1 {status} No\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}
