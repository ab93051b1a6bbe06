//! The port as clients meet it: over real connections, with real signatures.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "port/client.rs"]
mod client;
#[path = "port/setting.rs"]
mod setting;

use std::time::Duration;

use expect_test::expect;
use http::{HeaderName, HeaderValue};
use server::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use client::{post, send, sign, sign_as, unsigned};
use setting::{SECRET, Setting};

#[tokio::test]
async fn a_signed_request_reaches_its_service() {
    let setting = Setting::new(Limits::default()).await;
    let answer = send(setting.address, &sign(post("/echo", "{}"), SECRET, "imagebuilder")).await;
    expect![[r#"200 {"account":"123456789012","region":"local-1","body":"{}"}"#]]
        .assert_eq(&answer.told());
    let records = setting.records();
    let told: Vec<_> = records.iter().map(|record| (record.status, record.operation)).collect();
    assert_eq!(told, [(200, Some("Echo"))]);
    assert_eq!(records[0].access_key.as_deref(), Some("AKIDEXAMPLE"));
    assert_eq!(answer.header("x-amzn-requestid"), Some(records[0].request_id.as_str()));
}

#[tokio::test]
async fn only_health_is_told_to_strangers() {
    let setting = Setting::new(Limits::default()).await;
    let health = send(setting.address, &unsigned("GET", "/health")).await;
    assert_eq!(health.told(), "200 ok\n");
    for (method, path) in [("GET", "/"), ("POST", "/health"), ("GET", "/echo"), ("GET", "/health/")]
    {
        let answer = send(setting.address, &unsigned(method, path)).await;
        assert_eq!(answer.status, 403, "{method} {path}");
        assert_eq!(answer.header("x-amzn-errortype"), Some("MissingAuthenticationTokenException"));
    }
}

#[tokio::test]
async fn unknown_disabled_and_wrong_keys_look_alike() {
    let setting = Setting::new(Limits::default()).await;
    let right = sign(post("/echo", "{}"), SECRET, "imagebuilder");
    assert_eq!(send(setting.address, &right).await.status, 200);
    let wrong = sign(post("/echo", "{}"), "another secret", "imagebuilder");
    let wrong = send(setting.address, &wrong).await;
    let unknown = sign_as("AKIDUNKNOWN", post("/echo", "{}"), SECRET, "imagebuilder");
    let unknown = send(setting.address, &unknown).await;
    // Disabling takes effect with the next request.
    setting.disable_key();
    let disabled = send(setting.address, &right).await;
    assert_eq!([unknown.told(), disabled.told()], [wrong.told(), wrong.told()]);
    for refused in [wrong, unknown, disabled] {
        assert_eq!(refused.status, 403);
        assert_eq!(refused.header("x-amzn-errortype"), Some("InvalidSignatureException"));
    }
    let log = format!("{:?}", setting.records());
    let signature = right.headers()["authorization"].to_str().unwrap();
    let (_, signature) = signature.rsplit_once('=').unwrap();
    assert!(!log.contains(signature) && !log.contains(SECRET), "{log}");
}

#[tokio::test]
async fn other_services_are_refused_by_name_after_the_signature() {
    let setting = Setting::new(Limits::default()).await;
    let answer = send(setting.address, &sign(post("/", ""), SECRET, "sts")).await;
    expect![[
        r#"400 {"message":"The service 'sts' is not served here. Served are: imagebuilder."}"#
    ]]
    .assert_eq(&answer.told());
    let answer = send(setting.address, &sign(post("/", ""), "wrong", "sts")).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn the_log_says_what_was_refused() {
    let setting = Setting::new(Limits::default()).await;
    for (path, service, secret) in [
        ("/echo", "imagebuilder", SECRET),
        ("/refuse", "imagebuilder", SECRET),
        ("/", "sts", SECRET),
        ("/", "sts", "wrong"),
        ("/panic", "imagebuilder", SECRET),
    ] {
        send(setting.address, &sign(post(path, ""), secret, service)).await;
    }
    let records = setting.records();
    let told: Vec<_> = records.iter().map(|one| (one.status, one.error.as_deref())).collect();
    assert_eq!(
        told,
        [
            (200, None),
            (404, Some("ResourceNotFoundException")),
            (400, Some("UnknownServiceException")),
            (403, Some("InvalidSignatureException")),
            (500, Some("ServiceException")),
        ]
    );
}

#[tokio::test]
async fn long_bodies_are_refused() {
    let setting = Setting::new(Limits { body: 8, ..Limits::default() }).await;
    let fits = sign(post("/echo", "12345678"), SECRET, "imagebuilder");
    assert_eq!(send(setting.address, &fits).await.status, 200);
    let long = sign(post("/echo", "123456789"), SECRET, "imagebuilder");
    let answer = send(setting.address, &long).await;
    assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
}

#[tokio::test]
async fn a_panic_is_one_failed_request() {
    let setting = Setting::new(Limits::default()).await;
    let answer = send(setting.address, &sign(post("/panic", ""), SECRET, "imagebuilder")).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.header("x-amzn-errortype"), Some("ServiceException"));
    assert!(!answer.told().contains("provoked"), "{}", answer.told());
    let answer = send(setting.address, &sign(post("/echo", ""), SECRET, "imagebuilder")).await;
    assert_eq!(answer.status, 200);
    let faults: Vec<_> = setting.records().into_iter().map(|record| record.fault).collect();
    assert_eq!(faults, [Some("a panic".to_owned()), None]);
}

#[tokio::test]
async fn who_finds_no_turn_is_told_to_come_back() {
    let turn = Duration::from_millis(50);
    let setting = Setting::new(Limits { requests: 1, queue: 1, turn, ..Limits::default() }).await;
    let address = setting.address;
    let waiting = tokio::spawn(async move {
        send(address, &sign(post("/wait", ""), SECRET, "imagebuilder")).await
    });
    setting.begun().await;
    let refused = send(address, &sign(post("/echo", ""), SECRET, "imagebuilder")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert_eq!(refused.header("x-amzn-errortype"), Some("ServiceUnavailableException"));
    setting.release();
    assert_eq!(waiting.await.unwrap().status, 200);
}

#[tokio::test]
async fn connections_that_say_nothing_end() {
    let head = Duration::from_millis(50);
    let setting = Setting::new(Limits { head, idle: head, ..Limits::default() }).await;
    for said in ["", "GET /health HTTP/1.1\r\nhost: a\r\nx-slow: ", "PRI * HTTP/2.0\r\n"] {
        let mut stream = TcpStream::connect(setting.address).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        // A reset is an end too.
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 4"), "{said}");
    }
}

#[tokio::test]
async fn strangers_take_no_memory_of_bodies() {
    let setting = Setting::new(Limits { bodies: 8, ..Limits::default() }).await;
    let body = "x".repeat(1000);
    for (method, path, status) in [("POST", "/echo", 403), ("GET", "/health", 200)] {
        let mut request = unsigned(method, path);
        *request.body_mut() = body.clone().into_bytes();
        assert_eq!(send(setting.address, &request).await.status, status, "{path}");
    }
    let fits = sign(post("/echo", "12345678"), SECRET, "imagebuilder");
    assert_eq!(send(setting.address, &fits).await.status, 200);
}

#[tokio::test]
async fn who_finds_no_memory_is_told_to_come_back() {
    let turn = Duration::from_millis(50);
    let setting = Setting::new(Limits { bodies: 8, turn, ..Limits::default() }).await;
    let request = sign(post("/echo", "12345678"), SECRET, "imagebuilder");
    let bytes = client::text(&request);
    // One that took all there is and does not go on.
    let mut slow = TcpStream::connect(setting.address).await.unwrap();
    slow.write_all(&client::text(&sign(post("/wait", "12345678"), SECRET, "imagebuilder")))
        .await
        .unwrap();
    setting.begun().await;
    let refused = send(setting.address, &request).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert_eq!(refused.header("connection"), Some("close"));
    setting.release();
    slow.read_to_end(&mut Vec::new()).await.unwrap();
    assert_eq!(send(setting.address, &request).await.status, 200);

    let heads = 2 * bytes.len();
    let setting = Setting::new(Limits { heads, ..Limits::default() }).await;
    assert_eq!(send(setting.address, &request).await.status, 503);
    assert_eq!(send(setting.address, &unsigned("GET", "/health")).await.status, 200);
}

#[tokio::test]
async fn what_is_read_out_of_bodies_takes_memory_too() {
    let turn = Duration::from_millis(50);
    let setting = Setting::new(Limits { contents: 1024, turn, ..Limits::default() }).await;
    let address = setting.address;
    let waiting = tokio::spawn(async move {
        send(address, &sign(post("/wait", "12345678"), SECRET, "imagebuilder")).await
    });
    setting.begun().await;
    for (body, status) in [("1", 503), ("", 200)] {
        let request = sign(post("/echo", body), SECRET, "imagebuilder");
        assert_eq!(send(address, &request).await.status, status, "{body}");
    }
    setting.release();
    assert_eq!(waiting.await.unwrap().status, 200);
    // One that may take more than there is has all of it.
    let long = sign(post("/echo", &"x".repeat(1000)), SECRET, "imagebuilder");
    assert_eq!(send(address, &long).await.status, 200);
}

#[tokio::test]
async fn who_holds_all_connections_loses_them() {
    let head = Duration::from_millis(50);
    let setting = Setting::new(Limits { connections: 2, head, ..Limits::default() }).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(TcpStream::connect(setting.address).await.unwrap());
    }
    assert_eq!(send(setting.address, &unsigned("GET", "/health")).await.status, 200);
}

/// What a stranger may have sent ahead of who reads it is in the first frame of the server.
#[tokio::test]
async fn http_2_is_bounded_from_the_start() {
    let setting = Setting::new(Limits::default()).await;
    let mut stream = TcpStream::connect(setting.address).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3..5], [4, 0], "SETTINGS");
    let mut frame = vec![0; usize::from(head[2])];
    stream.read_exact(&mut frame).await.unwrap();
    let settings = frame.chunks(6).map(|setting| {
        let value = setting[2..].try_into().map(u32::from_be_bytes).unwrap();
        (u16::from_be_bytes([setting[0], setting[1]]), value)
    });
    let settings: std::collections::BTreeMap<_, _> = settings.collect();
    // MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_HEADER_LIST_SIZE (RFC 9113, 6.5.2).
    assert_eq!(settings.get(&3), Some(&64), "{settings:?}");
    assert!(settings.get(&4).is_none_or(|&size| size <= 65_535), "{settings:?}");
    assert_eq!(settings.get(&6), Some(&65_536), "{settings:?}");
    // No WINDOW_UPDATE for the whole connection follows: what comes next acknowledges ours.
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3..5], [4, 1]);
}

