//! `/etc/hosts`.

use std::net::IpAddr;

/// Returns the addresses that `hosts` lists for `name`, IPv4 first.
pub(crate) fn find(hosts: &str, name: &str) -> Vec<IpAddr> {
    let name = name.trim_end_matches('.');
    let mut found = Vec::new();
    for line in hosts.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut fields = line.split_ascii_whitespace();
        let Some(Ok(address)) = fields.next().map(str::parse::<IpAddr>) else { continue };
        if fields.any(|field| field.eq_ignore_ascii_case(name)) && !found.contains(&address) {
            found.push(address);
        }
    }
    found.sort_by_key(IpAddr::is_ipv6);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_with_the_name_counts() {
        let hosts = "# comment\n::1 localhost box\n127.0.0.1\tlocalhost # box2\n\
            192.0.2.1 Box.Example box\nnonsense box\n";
        let check = |name, expected: &[&str]| {
            let found: Vec<_> = find(hosts, name).iter().map(IpAddr::to_string).collect();
            assert_eq!(found, expected, "{name}");
        };
        check("localhost", &["127.0.0.1", "::1"]);
        check("BOX", &["192.0.2.1", "::1"]);
        check("box.example.", &["192.0.2.1"]);
        check("box2", &[]);
        check("192.0.2.1", &[]);
    }
}
