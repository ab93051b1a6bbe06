//! A server of HTTP on the loopback interface, for tests that play a service
//! of AWS.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// A request.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// Calls `respond` for every connection; returns the server's address. Its
/// thread ends with the process.
pub(crate) fn serve(mut respond: impl FnMut(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().for_each(|stream| respond(stream.unwrap())));
    address
}

impl Request {
    /// Reads the request of a connection.
    pub(crate) fn read(stream: &TcpStream) -> Self {
        let mut reader = BufReader::new(stream);
        let mut first = String::new();
        reader.read_line(&mut first).unwrap();
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = Vec::new();
        reader.take(length).read_to_end(&mut body).unwrap();
        let mut words = first.split(' ').map(str::to_owned);
        Self { method: words.next().unwrap(), path: words.next().unwrap(), headers, body }
    }
}

/// Answers a request.
pub(crate) fn answer(mut stream: TcpStream, status: u16, body: &[u8]) {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} So\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    // Whoever asked may have read enough.
    let _written = stream.write_all(&[head.as_bytes(), body].concat());
}
