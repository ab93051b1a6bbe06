//! Name lookup without the C library: `/etc/hosts`, then the name servers of
//! `/etc/resolv.conf`.
//!
//! A static binary that asked the C library would load the machine's name
//! service modules, which may not fit it. Those (mDNS, LDAP, …) are not asked.

mod config;
mod exchange;
mod hosts;

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::{Name, RecordType};

use crate::limit::{Limit, LimitError};

pub(crate) use config::Config;
use exchange::{Answer, exchange};

/// A name has no address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    #[error("`{0}` is not a host name")]
    BadName(String),
    #[error("no name server knows `{0}`")]
    Unknown(String),
    #[error("no name server answered for `{name}`; the last one was {server}")]
    NoAnswer { name: String, server: std::net::SocketAddr, source: io::Error },
    #[error("the name servers failed to look up `{0}`")]
    Failed(String),
    #[error("`{0}` was not looked up")]
    Ended(String, #[source] LimitError),
}

/// What names are looked up in.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    hosts: String,
    config: Config,
    /// Whether the machine has an address that reaches the IPv6 internet.
    speaks_ipv6: bool,
}

impl Names {
    /// Reads this machine's files; one that is absent counts as empty.
    pub(crate) fn of_this_machine() -> Self {
        let read = |path| fs::read(path).unwrap_or_default();
        let text = |path| String::from_utf8_lossy(&read(path)).into_owned();
        Self {
            hosts: text("/etc/hosts"),
            config: Config::parse(&text("/etc/resolv.conf")),
            speaks_ipv6: has_global_address(&text("/proc/net/if_inet6")),
        }
    }

    #[cfg(test)]
    fn new(hosts: &str, config: Config) -> Self {
        Self { hosts: hosts.to_owned(), config, speaks_ipv6: false }
    }

    /// Returns the addresses of `host`, IPv4 first; never an empty list.
    pub(crate) fn look_up(&self, host: &str, limit: &Limit) -> Result<Vec<IpAddr>, LookupError> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(literal) = bare.parse() {
            return Ok(vec![literal]);
        }
        let listed = hosts::find(&self.hosts, host);
        if !listed.is_empty() {
            return Ok(listed);
        }
        let lower = host.trim_end_matches('.').to_ascii_lowercase();
        if lower == "localhost" || lower.ends_with(".localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let mut failed = LookupError::Unknown(host.to_owned());
        for candidate in self.config.candidates(host) {
            match self.find(&candidate, host, limit) {
                Ok(found) if found.is_empty() => {}
                Err(error @ LookupError::Ended(..)) => return Err(error),
                // Another name may be known to servers that fail for this one.
                Err(error) => failed = error,
                found => return found,
            }
        }
        Err(failed)
    }

    /// Returns the addresses of `candidate`, one of the names that `host` stands for.
    fn find(&self, candidate: &str, host: &str, limit: &Limit) -> Result<Vec<IpAddr>, LookupError> {
        let name = Name::from_ascii(candidate)
            .map_err(|_invalid| LookupError::BadName(host.to_owned()))?;
        let mut found = self.ask(&name, RecordType::A, host, limit)?;
        if found.is_empty() {
            found = self.ask(&name, RecordType::AAAA, host, limit)?;
        } else if self.speaks_ipv6 {
            // The addresses at hand are good; more are only welcome.
            let more = self.ask(&name, RecordType::AAAA, host, limit);
            found.extend(more.unwrap_or_default());
        }
        Ok(found)
    }

    /// Asks each server in turn, several times; an empty list means that the
    /// name has no such address.
    fn ask(
        &self,
        name: &Name,
        kind: RecordType,
        host: &str,
        limit: &Limit,
    ) -> Result<Vec<IpAddr>, LookupError> {
        let mut worst = LookupError::Failed(host.to_owned());
        for _ in 0..self.config.attempts {
            for &server in &self.config.servers {
                limit.check().map_err(|source| LookupError::Ended(host.to_owned(), source))?;
                let wait = limit.within(self.config.timeout);
                match exchange(server, name, kind, &wait) {
                    Ok(Answer::Addresses(found)) => return Ok(found),
                    Ok(Answer::Refused) => {}
                    Err(source) => {
                        let name = host.to_owned();
                        worst = LookupError::NoAnswer { name, server, source };
                    }
                }
            }
        }
        Err(worst)
    }
}

