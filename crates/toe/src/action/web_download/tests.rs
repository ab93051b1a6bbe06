//! Downloads from a server on the loopback interface.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::super::Told;
use super::*;
use crate::Machine;
use crate::cause::chain;
use crate::clock::Deadline;
use crate::mask::Mask;

/// Answers requests one by one with these responses, then nobody listens.
fn server(responses: &[&str]) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let responses: Vec<_> =
        responses.iter().map(|text| text.replace("HERE", &address).into_bytes()).collect();
    std::thread::spawn(move || {
        for response in responses {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            stream.write_all(&response).unwrap();
        }
    });
    address
}

const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
const BROKEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhel";
const BUSY: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const GONE: &str = "HTTP/1.1 404 Gone\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const EMPTY: &str = "HTTP/1.1 204 Empty\r\nConnection: close\r\n\r\n";
const MOVED: &str = "HTTP/1.1 302 Moved\r\nLocation: HERE/other\r\nContent-Length: 0\r\n\
    Connection: close\r\n\r\n";

const MD5: &str = "5d41402abc4b2a76b9719d911017c592";

/// What a case starts from and what it may differ in.
#[derive(Default)]
struct Case {
    responses: &'static [&'static str],
    checksum: Option<&'static str>,
    existing: Option<&'static str>,
    keep: bool,
}

/// Downloads `/file` and checks what is in the folder then, or the error.
#[track_caller]
fn check(case: Case, expected: Result<&str, &str>) {
    let folder = tempfile::tempdir().unwrap();
    let machine = Machine {
        scratch: folder.path().to_owned(),
        folder: folder.path().join("work"),
        ..Machine::default()
    };
    let path = machine.folder.join("new/file");
    if let Some(text) = case.existing {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let address = server(case.responses);
    let inputs = WebDownload {
        source: format!("{address}/file?query"),
        destination: "new/".into(),
        overwrite: !case.keep,
        checksum: case.checksum.map(str::to_owned),
        algorithm: case.checksum.map(|_| Algorithm::Md5),
        ignore_certificate_errors: false,
    };
    let tell = &mut |_: Told<'_>| {};
    let (deadline, mask) = (Deadline::after(None), Mask::default());
    let (requests, resume) = (&[][..], None);
    let mut bench = Bench { machine: &machine, deadline, mask: &mask, tell, requests, resume };
    assert_eq!(destination(&inputs).unwrap(), "new/file");
    let result = obtain(&inputs, &path, &Retry::until(bench.limit()).impatient(), &mut bench)
        .map(|()| fs::read_to_string(&path).unwrap())
        .map_err(|error| {
            let parent = path.parent().unwrap().to_string_lossy().into_owned();
            chain(&error).replace(&address, "URL").replace(&parent, "FOLDER")
        });
    assert_eq!(result.as_deref().map_err(String::as_str), expected);
    let left = fs::read_dir(path.parent().unwrap()).map_or(0, Iterator::count);
    assert_eq!(left, usize::from(path.exists()), "no part is left");
}

#[test]
fn files_are_fetched() {
    check(Case { responses: &[HELLO], ..Case::default() }, Ok("hello"));
    check(Case { responses: &[MOVED, HELLO], ..Case::default() }, Ok("hello"));
    let checksum = Some(MD5);
    check(Case { responses: &[HELLO], checksum, ..Case::default() }, Ok("hello"));
    let existing = Some("old");
    check(Case { responses: &[HELLO], existing, ..Case::default() }, Ok("hello"));
}

#[test]
fn what_is_there_already_is_not_fetched() {
    let existing = Some("hello");
    check(Case { checksum: Some(MD5), existing, ..Case::default() }, Ok("hello"));
    check(
        Case { checksum: Some(MD5), existing, keep: true, ..Case::default() },
        Err("`FOLDER/file` exists already and `overwrite` is false"),
    );
}

#[test]
fn passing_failures_are_tried_again() {
    check(Case { responses: &[BUSY, BROKEN, BUSY, BUSY, HELLO], ..Case::default() }, Ok("hello"));
    check(
        Case { responses: &[BUSY, BUSY, BUSY, BUSY, BUSY, HELLO], ..Case::default() },
        Err("`URL/file?query` answered 503 Service Unavailable; only 200 is a success"),
    );
}

#[test]
fn lasting_failures_are_not() {
    check(
        Case { responses: &[GONE, HELLO], ..Case::default() },
        Err("`URL/file?query` answered 404 Not Found; only 200 is a success"),
    );
    check(
        Case { responses: &[HELLO, HELLO], checksum: Some("00ff"), ..Case::default() },
        Err("`URL/file?query` has the MD5 digest 5d41402abc4b2a76b9719d911017c592, not 00ff"),
    );
}

#[test]
fn only_200_is_a_success() {
    check(
        Case { responses: &[EMPTY, HELLO], ..Case::default() },
        Err("`URL/file?query` answered 204 No Content; only 200 is a success"),
    );
}

/// The rest of the file never comes, nor does anybody take the second attempt.
#[test]
fn a_download_that_is_cancelled_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let machine = Machine { folder: folder.path().to_owned(), ..Machine::default() };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (stop, part) = (Arc::clone(&machine.stop), folder.path().join(".file.part"));
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(BROKEN.as_bytes()).unwrap();
        while !part.exists() {
            std::thread::yield_now();
        }
        stop.store(true, Ordering::Release);
        // Until the client hangs up.
        let _read = io::copy(&mut stream, &mut io::sink());
    });
    let inputs = WebDownload {
        source: format!("{address}/file"),
        destination: "file".into(),
        overwrite: true,
        checksum: None,
        algorithm: None,
        ignore_certificate_errors: false,
    };
    let (deadline, mask) = (Deadline::after(None), Mask::default());
    let mut lines = 0;
    let tell = &mut |_: Told<'_>| lines += 1;
    let (requests, resume) = (&[][..], None);
    let mut bench = Bench { machine: &machine, deadline, mask: &mask, tell, requests, resume };
    let error = perform(&[inputs], &mut bench).unwrap_err();
    assert_eq!(chain(&error).replace(&address, "URL"), "`URL/file` broke off: it was cancelled");
    assert_eq!(lines, 0, "no attempt is announced");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no part is left");
}

