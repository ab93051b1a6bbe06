//! `/etc/resolv.conf`, as resolv.conf(5) describes it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Whom to ask, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) servers: Vec<SocketAddr>,
    pub(crate) search: Vec<String>,
    /// With fewer dots than this, the search list comes first.
    pub(crate) dots: usize,
    /// How long to wait for one answer.
    pub(crate) timeout: Duration,
    /// How often all servers are asked.
    pub(crate) attempts: u32,
}

impl Config {
    /// Reads `text`; what is not understood is passed over, as the C library does.
    pub(crate) fn parse(text: &str) -> Self {
        let mut config = Self {
            servers: Vec::new(),
            search: Vec::new(),
            dots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
        };
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => config.add_server(words.next()),
                Some("search" | "domain") => {
                    config.search = words.take(6).map(str::to_owned).collect();
                }
                Some("options") => words.for_each(|word| config.set(word)),
                Some(_) | None => {}
            }
        }
        if config.servers.is_empty() {
            config.servers.push((Ipv4Addr::LOCALHOST, 53).into());
        }
        config
    }

    fn add_server(&mut self, word: Option<&str>) {
        if let Some(Ok(address)) = word.map(str::parse::<IpAddr>)
            && self.servers.len() < 3
        {
            self.servers.push((address, 53).into());
        }
    }

    fn set(&mut self, option: &str) {
        let Some((name, value)) = option.split_once(':') else { return };
        let Ok(value) = value.parse::<u32>() else { return };
        match name {
            "ndots" => self.dots = value.min(15) as usize,
            "timeout" => self.timeout = Duration::from_secs(value.clamp(1, 30).into()),
            "attempts" => self.attempts = value.clamp(1, 5),
            _ => {}
        }
    }

    /// Returns the full names to try for `host`, in order, each with its last dot.
    pub(crate) fn candidates(&self, host: &str) -> Vec<String> {
        if host.ends_with('.') {
            return vec![host.to_owned()];
        }
        // The root, as in `search .`, adds nothing to the name by itself.
        let suffixes = self.search.iter().map(|suffix| suffix.trim_end_matches('.'));
        let suffixes = suffixes.filter(|suffix| !suffix.is_empty());
        let mut names: Vec<_> = suffixes.map(|suffix| format!("{host}.{suffix}.")).collect();
        let first = if host.matches('.').count() >= self.dots { 0 } else { names.len() };
        names.insert(first, format!("{host}."));
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_as_the_manual_says() {
        let config = Config::parse(
            "# a comment\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver ::1\n\
             domain gone\nsearch corp.example. lab.example\n\
             options ndots:2 timeout:99 attempts:0 rotate edns0\n",
        );
        assert_eq!(config.servers, ["192.0.2.1:53", "[::1]:53"].map(|ip| ip.parse().unwrap()));
        assert_eq!(config.timeout, Duration::from_secs(30));
        assert_eq!(config.attempts, 1);
        let check = |host, expected: &[&str]| assert_eq!(config.candidates(host), expected);
        check("box", &["box.corp.example.", "box.lab.example.", "box."]);
        check("a.b.c", &["a.b.c.", "a.b.c.corp.example.", "a.b.c.lab.example."]);
        check("a.b.", &["a.b."]);
        assert_eq!(Config::parse("search . one").candidates("box"), ["box.one.", "box."]);
        assert_eq!(Config::parse("").servers, ["127.0.0.1:53".parse().unwrap()]);
    }
}