#[tokio::test]
async fn empty_headers_take_memory_too() {
    let setting = Setting::new(Limits { heads: 4 << 10, ..Limits::default() }).await;
    for (headers, status) in [(16, 200), (64, 503)] {
        let mut request = unsigned("GET", "/health");
        for n in 0..headers {
            let name = format!("x{n}").parse::<HeaderName>().unwrap();
            request.headers_mut().insert(name, HeaderValue::from_static(""));
        }
        assert_eq!(send(setting.address, &request).await.status, status, "{headers}");
    }
}

#[tokio::test]
async fn what_was_begun_is_answered_at_the_end() {
    let mut setting = Setting::new(Limits::default()).await;
    let address = setting.address;
    let waiting = tokio::spawn(async move {
        send(address, &sign(post("/wait", ""), SECRET, "imagebuilder")).await
    });
    setting.begun().await;
    let ended = setting.end();
    setting.release();
    assert_eq!(waiting.await.unwrap().status, 200);
    ended.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn requests_outlive_those_who_sent_them() {
    let mut setting = Setting::new(Limits::default()).await;
    let request = sign(post("/wait", ""), SECRET, "imagebuilder");
    let mut stream = TcpStream::connect(setting.address).await.unwrap();
    stream.write_all(&client::text(&request)).await.unwrap();
    setting.begun().await;
    drop(stream);
    setting.release();
    setting.end().await.unwrap();
    let told: Vec<_> = setting.records().iter().map(|record| record.status).collect();
    assert_eq!(told, [200]);
}

#[tokio::test]
async fn http_2_is_spoken_with_and_without_tls() {
    let setting = Setting::new(Limits::default()).await;
    let stream = TcpStream::connect(setting.address).await.unwrap();
    let request = client::sign_for_http2(SECRET, "http", &setting.address.to_string());
    let answer = client::send_http2(stream, request).await;
    expect![[r#"200 {"account":"123456789012","region":"local-1","body":"{}"}"#]]
        .assert_eq(&answer);

    let (setting, certificate) = Setting::with_tls().await;
    let stream = client::shake(setting.address, certificate).await;
    let request = client::sign_for_http2(SECRET, "https", "localhost");
    let answer = client::send_http2(stream, request).await;
    expect![[r#"200 {"account":"123456789012","region":"local-1","body":"{}"}"#]]
        .assert_eq(&answer);
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_it() {
    let setting = Setting::new(Limits::default()).await;
    let error = server::Port::bind(setting.address, None).await.err().unwrap();
    assert_eq!(error.to_string(), format!("failed to listen on {}", setting.address));
    assert_eq!(error.source.kind(), std::io::ErrorKind::AddrInUse);
}
