//! A served port with one account, one key and a service that echoes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use seal::Secret;
use server::{Answer, Gate, Keys, Limits, Port, Record, Service, Tls};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use wire::sigv4::{Caller, Credentials};

/// The one key that is known.
pub(crate) const KEY: &str = "AKIDEXAMPLE";

pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// 22 November 2026, when every request here is signed and arrives.
pub(crate) const NOW: i64 = 1_795_375_225;

/// A port that is served until the end of the test.
pub(crate) struct Setting {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    end: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

struct Shared {
    disabled: AtomicBool,
    records: Mutex<Vec<Record>>,
    begun: Semaphore,
    released: Semaphore,
}

impl Setting {
    pub(crate) async fn new(limits: Limits) -> Self {
        Self::start(limits, None).await
    }

    /// Returns a setting that speaks TLS, and the certificate of `localhost` that it shows.
    pub(crate) async fn with_tls() -> (Self, CertificateDer<'static>) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let tls = Tls::read(&cert, &key).unwrap();
        (
            Self::start(Limits::default(), Some(tls)).await,
            CertificateDer::from_pem_file(cert).unwrap(),
        )
    }

    async fn start(limits: Limits, tls: Option<Tls>) -> Self {
        let shared = Arc::new(Shared {
            disabled: AtomicBool::new(false),
            records: Mutex::default(),
            begun: Semaphore::new(0),
            released: Semaphore::new(0),
        });
        let port = Port::bind("127.0.0.1:0".parse().unwrap(), tls).await.unwrap();
        let address = port.address();
        let (end, ended) = oneshot::channel::<()>();
        let of_log = Arc::clone(&shared);
        let log = move |record: &Record| of_log.records.lock().unwrap().push(record.clone());
        let services: Vec<Box<dyn Service>> = vec![Box::new(Echo(Arc::clone(&shared)))];
        let gate =
            Gate::new(OneKey(Arc::clone(&shared)), services, log, || NOW * 1_000_000, limits);
        let serving = tokio::spawn(port.serve(gate, async move {
            let _ = ended.await;
        }));
        Self { address, shared, end: Some(end), serving: Some(serving) }
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.shared.records.lock().unwrap().clone()
    }

    pub(crate) fn disable_key(&self) {
        self.shared.disabled.store(true, Ordering::Relaxed);
    }

    /// Waits until a request that waits is worked on.
    pub(crate) async fn begun(&self) {
        self.shared.begun.acquire().await.unwrap().forget();
    }

    /// Lets a request that waits go on.
    pub(crate) fn release(&self) {
        self.shared.released.add_permits(1);
    }

    /// Closes the port; what is returned waits for its end.
    pub(crate) fn end(&mut self) -> JoinHandle<()> {
        self.end.take().unwrap().send(()).unwrap();
        self.serving.take().unwrap()
    }
}

struct OneKey(Arc<Shared>);

impl Keys for OneKey {
    type Error = Infallible;

    async fn find(&self, access_key: &str) -> Result<Option<Credentials>, Infallible> {
        let known = access_key == KEY && !self.0.disabled.load(Ordering::Relaxed);
        let account = "123456789012".parse().unwrap();
        Ok(known.then(|| Credentials { account, secret: Secret::new(SECRET.to_owned()) }))
    }

    async fn note_use(&self, access_key: &str, now: i64) -> Result<(), Infallible> {
        assert_eq!((access_key, now), (KEY, NOW * 1_000_000));
        Ok(())
    }
}

/// Answers who asked; waits, refuses or panics where it is asked to.
struct Echo(Arc<Shared>);

impl Service for Echo {
    fn name(&self) -> &'static str {
        "imagebuilder"
    }

    fn operation(&self, request: &Request<Bytes>) -> Option<&'static str> {
        (request.uri().path() == "/echo").then_some("Echo")
    }

    fn answer<'a>(
        &'a self,
        caller: &'a Caller,
        request: &'a Request<Bytes>,
        request_id: &'a str,
    ) -> Answer<'a> {
        Box::pin(async move {
            match request.uri().path() {
                "/panic" => panic!("provoked"),
                "/wait" => {
                    self.0.begun.add_permits(1);
                    self.0.released.acquire().await.unwrap().forget();
                }
                _ => {}
            }
            let body = str::from_utf8(request.body()).unwrap();
            let Caller { account, region, .. } = caller;
            let echo = format!(r#"{{"account":"{account}","region":"{region}","body":"{body}"}}"#);
            let mut response = Response::new(Bytes::from(echo));
            response.headers_mut().insert("x-amzn-requestid", request_id.parse().unwrap());
            if request.uri().path() == "/refuse" {
                *response.status_mut() = StatusCode::NOT_FOUND;
                let name = HeaderValue::from_static("ResourceNotFoundException");
                response.headers_mut().insert(wire::ERROR_TYPE, name);
            }
            response
        }) as Pin<Box<_>>
    }
}
