//! A client that signs, and shows what it got.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as aws_sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::setting::{KEY, NOW};

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns status and body.
    pub(crate) fn told(&self) -> String {
        format!("{} {}", self.status, self.body)
    }
}

pub(crate) fn post(path: &str, body: &str) -> Request<Vec<u8>> {
    let request = Request::post(path).header("host", "builder.example");
    request.body(body.as_bytes().to_vec()).unwrap()
}

pub(crate) fn unsigned(method: &str, path: &str) -> Request<Vec<u8>> {
    let request = Request::builder().method(method).uri(path).header("host", "builder.example");
    request.body(Vec::new()).unwrap()
}

/// Signs a request for `service` in `local-1`.
pub(crate) fn sign(request: Request<Vec<u8>>, secret: &str, service: &str) -> Request<Vec<u8>> {
    sign_as(KEY, request, secret, service)
}

/// The same with another access key.
pub(crate) fn sign_as(
    access_key: &str,
    mut request: Request<Vec<u8>>,
    secret: &str,
    service: &str,
) -> Request<Vec<u8>> {
    let identity = Credentials::new(access_key, secret, None, None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("local-1")
        .name(service)
        .time(UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs()))
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let host = request.headers().get("host").map(|host| host.to_str().unwrap().to_owned());
    let uri = match &host {
        Some(host) => format!("http://{host}{}", request.uri()),
        None => request.uri().to_string(),
    };
    let headers = host.iter().map(|host| ("host", host.as_str()));
    let body = SignableBody::Bytes(request.body());
    let signable = SignableRequest::new(request.method().as_str(), uri, headers, body).unwrap();
    let (instructions, _) = aws_sign(signable, &params).unwrap().into_parts();
    instructions.apply_to_request_http1x(&mut request);
    request
}

/// Returns a request as HTTP/1.1 writes it.
pub(crate) fn text(request: &Request<Vec<u8>>) -> Vec<u8> {
    let length = request.body().len();
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    text.push_str(&format!("connection: close\r\ncontent-length: {length}\r\n\r\n"));
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(request.body());
    bytes
}

pub(crate) async fn send(address: SocketAddr, request: &Request<Vec<u8>>) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&text(request)).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Reply { status, headers, body: body.to_owned() }
}

/// Returns a signed request whose host is in its target, as HTTP/2 has it.
pub(crate) fn sign_for_http2(secret: &str, scheme: &str, authority: &str) -> Request<Vec<u8>> {
    let uri = format!("{scheme}://{authority}/echo");
    sign(Request::post(uri).body(b"{}".to_vec()).unwrap(), secret, "imagebuilder")
}

/// Sends a request over HTTP/2; returns status and body.
pub(crate) async fn send_http2<S>(stream: S, request: Request<Vec<u8>>) -> String
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(stream);
    let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await;
    let (mut sender, connection) = shaken.unwrap();
    tokio::spawn(connection);
    let request = request.map(|body| Full::new(Bytes::from(body)));
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    format!("{status} {}", str::from_utf8(&body).unwrap())
}

/// Connects with TLS and trusts one certificate; HTTP/2 is agreed upon.
pub(crate) async fn shake(
    address: SocketAddr,
    certificate: CertificateDer<'static>,
) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    stream
}
