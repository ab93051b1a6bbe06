//! A server on the loopback interface that answers as CloudWatch Logs does: it
//! checks who asks, what was signed, and its documented limits.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::aws::Settings;
use crate::aws::received::{Received, credentials};

/// What the server holds, and what it answers first.
#[derive(Default)]
struct Held {
    groups: BTreeSet<String>,
    /// The messages of each stream, as `group/stream`.
    streams: BTreeMap<String, Vec<String>>,
    requests: Vec<String>,
    first: VecDeque<String>,
}

/// A running server; its thread ends with the process.
pub(super) struct Server {
    address: String,
    held: Arc<Mutex<Held>>,
    /// Gets the number of events of each request that brought some.
    took: Receiver<usize>,
}

impl Server {
    /// Starts a server with these groups.
    pub(super) fn start(groups: &[&str]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let held = Arc::new(Mutex::new(Held { groups, ..Held::default() }));
        let theirs = Arc::clone(&held);
        let (tell, took) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &mut theirs.lock().unwrap(), &tell);
            }
        });
        Self { address, held, took }
    }

    /// Answers the next requests with these, whatever they ask for.
    pub(super) fn answer_first(&self, answers: &[(u16, &str)]) {
        let answers = answers.iter().map(|(status, body)| response(*status, body));
        self.held.lock().unwrap().first.extend(answers);
    }

    /// Returns how to reach the server.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            credentials: Some(credentials()),
            region: Some("eu-west-1".into()),
            endpoint: Some(self.address.clone()),
        }
    }

    /// Returns the messages of a stream.
    pub(super) fn messages(&self, stream: &str) -> Vec<String> {
        self.held.lock().unwrap().streams.get(stream).cloned().unwrap_or_default()
    }

    /// Returns what was asked for: the operation and its JSON.
    pub(super) fn requests(&self) -> Vec<String> {
        self.held.lock().unwrap().requests.clone()
    }

    /// Waits for a request with events; returns how many.
    pub(super) fn wait_for_events(&self) -> usize {
        self.took.recv().unwrap()
    }
}

fn answer(mut stream: TcpStream, held: &mut Held, tell: &Sender<usize>) {
    let received = Received::read(&stream);
    let target = received.headers.get("x-amz-target").cloned().unwrap_or_default();
    let operation = target.strip_prefix("Logs_20140328.").unwrap_or("?").to_owned();
    let body = String::from_utf8(received.body.clone()).unwrap();
    held.requests.push(format!("{operation} {body}"));
    let answer = match held.first.pop_front() {
        Some(answer) => answer,
        None => match respond(&received, &operation, held, tell) {
            Ok(body) => response(200, &body),
            Err((status, name, message)) => {
                response(status, &json!({"__type": name, "message": message}).to_string())
            }
        },
    };
    // Whoever asked may be gone.
    let _written = stream.write_all(answer.as_bytes());
}

type Refused = (u16, &'static str, String);

fn respond(
    received: &Received,
    operation: &str,
    held: &mut Held,
    tell: &Sender<usize>,
) -> Result<String, Refused> {
    let refuse = |name, message: &str| Err((400, name, message.to_owned()));
    if let Err(reason) = received.check_signature("logs") {
        return Err((400, "InvalidSignatureException", reason));
    }
    let header = |name: &str| received.headers.get(name).map(String::as_str);
    if (&*received.method, &*received.path) != ("POST", "/")
        || header("content-type") != Some("application/x-amz-json-1.1")
    {
        return refuse("UnknownOperationException", "not JSON 1.1");
    }
    let asked: Value = serde_json::from_slice(&received.body).unwrap();
    let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    let group = text("logGroupName");
    let name = format!("{group}/{}", text("logStreamName"));
    match operation {
        "CreateLogGroup" => {
            if !held.groups.insert(group) {
                return refuse("ResourceAlreadyExistsException", "The log group exists");
            }
        }
        "CreateLogStream" if !held.groups.contains(&group) => {
            return refuse("ResourceNotFoundException", "The specified log group does not exist.");
        }
        "CreateLogStream" => {
            if held.streams.contains_key(&name) {
                return refuse("ResourceAlreadyExistsException", "The log stream exists");
            }
            held.streams.insert(name, Vec::new());
        }
        "PutLogEvents" => {
            let Some(stream) = held.streams.get_mut(&name) else {
                return refuse("ResourceNotFoundException", "The log stream does not exist.");
            };
            let events = asked["logEvents"].as_array().unwrap();
            if let Err(message) = check(events) {
                return Err((400, "InvalidParameterException", message));
            }
            stream.extend(events.iter().map(|it| it["message"].as_str().unwrap().to_owned()));
            tell.send(events.len()).unwrap();
        }
        _ => return refuse("UnknownOperationException", operation),
    }
    Ok("{}".to_owned())
}

/// Checks the documented limits of one request.
fn check(events: &[Value]) -> Result<(), String> {
    let times: Vec<i64> = events.iter().map(|it| it["timestamp"].as_i64().unwrap()).collect();
    let sizes = events.iter().map(|it| it["message"].as_str().unwrap().len());
    let (total, largest) = (sizes.clone().sum::<usize>(), sizes.clone().max());
    let rules = [
        ("between 1 and 10,000 events", (1..=10_000).contains(&events.len())),
        ("messages have text", sizes.min() > Some(0)),
        ("at most 1,048,576 bytes", total + 26 * events.len() <= 1_048_576),
        ("at most 256 KiB an event", largest.map(|size| size + 26) <= Some(262_144)),
        ("in order", times.is_sorted()),
        (
            "within 24 hours",
            times.last().zip(times.first()).is_some_and(|(b, a)| b - a < 86_400_000),
        ),
    ];
    match rules.iter().find(|(_, holds)| !holds) {
        Some((rule, _)) => Err((*rule).to_owned()),
        None => Ok(()),
    }
}

fn response(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} So\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}
