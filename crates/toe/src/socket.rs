//! TCP connections for HTTP that end with their limit, whatever they wait for.
//!
//! The client's own ones wait in the kernel for as long as their timeouts say.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Error, Timeout};

use crate::clock::Deadline;
use crate::limit::{Limit, STOP_INTERVAL};

/// Opens connections that end with a limit.
#[derive(Debug)]
pub(crate) struct Dial(pub(crate) Limit);

impl<In: Transport> Connector<In> for Dial {
    type Out = Either<In, Socket>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        // One to a proxy is open already.
        if let Some(chained) = chained {
            return Ok(Some(Either::A(chained)));
        }
        let ConnectionDetails { addrs, config, .. } = details;
        let whole = Wait::of(details.timeout, &self.0);
        let mut failed = Error::HostNotFound;
        for (address, left) in addrs.iter().zip((1..=addrs.len()).rev()) {
            match open(*address, &whole.share(left)) {
                Ok(stream) => {
                    let sizes = (config.input_buffer_size(), config.output_buffer_size());
                    let buffers = LazyBuffers::new(sizes.0, sizes.1);
                    let limit = self.0.clone();
                    return Ok(Some(Either::B(Socket { stream, buffers, limit })));
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }
}

fn open(address: SocketAddr, wait: &Wait<'_>) -> Result<TcpStream, Error> {
    wait.check()?;
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None).map_err(io::Error::from)?;
    let begun = connect(&socket, &address);
    let stream = TcpStream::from(socket);
    match begun {
        Ok(()) => {}
        Err(Errno::INPROGRESS) => {
            wait.until(&stream, PollFlags::OUT)?;
            if let Some(error) = stream.take_error()? {
                return Err(error.into());
            }
        }
        Err(error) => return Err(io::Error::from(error).into()),
    }
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A connection that ends with a limit.
pub(crate) struct Socket {
    /// Never blocks.
    stream: TcpStream,
    buffers: LazyBuffers,
    limit: Limit,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Socket").field(&self.stream).finish()
    }
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let wait = Wait::of(timeout.for_write(), &self.limit);
        // Even for nothing: a body may bring nothing for ever.
        wait.check()?;
        let mut rest = &self.buffers.output()[..amount];
        while !rest.is_empty() {
            wait.until(&self.stream, PollFlags::OUT)?;
            let written = (&self.stream).write(rest);
            rest = &rest[passing(written)?.unwrap_or(0)..];
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let wait = Wait::of(timeout.for_read(), &self.limit);
        loop {
            wait.until(&self.stream, PollFlags::IN)?;
            let read = (&self.stream).read(self.buffers.input_append_buf());
            if let Some(read) = passing(read)? {
                self.buffers.input_appended(read);
                return Ok(read > 0);
            }
        }
    }

    fn is_open(&mut self) -> bool {
        let ahead = self.stream.peek(&mut [0]);
        ahead.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// Returns `None` for what may be tried again at once.
fn passing(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Ok(amount) => Ok(Some(amount)),
        Err(error) => match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
            _ => Err(error),
        },
    }
}

/// How long to wait for a connection to be ready.
struct Wait<'a> {
    end: Deadline,
    /// What has run out then.
    reason: Timeout,
    limit: &'a Limit,
}

impl<'a> Wait<'a> {
    fn of(timeout: NextTimeout, limit: &'a Limit) -> Self {
        Self { end: Deadline::after(Some(*timeout.after)), reason: timeout.reason, limit }
    }

    /// Returns the part of one of `count` addresses: those that stay silent
    /// leave the others their time.
    fn share(&self, count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Self { end: Deadline::after(self.end.left().map(|left| left / count)), ..*self }
    }

    fn check(&self) -> Result<(), Error> {
        self.limit.check().map_err(io::Error::other)?;
        if self.end.has_passed() { Err(Error::Timeout(self.reason)) } else { Ok(()) }
    }

    /// Waits until `stream` is ready for what `flags` say.
    fn until(&self, stream: &TcpStream, flags: PollFlags) -> Result<(), Error> {
        loop {
            self.check()?;
            let mut fds = [PollFd::from_borrowed_fd(stream.as_fd(), flags)];
            let wait = self.end.within(STOP_INTERVAL);
            let wait = Timespec::try_from(wait).map_err(io::Error::other)?;
            match poll(&mut fds, Some(&wait)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use ureq::Agent;
    use ureq::config::Config;
    use ureq::http::Uri;
    use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};

    use super::*;
    use crate::cause::chain;
    use crate::http::{Trust, client};

    /// Fetches from a server that says `begin` and then no more, but sets `stop`.
    #[track_caller]
    fn check(begin: &'static str, limit: &Limit, stop: &Arc<AtomicBool>, expected: &str) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let stop = Arc::clone(stop);
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(begin.as_bytes()).unwrap();
            stop.store(true, Ordering::Release);
            // Until the client hangs up.
            let _read = io::copy(&mut stream, &mut io::sink());
        });
        let agent = client(Trust::Verified, limit);
        let error = match agent.get(&address).call() {
            Ok(mut response) => chain(&response.body_mut().read_to_string().unwrap_err()),
            Err(error) => chain(&error),
        };
        assert_eq!(error, expected);
    }

    #[test]
    fn silence_ends_with_the_limit() {
        let stop = Arc::new(AtomicBool::new(false));
        let limit = |left| Limit::new(Deadline::after(left), &stop);
        check("", &limit(Some(Duration::ZERO)), &stop, "io: its time is up");
        check("", &limit(None), &stop, "io: it was cancelled");
        stop.store(false, Ordering::Release);
        let begin = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel";
        check(begin, &limit(None), &stop, "io: it was cancelled");
    }

    #[test]
    fn a_body_that_brings_nothing_ends_with_the_limit() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let limit = Limit::new(Deadline::after(Some(Duration::ZERO)), &Arc::default());
        let mut socket = Socket { stream, buffers: LazyBuffers::new(1, 1), limit };
        let error = socket.transmit_output(0, NextTimeout::default()).unwrap_err();
        assert_eq!(chain(&error), "io: its time is up");
    }

    /// Knows the same addresses of every host.
    #[derive(Debug)]
    struct Always(Vec<SocketAddr>);

    impl Resolver for Always {
        fn resolve(
            &self,
            _: &Uri,
            _: &Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, Error> {
            let mut resolved = self.empty();
            self.0.iter().for_each(|address| resolved.push(*address));
            Ok(resolved)
        }
    }

    #[test]
    fn addresses_are_tried_in_turn() {
        let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let open = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
            stream.write_all(answer).unwrap();
            // Until the client hangs up.
            let _read = io::copy(&mut stream, &mut io::sink());
        });
        let limit = Limit::new(Deadline::after(None), &Arc::default());
        let get = |addresses: &[SocketAddr]| {
            let known = Always(addresses.to_vec());
            let agent = Agent::with_parts(Config::default(), Dial(limit.clone()), known);
            agent.get("http://mirror.example").call()
        };
        let refused = get(&[closed, closed]).unwrap_err();
        assert!(
            matches!(refused, Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused)
        );
        let mut answer = get(&[closed, open]).unwrap();
        assert_eq!(answer.body_mut().read_to_string().unwrap(), "hello");
    }
}
