//! The way of one request: its body, its signature, its turn, its service.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};
use uuid::Uuid;
use wire::ERROR_TYPE;
use wire::sigv4::{Caller, Claim, Tolerance};

use crate::body::{self, Held};
use crate::keys::Keys;
use crate::limits::Limits;
use crate::record::{Log, Peer, Record};
use crate::refusal::{Denied, Speech};
use crate::service::Service;

/// What all connections share.
pub struct Gate<K> {
    keys: K,
    services: Vec<Box<dyn Service>>,
    log: Box<dyn Log>,
    clock: fn() -> i64,
    limits: Limits,
    heads: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    contents: Semaphore,
    queue: Semaphore,
    turns: Arc<Semaphore>,
}

/// A request that arrived whole.
struct Received {
    /// What it claims; nothing if it asks for what everybody may.
    claim: Option<Claim>,
    body: Held,
    /// Its head's part of the memory of all heads.
    _memory: OwnedSemaphorePermit,
}

/// How many bytes may be read out of one of a body: an object of JSON's is five at least, and takes
/// a tree's node of 640.
const CONTENTS: usize = 128;

/// What may be asked without a signature: whether anybody is there.
const HEALTH: &str = "/health";

/// How many bytes a header takes besides its name and value: what a `HeaderMap` keeps for it, and
/// some of the room that the map has for more.
const HEADER: usize = 128;

impl<K: Keys> Gate<K> {
    /// Returns the gate to `services`. `clock` gives microseconds since 1970.
    pub fn new(
        keys: K,
        services: Vec<Box<dyn Service>>,
        log: impl Log,
        clock: fn() -> i64,
        limits: Limits,
    ) -> Self {
        Self {
            keys,
            services,
            log: Box::new(log),
            clock,
            limits,
            heads: Arc::new(Semaphore::new(limits.heads)),
            memory: Arc::new(Semaphore::new(limits.bodies)),
            contents: Semaphore::new(limits.contents),
            queue: Semaphore::new(limits.queue),
            turns: Arc::new(Semaphore::new(limits.requests)),
        }
    }

    /// Returns the bounds that hold here.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Waits until no request is worked on.
    pub(crate) async fn quiet(&self) {
        let all = u32::try_from(self.limits.requests).unwrap_or(u32::MAX);
        let _turns = self.turns.acquire_many(all).await;
    }

    /// Answers a request.
    ///
    /// Once its body is there it is carried out to its end, also if whoever
    /// sent it is gone by then: a resource is made or not, never half.
    pub(crate) async fn answer<B>(
        self: Arc<Self>,
        request: Request<B>,
        peer: Peer,
    ) -> Response<Bytes>
    where
        B: Body<Data = Bytes>,
        B::Error: std::error::Error,
    {
        let (head, body) = request.into_parts();
        let began = Instant::now();
        let request_id = Uuid::new_v4().to_string();
        let mut record = Record::new(&request_id, &head, peer, (self.clock)());
        let speech = Speech::of(&head);
        let received = match self.receive(&head, body).await {
            Ok(received) => received,
            Err(denied) => return self.finish(record, began, Err(denied), speech),
        };
        let gate = Arc::clone(&self);
        let mut of_task = record.clone();
        let task = tokio::spawn(async move {
            let answer = gate.admit(head, received, &mut of_task).await;
            gate.finish(of_task, began, answer, speech)
        });
        match task.await {
            Ok(response) => response,
            Err(error) => {
                let fault = if error.is_panic() { "a panic" } else { "the server is ending" };
                record.fault = Some(fault.to_owned());
                let denied = Denied::Fault { fault: fault.to_owned() };
                self.finish(record, began, Err(denied), speech)
            }
        }
    }

    /// Takes a request in. Who claims nothing takes none of the memory of bodies.
    async fn receive<B>(&self, head: &Parts, body: B) -> Result<Received, Denied>
    where
        B: Body<Data = Bytes>,
        B::Error: std::error::Error,
    {
        let _memory = Arc::clone(&self.heads).try_acquire_many_owned(size(head));
        let _memory = _memory.map_err(|_| Denied::Busy)?;
        if head.method == Method::GET && head.uri.path() == HEALTH {
            body::forget(body, &self.limits).await;
            return Ok(Received { claim: None, body: Held::default(), _memory });
        }
        match Claim::read(head, (self.clock)(), Tolerance::default()) {
            Ok(claim) => {
                let body = body::read(body, &self.memory, &self.limits).await?;
                Ok(Received { claim: Some(claim), body, _memory })
            }
            Err(refusal) => {
                body::forget(body, &self.limits).await;
                Err(refusal.into())
            }
        }
    }

