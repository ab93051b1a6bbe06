//! One question to one name server: over UDP, and over TCP when the answer
//! does not fit.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};

use crate::limit::{Limit, STOP_INTERVAL};

/// How long to wait for an answer at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a server said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The addresses of the name; none if it has none or does not exist.
    Addresses(Vec<IpAddr>),
    /// It would not or could not say; another one may.
    Refused,
}

/// Asks `server` for the records of `name`.
pub(crate) fn exchange(
    server: SocketAddr,
    name: &Name,
    kind: RecordType,
    limit: &Limit,
) -> io::Result<Answer> {
    let mut question = Message::query();
    question.metadata.recursion_desired = true;
    question.add_query(Query::query(name.clone(), kind));
    let bytes = question.to_vec().map_err(io::Error::other)?;
    let mut answer = over_udp(server, &question, &bytes, limit)?;
    if answer.metadata.truncation {
        answer = over_tcp(server, &question, &bytes, limit)?;
    }
    match answer.metadata.response_code {
        ResponseCode::NoError => {
            // Aliases come with the addresses they lead to, so their own
            // names need not be followed.
            let records = answer.answers.iter().filter(|record| record.record_type() == kind);
            Ok(Answer::Addresses(records.filter_map(|record| record.data.ip_addr()).collect()))
        }
        ResponseCode::NXDomain => Ok(Answer::Addresses(Vec::new())),
        _ => Ok(Answer::Refused),
    }
}

fn over_udp(
    server: SocketAddr,
    question: &Message,
    bytes: &[u8],
    limit: &Limit,
) -> io::Result<Message> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    socket.send(bytes)?;
    let mut buffer = [0; 4096];
    loop {
        socket.set_read_timeout(Some(left(limit)?.min(STOP_INTERVAL)))?;
        match socket.recv(&mut buffer) {
            // Anything else may be a late answer or somebody's forgery.
            Ok(length) => {
                if let Some(answer) = parse(&buffer[..length], question) {
                    return Ok(answer);
                }
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {}
                _ => return Err(error),
            },
        }
    }
}

fn over_tcp(
    server: SocketAddr,
    question: &Message,
    bytes: &[u8],
    limit: &Limit,
) -> io::Result<Message> {
    let mut stream = TcpStream::connect_timeout(&server, left(limit)?)?;
    stream.set_write_timeout(Some(left(limit)?))?;
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], bytes].concat())?;
    stream.set_read_timeout(Some(left(limit)?))?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut answer)?;
    parse(&answer, question).ok_or_else(|| io::Error::other("the answer is not to the question"))
}

fn parse(bytes: &[u8], question: &Message) -> Option<Message> {
    let answer = Message::from_vec(bytes).ok()?;
    let fits = answer.metadata.id == question.metadata.id
        && answer.metadata.message_type == MessageType::Response
        && answer.queries == question.queries;
    fits.then_some(answer)
}

fn left(limit: &Limit) -> io::Result<Duration> {
    limit.check().map_err(io::Error::other)?;
    // Without a last microsecond the system would wait for ever.
    Ok(limit.left().map_or(PATIENCE, |left| left.max(Duration::from_micros(1))))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use hickory_proto::rr::rdata::A;
    use hickory_proto::rr::{RData, Record};

    use super::*;
    use crate::clock::Deadline;

    /// How the server of a test replies to one question.
    pub(crate) enum Reply {
        Address(&'static str),
        /// A mark over UDP that the answer is too long, the address over TCP.
        Truncated(&'static str),
        NoName,
        Nothing,
        Failure,
    }

    /// Starts a name server on a free port that replies so, one by one.
    pub(crate) fn server(replies: Vec<Reply>) -> SocketAddr {
        // Somebody else may have the port that is free for one of them.
        let (tcp, udp) = (0..100)
            .find_map(|_| {
                let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
                let udp = UdpSocket::bind(tcp.local_addr().ok()?).ok()?;
                Some((tcp, udp))
            })
            .unwrap();
        let address = tcp.local_addr().unwrap();
        std::thread::spawn(move || {
            for reply in replies {
                let mut buffer = [0; 512];
                let (length, from) = udp.recv_from(&mut buffer).unwrap();
                udp.send_to(b"noise", from).unwrap();
                let mut answer = answer(&buffer[..length], &reply);
                udp.send_to(&answer.to_vec().unwrap(), from).unwrap();
                if let Reply::Truncated(address) = reply {
                    answer.metadata.truncation = false;
                    let (mut stream, _) = tcp.accept().unwrap();
                    let mut length = [0; 2];
                    stream.read_exact(&mut length).unwrap();
                    let mut question = vec![0; u16::from_be_bytes(length).into()];
                    stream.read_exact(&mut question).unwrap();
                    let bytes = self::answer(&question, &Reply::Address(address)).to_vec().unwrap();
                    stream.write_all(&(bytes.len() as u16).to_be_bytes()).unwrap();
                    stream.write_all(&bytes).unwrap();
                }
            }
        });
        address
    }

    fn answer(question: &[u8], reply: &Reply) -> Message {
        let question = Message::from_vec(question).unwrap();
        let mut answer = question.clone();
        answer.metadata.message_type = MessageType::Response;
        match reply {
            Reply::Address(address) => {
                let name = question.queries[0].name.clone();
                let data = RData::A(A(address.parse().unwrap()));
                answer.add_answer(Record::from_rdata(name, 60, data));
            }
            Reply::Truncated(_) => answer.metadata.truncation = true,
            Reply::NoName => answer.metadata.response_code = ResponseCode::NXDomain,
            Reply::Nothing => {}
            Reply::Failure => answer.metadata.response_code = ResponseCode::ServFail,
        }
        answer
    }

    #[test]
    fn silence_ends_with_the_limit() {
        let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let name = Name::from_ascii("mirror.example.").unwrap();
        let check = |left: Option<Duration>, is_stopped, expected: &str| {
            let stop = Arc::new(AtomicBool::new(is_stopped));
            let limit = Limit::new(Deadline::after(left), &stop);
            let answer = exchange(silent.local_addr().unwrap(), &name, RecordType::A, &limit);
            assert_eq!(answer.unwrap_err().to_string(), expected);
        };
        check(Some(Duration::from_millis(20)), false, "its time is up");
        check(None, true, "it was cancelled");
    }
}
