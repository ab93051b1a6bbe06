//! Fetches a file whose digest is known beforehand.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use disk::sparse;
use name::Digest;

use crate::hashing::Hashing;
use crate::receipt::Watch;

/// A file could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The server refused or could not be reached.
    #[error("failed to fetch {url}")]
    Fetch {
        /// What was asked for.
        url: String,
        /// Why.
        #[source]
        source: Box<ureq::Error>,
    },
    /// Reading or writing failed midway.
    #[error("failed to copy {from}")]
    Copy {
        /// The URL or path.
        from: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The bytes are others than were asked for.
    #[error("{from} has the digest {actual}, expected {expected}")]
    WrongDigest {
        /// The URL or path.
        from: String,
        /// What was asked for.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// The watcher gave up.
    #[error("cancelled")]
    Cancelled,
}

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);
/// How often the watcher is asked while nothing comes.
const GLANCE: Duration = Duration::from_millis(200);
/// The bytes handed on at once.
const PIECE: usize = 1 << 20;

/// Opens `url` for reading. Redirects are followed: what comes is known by its
/// digest, wherever it comes from.
pub(crate) fn open<'a>(url: &str, watch: &'a dyn Watch) -> Result<Remote<'a>, DownloadError> {
    let (opened, answer) = mpsc::sync_channel(1);
    let (pieces, received) = mpsc::sync_channel(2);
    let asked = url.to_owned();
    // A thread of its own: no read of a socket can be interrupted, and a
    // watcher that gives up must not wait for the server.
    std::thread::spawn(move || match request(&asked) {
        Ok(stream) => {
            if opened.send(Ok(())).is_ok() {
                hand_on(stream, &pieces);
            }
        }
        Err(error) => drop(opened.send(Err(error))),
    });
    match wait(&answer, watch) {
        Some(Ok(())) => Ok(Remote { received, piece: io::Cursor::new(Vec::new()), watch }),
        Some(Err(source)) => {
            Err(DownloadError::Fetch { url: url.to_owned(), source: Box::new(source) })
        }
        None => Err(DownloadError::Cancelled),
    }
}

fn request(url: &str) -> Result<impl Read + use<>, ureq::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ureq::tls::TlsConfig::builder()
        .provider(ureq::tls::TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .tls_config(tls)
        .timeout_connect(Some(SILENCE))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .build()
        .into();
    Ok(agent.get(url).call()?.into_body().into_reader())
}

/// Reads `stream` to its end, as long as somebody takes what it brings.
fn hand_on(mut stream: impl Read, pieces: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = vec![0; PIECE];
        let result = stream.read(&mut piece);
        let last = !matches!(result, Ok(1..));
        let piece = result.map(|length| {
            piece.truncate(length);
            piece
        });
        if pieces.send(piece).is_err() || last {
            return;
        }
    }
}

/// Returns what comes next; `None` if the watcher gives up or nothing comes
/// any more.
fn wait<T>(receiver: &Receiver<T>, watch: &dyn Watch) -> Option<T> {
    loop {
        if watch.cancelled() {
            return None;
        }
        match receiver.recv_timeout(GLANCE) {
            Ok(item) => return Some(item),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

/// The body of an answer.
pub(crate) struct Remote<'a> {
    received: Receiver<io::Result<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
    watch: &'a dyn Watch,
}

impl Read for Remote<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.position() == self.piece.get_ref().len() as u64 {
            let next = wait(&self.received, self.watch);
            let gone = || Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            self.piece = io::Cursor::new(next.unwrap_or_else(gone)?);
        }
        self.piece.read(buffer)
    }
}