    async fn admit(
        &self,
        head: Parts,
        received: Received,
        record: &mut Record,
    ) -> Result<Response<Bytes>, Denied> {
        let Received { claim, body, _memory } = received;
        let Some(claim) = claim else { return Ok(health()) };
        let _turn = self.turn().await?;
        let caller = self.verify(claim, &body.bytes).await?;
        record.account = Some(caller.account.to_string());
        record.access_key = Some(caller.access_key.clone());
        record.service = Some(caller.service.clone());
        record.region = Some(caller.region.to_string());
        let service = self.service(&caller)?;
        let request = Request::from_parts(head, body.bytes.clone());
        record.operation = service.operation(&request);
        let noted = self.keys.note_use(&caller.access_key, (self.clock)()).await;
        // Whoever can still be answered is: a full disk does not stop reading.
        record.fault = noted.err().map(|error| causes(&error));
        let _contents = self.contents(body.bytes.len()).await?;
        Ok(service.answer(&caller, &request, &record.request_id).await)
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Denied> {
        let _queued = self.queue.try_acquire().map_err(|_| Denied::Busy)?;
        let turn = timeout(self.limits.turn, Arc::clone(&self.turns).acquire_owned()).await;
        turn.map_err(|_| Denied::Busy)?.map_err(|_| Denied::Busy)
    }

    /// Waits for memory for what is read out of a body of this length.
    async fn contents(&self, length: usize) -> Result<SemaphorePermit<'_>, Denied> {
        let most = length.saturating_mul(CONTENTS).min(self.limits.contents);
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let memory = timeout(self.limits.turn, self.contents.acquire_many(most)).await;
        memory.map_err(|_| Denied::Busy)?.map_err(|_| Denied::Busy)
    }

    async fn verify(&self, claim: Claim, body: &[u8]) -> Result<Caller, Denied> {
        let credentials = self.keys.find(claim.access_key()).await.map_err(fault)?;
        Ok(claim.verify(body, credentials.as_ref())?)
    }

    fn service(&self, caller: &Caller) -> Result<&dyn Service, Denied> {
        let found = self.services.iter().find(|service| service.name() == caller.service);
        found.map(AsRef::as_ref).ok_or_else(|| {
            let served: Vec<_> = self.services.iter().map(|service| service.name()).collect();
            Denied::Service { service: caller.service.clone(), served: served.join(", ") }
        })
    }

    fn finish(
        &self,
        mut record: Record,
        began: Instant,
        answer: Result<Response<Bytes>, Denied>,
        speech: Speech,
    ) -> Response<Bytes> {
        let answer = answer.and_then(keep_faults);
        let response = answer.unwrap_or_else(|denied| {
            if let Denied::Fault { fault } = &denied {
                record.fault = Some(fault.clone());
            }
            denied.response(speech, &record.request_id)
        });
        record.status = response.status().as_u16();
        record.error = error(&response);
        record.micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.log.take(&record);
        response
    }
}

/// Returns about how many bytes a head takes.
fn size(head: &Parts) -> u32 {
    let uri = head.uri.path().len() + head.uri.query().map_or(0, str::len);
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| HEADER + name.as_str().len() + value.len());
    u32::try_from(uri + headers.sum::<usize>()).unwrap_or(u32::MAX)
}

fn health() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"ok\n"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// Returns the name of the error that a response tells of, whoever refused.
fn error(response: &Response<Bytes>) -> Option<String> {
    response.headers().get(ERROR_TYPE)?.to_str().ok().map(str::to_owned)
}

/// Returns the answer of a service, unless it tells what broke: that is for
/// the log, and may name files.
fn keep_faults(response: Response<Bytes>) -> Result<Response<Bytes>, Denied> {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return Ok(response);
    }
    let fault = String::from_utf8_lossy(response.body()).into_owned();
    Err(Denied::Fault { fault })
}

/// Returns the refusal for what broke here.
fn fault(error: impl std::error::Error) -> Denied {
    Denied::Fault { fault: causes(&error) }
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut fault = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        fault.push_str(": ");
        fault.push_str(&inner.to_string());
        cause = inner.source();
    }
    fault
}
