//! How names are resolved in a cell's own network when the host's resolver
//! listens on the host's loopback, which is not in there.

use std::net::IpAddr;

/// The address at which a cell finds such a resolver. Link-local, so that it is
/// nobody's on the way (as podman has it).
pub(crate) const FORWARD: &str = "169.254.1.1";

/// Returns the cell's resolv.conf(5) if the host's, `text`, names no resolver
/// but such as are on the host's loopback.
pub(crate) fn forwarded(text: &str) -> Option<String> {
    let server = |line: &str| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next().unwrap_or_default().to_owned())
    };
    let is_near = |address: String| address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    let servers: Vec<String> = text.lines().filter_map(server).collect();
    if servers.is_empty() || !servers.into_iter().all(is_near) {
        return None;
    }
    let others = text.lines().filter(|line| server(line).is_none());
    let lines = std::iter::once(format!("nameserver {FORWARD}")).chain(others.map(str::to_owned));
    Some(lines.map(|line| line + "\n").collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(forwarded(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn resolvers_on_the_loopback_are_forwarded_to() {
        check(
            "# by systemd\nnameserver 127.0.0.53\noptions edns0\nsearch lan\n",
            Some("nameserver 169.254.1.1\n# by systemd\noptions edns0\nsearch lan\n"),
        );
        check("nameserver 127.0.0.11\nnameserver ::1\n", Some("nameserver 169.254.1.1\n"));
    }

    #[test]
    fn others_are_asked_as_the_host_asks_them() {
        check("nameserver 192.0.2.1\n", None);
        check("nameserver 127.0.0.1\nnameserver 192.0.2.1\n", None);
        check("# nameserver 127.0.0.1\nsearch lan\n", None);
        check("", None);
    }
}