/// Copies `source` to the new file `to`, with holes for zeros, and checks that
/// it has the digest `expected`.
pub(crate) fn copy(
    from: &str,
    source: &mut impl Read,
    to: &Path,
    expected: &Digest,
    watch: &dyn Watch,
) -> Result<(), DownloadError> {
    let fail = |source| DownloadError::Copy { from: from.to_owned(), source };
    let file = File::create(to).map_err(fail)?;
    let mut source = Hashing::new(source, watch);
    let copied = sparse::copy(&mut source, file);
    if watch.cancelled() {
        return Err(DownloadError::Cancelled);
    }
    copied.map_err(fail)?;
    let actual = source.digest();
    if actual != *expected {
        let from = from.to_owned();
        return Err(DownloadError::WrongDigest { from, expected: *expected, actual });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread::JoinHandle;

    use super::*;

    struct Patient;

    impl Watch for Patient {
        fn line(&self, _: &str) {}

        fn cancelled(&self) -> bool {
            false
        }
    }

    /// Serves one answer to each connection; returns the address and, when
    /// all were asked for, the requests.
    fn serve(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let base = address.clone();
        let server = std::thread::spawn(move || {
            let mut requests = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                requests.push(request_of(&mut stream));
                stream.write_all(answer.replace("BASE", &base).as_bytes()).unwrap();
            }
            requests
        });
        (address, server)
    }

    fn request_of(stream: &mut TcpStream) -> String {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        String::from_utf8(request).unwrap()
    }

    fn answer(status: &str, length: usize, more: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n{body}"
        )
    }

    fn fetch(url: &str, text: &str) -> Result<Vec<u8>, DownloadError> {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("disk");
        let expected = Digest::of(text.as_bytes());
        copy(url, &mut open(url, &Patient)?, &to, &expected, &Patient)?;
        Ok(std::fs::read(to).unwrap())
    }

    fn told(error: &dyn std::error::Error) -> String {
        match error.source() {
            Some(source) => format!("{error}: {}", told(source)),
            None => error.to_string(),
        }
    }

    #[track_caller]
    fn refused(answers: Vec<String>, message: &str) {
        let (address, server) = serve(answers);
        let url = format!("{address}/disk");
        let error = fetch(&url, "disk").unwrap_err();
        assert_eq!(told(&error), message.replace("URL", &url));
        assert!(server.join().unwrap()[0].starts_with("GET /disk HTTP/1.1\r\n"));
    }

    #[test]
    fn a_file_is_fetched() {
        let (address, server) = serve(vec![answer("200 OK", 4, "", "disk")]);
        assert_eq!(fetch(&address, "disk").unwrap(), b"disk");
        server.join().unwrap();
    }

    #[test]
    fn redirects_are_followed() {
        let there = answer("302 Found", 0, "Location: BASE/there\r\n", "");
        let (address, server) = serve(vec![there, answer("200 OK", 4, "", "disk")]);
        assert_eq!(fetch(&format!("{address}/disk"), "disk").unwrap(), b"disk");
        assert!(server.join().unwrap()[1].starts_with("GET /there HTTP/1.1\r\n"));
    }

    #[test]
    fn what_servers_do_wrong_is_told() {
        refused(
            vec![answer("404 Not Found", 4, "", "gone")],
            "failed to fetch URL: http status: 404",
        );
        refused(vec![answer("200 OK", 4, "", "dis")], "failed to copy URL: Peer disconnected");
        let (expected, actual) = (Digest::of(b"disk"), Digest::of(b"junk"));
        refused(
            vec![answer("200 OK", 4, "", "junk")],
            &format!("URL has the digest {actual}, expected {expected}"),
        );
    }

    #[test]
    fn a_server_that_is_not_there_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/disk", listener.local_addr().unwrap());
        drop(listener);
        let message = told(&fetch(&url, "disk").unwrap_err());
        assert!(message.starts_with(&format!("failed to fetch {url}: ")), "{message}");
        assert!(message.contains("Connection refused"), "{message}");
    }

    #[test]
    fn zeros_become_holes() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("disk");
        let mut disk = vec![0; 8 << 20];
        disk[4 << 20] = 1;
        copy("disk", &mut &disk[..], &to, &Digest::of(&disk), &Patient).unwrap();
        let blocks = std::os::unix::fs::MetadataExt::blocks(&to.metadata().unwrap());
        assert!(blocks * 512 <= 2 << 20, "{blocks}");
        assert!(std::fs::read(&to).unwrap() == disk);
    }

    /// Gives up once the server has begun to answer.
    struct Impatient(AtomicBool);

    impl Watch for Impatient {
        fn line(&self, _: &str) {}

        fn cancelled(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn a_silent_server_does_not_hold_up_whoever_gives_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/disk", listener.local_addr().unwrap());
        let watch = Impatient(AtomicBool::new(false));
        std::thread::scope(|scope| {
            let opening = scope.spawn(|| open(&url, &watch).err());
            let (mut stream, _) = listener.accept().unwrap();
            request_of(&mut stream);
            watch.0.store(true, Ordering::Relaxed);
            assert!(matches!(opening.join().unwrap(), Some(DownloadError::Cancelled)));
        });
    }
}