#[test]
fn addresses_without_a_file_name_need_a_destination() {
    for source in ["http://mirror.example", "http://mirror.example/a/", "http://mirror.example/.."]
    {
        let inputs = WebDownload {
            source: source.into(),
            destination: "/tmp/".into(),
            overwrite: true,
            checksum: None,
            algorithm: None,
            ignore_certificate_errors: false,
        };
        assert!(destination(&inputs).is_err(), "{source}");
        let file = WebDownload { destination: "/tmp/file".into(), ..inputs };
        assert_eq!(destination(&file).unwrap(), "/tmp/file");
    }
}

/// Serves `hello` over TLS to two clients, with a certificate of its own making.
fn tls_server() -> String {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for _ in 0..2 {
            let (stream, _) = listener.accept().unwrap();
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            let mut request = [0; 4096];
            // The client that does not trust the certificate hangs up here.
            if stream.read(&mut request).is_ok_and(|read| read > 0) {
                stream.write_all(HELLO.as_bytes()).unwrap();
                stream.conn.send_close_notify();
                stream.flush().unwrap();
            }
        }
    });
    address
}

#[test]
fn unknown_certificates_are_taken_only_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let mut inputs = WebDownload {
        source: format!("{}/file", tls_server()),
        destination: "file".into(),
        overwrite: true,
        checksum: None,
        algorithm: None,
        ignore_certificate_errors: false,
    };
    let limit = Limit::new(Deadline::after(None), &Arc::default());
    let error = fetch(&inputs, &path, &limit).unwrap_err();
    assert!(chain(&error).contains("certificate"), "{}", chain(&error));
    inputs.ignore_certificate_errors = true;
    fetch(&inputs, &path, &limit).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "hello");
}