/// Reads `/proc/net/if_inet6`, whose fourth column is the scope: 00 is global.
fn has_global_address(interfaces: &str) -> bool {
    interfaces.lines().any(|line| line.split_ascii_whitespace().nth(3) == Some("00"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::exchange::tests::{Reply, server};
    use super::*;
    use crate::clock::Deadline;

    #[track_caller]
    fn check(hosts: &str, config: Config, host: &str, expected: Result<&[&str], &str>) {
        let found = Names::new(hosts, config)
            .look_up(host, &Limit::new(Deadline::after(None), &Arc::default()));
        let found = found.map(|found| found.iter().map(IpAddr::to_string).collect::<Vec<_>>());
        let found = found.map_err(|error| error.to_string());
        let expected = expected.map(|list| list.iter().map(|&ip| ip.to_owned()).collect());
        assert_eq!(found, expected.map_err(str::to_owned), "{host}");
    }

    fn nobody() -> Config {
        Config { servers: Vec::new(), ..Config::parse("") }
    }

    #[test]
    fn some_names_need_no_server() {
        check("", nobody(), "192.0.2.1", Ok(&["192.0.2.1"]));
        check("", nobody(), "[2001:db8::1]", Ok(&["2001:db8::1"]));
        check("", nobody(), "localhost", Ok(&["127.0.0.1", "::1"]));
        check("192.0.2.7 box", nobody(), "box", Ok(&["192.0.2.7"]));
        check("", nobody(), "box", Err("the name servers failed to look up `box`"));
        check("", nobody(), "a..b", Err("`a..b` is not a host name"));
    }

    #[test]
    fn servers_are_asked_in_turn() {
        let broken = server(vec![Reply::Failure]);
        let good = server(vec![Reply::Address("192.0.2.9")]);
        let config = Config { servers: vec![broken, good], ..Config::parse("") };
        check("", config, "mirror.example", Ok(&["192.0.2.9"]));
    }

    #[test]
    fn the_search_list_completes_short_names() {
        let server = server(vec![Reply::NoName, Reply::NoName, Reply::Address("192.0.2.3")]);
        let config = Config { servers: vec![server], ..Config::parse("search one two") };
        check("", config, "box", Ok(&["192.0.2.3"]));
    }

    #[test]
    fn a_domain_whose_servers_fail_does_not_end_the_search() {
        let address = Reply::Address("192.0.2.3");
        let failing = server(vec![Reply::Failure, Reply::Failure, address]);
        let config = Config { servers: vec![failing], ..Config::parse("search one ..") };
        check("", config, "box", Ok(&["192.0.2.3"]));
        let unknown = [Reply::NoName, Reply::NoName];
        let failing = server([Reply::Failure, Reply::Failure].into_iter().chain(unknown).collect());
        let config = Config { servers: vec![failing], ..Config::parse("search one") };
        check("", config, "box", Err("the name servers failed to look up `box`"));
    }

    #[test]
    fn names_without_an_address_are_unknown() {
        let server = server(vec![Reply::Nothing, Reply::Nothing]);
        let config = Config { servers: vec![server], ..Config::parse("") };
        check("", config, "mirror.example", Err("no name server knows `mirror.example`"));
    }

    #[test]
    fn only_global_addresses_reach_the_internet() {
        let lo = "00000000000000000000000000000001 01 80 10 80       lo\n";
        let link = "fe80000000000000e00d59fffe000001 02 40 20 80     eth0\n";
        let global = "20010db8000000000000000000000001 02 40 00 80     eth0\n";
        assert!(!has_global_address(&format!("{lo}{link}")));
        assert!(has_global_address(&format!("{lo}{global}")));
    }

    #[test]
    fn truncated_answers_are_asked_for_again_over_tcp() {
        let server = server(vec![Reply::Truncated("192.0.2.4")]);
        let config = Config { servers: vec![server], ..Config::parse("") };
        check("", config, "mirror.example", Ok(&["192.0.2.4"]));
    }
}
