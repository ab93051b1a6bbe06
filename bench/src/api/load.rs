//! Requests at a fixed rate: each is timed from when it should have been sent, so that one that
//! waits for those before it is as slow as its client sees it.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::{Request, Response, StatusCode};
use ureq::{Agent, Body};

/// How many connections they are sent over: as many may wait for their answers.
const CONNECTIONS: usize = 32;

/// A request, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Everything but the body.
    pub(super) head: Request<()>,
    /// The body, if it has one.
    pub(super) body: Option<Vec<u8>>,
}

/// How long requests took.
pub(super) type Took = Vec<Duration>;

/// What became of requests.
#[derive(Debug)]
pub(super) struct Load {
    /// How long each took, in the order of the calls.
    pub(super) took: Took,
    /// How many were answered a second.
    pub(super) rate: f64,
}

/// Sends requests, `rate` a second, over connections that stay open.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(super) fn run(calls: &[Call], rate: u32) -> io::Result<Load> {
    let next = AtomicUsize::new(0);
    // The threads have started by then.
    let began = Instant::now() + Duration::from_millis(200);
    let work = || {
        let (agent, mut took) = (agent(), Vec::new());
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let Some(call) = calls.get(n) else { return Ok(took) };
            let due = began + Duration::from_secs(1) * n as u32 / rate;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            read(send(&agent, call)?)?;
            took.push((n, due.elapsed()));
        }
    };
    let all: io::Result<Vec<Vec<_>>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(work)).collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended.map(|one| one.unwrap_or_else(|_| Err(io::Error::other("a client broke")))).collect()
    });
    let rate = calls.len() as f64 / began.elapsed().as_secs_f64();
    let mut all = all?.concat();
    all.sort_unstable();
    Ok(Load { took: all.into_iter().map(|(_, took)| took).collect(), rate })
}

/// Sends requests, each when the one before was answered.
pub(super) fn one_by_one(calls: &[Call]) -> io::Result<Took> {
    calls.iter().map(|call| answer(call).map(|(_, took)| took)).collect()
}

/// Returns what a request is answered, and how long that took.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(super) fn answer(call: &Call) -> io::Result<(Value, Duration)> {
    thread_local! { static AGENT: Agent = agent(); }
    let began = Instant::now();
    let bytes = read(AGENT.with(|agent| send(agent, call))?)?;
    let took = began.elapsed();
    Ok((serde_json::from_slice(&bytes).map_err(io::Error::other)?, took))
}

fn agent() -> Agent {
    Agent::config_builder().proxy(None).http_status_as_error(false).build().into()
}

fn send(agent: &Agent, call: &Call) -> io::Result<Response<Body>> {
    let head = call.head.clone();
    let sent = match &call.body {
        Some(body) => agent.run(head.map(|()| body.as_slice())),
        None => agent.run(head),
    };
    sent.map_err(io::Error::other)
}

fn read(mut response: Response<Body>) -> io::Result<Vec<u8>> {
    let body = response.body_mut().read_to_vec().map_err(io::Error::other)?;
    if response.status() != StatusCode::OK {
        let body = String::from_utf8_lossy(&body);
        return Err(io::Error::other(format!("answered {}: {body}", response.status())));
    }
    Ok(body)
}
