//! A network for a cell: what the host reaches, without the host's loopback.
//!
//! passt's `pasta` carries the packets in user space (passt(1)); as root and as
//! an ordinary user alike it needs no bridge, no firewall rule and no name.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::mount::mount_bind;
use rustix::thread::{self, UnshareFlags};

use crate::job::Network;
use crate::resolver;

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Where a cell finds its network namespace.
pub(crate) const PATH: &str = "/tmp/net";

/// A network could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetworkError {
    #[error("failed to make a network namespace")]
    Namespace(#[source] io::Error),
    #[error("failed to run pasta; install it with: apt-get install passt")]
    Start(#[source] io::Error),
    #[error("failed to tell the instance its name server")]
    Resolver(#[source] io::Error),
    #[error("pasta cannot connect the instance to the network: {0}")]
    Refused(String),
}

/// Makes the network and binds its namespace at [`PATH`].
pub(crate) fn create(network: &Network) -> Result<(), NetworkError> {
    let forwards = match network {
        Network::Host => return Ok(()),
        Network::None => None,
        Network::Own { forwards } => Some(forwards),
    };
    // A thread of its own, so that this process stays in the host's network.
    std::thread::spawn(bind_new_namespace)
        .join()
        .expect("making a namespace does not panic")
        .map_err(NetworkError::Namespace)?;
    let Some(forwards) = forwards else { return Ok(()) };
    if !has_default_route() {
        // The instance then has no network either, as the host has none.
        return Ok(());
    }
    let resolv_conf = fs::read_to_string(RESOLV_CONF).ok();
    let resolv_conf = resolv_conf.as_deref().and_then(resolver::forwarded);
    #[expect(clippy::disallowed_methods, reason = "cell is the crate that starts processes")]
    let mut pasta = Command::new("pasta");
    // It goes to the background once the network stands, and ends with the cell.
    let output = pasta
        .args(arguments(forwards, resolv_conf.is_some()))
        .stdin(Stdio::null())
        .output()
        .map_err(NetworkError::Start)?;
    if !output.status.success() {
        return Err(NetworkError::Refused(complaint(&output.stderr)));
    }
    // After pasta, which asks the host's.
    match resolv_conf {
        Some(text) => replace_resolv_conf(&text).map_err(NetworkError::Resolver),
        None => Ok(()),
    }
}

fn replace_resolv_conf(text: &str) -> io::Result<()> {
    let own = "/tmp/resolv.conf";
    fs::write(own, text)?;
    Ok(mount_bind(own, RESOLV_CONF)?)
}

fn arguments(forwards: &[u16], forwards_names: bool) -> Vec<String> {
    let ports = forwards.iter().map(|port| format!("127.0.0.1/{port}")).collect::<Vec<_>>();
    let inward = if ports.is_empty() { "none".to_owned() } else { ports.join(",") };
    let names = if forwards_names { &["--dns-forward", resolver::FORWARD][..] } else { &[] };
    let fixed = [
        "--quiet",
        "--config-net",
        // Without this the gateway's address leads to the host's loopback.
        "--no-map-gw",
        "--tcp-ports",
        &inward,
        "--udp-ports",
        "none",
        "--tcp-ns",
        "none",
        "--udp-ns",
        "none",
        "--runas",
        "0",
        "--netns-only",
        "--netns",
        PATH,
    ];
    fixed.iter().chain(names).map(|&word| word.to_owned()).collect()
}

fn bind_new_namespace() -> io::Result<()> {
    // SAFETY: NEWNET concerns only the calling thread, which shares no
    // network state with others.
    #[expect(unsafe_code, reason = "a network namespace is entered by a thread")]
    unsafe {
        thread::unshare_unsafe(UnshareFlags::NEWNET)?;
    }
    fs::write(PATH, "")?;
    mount_bind("/proc/thread-self/ns/net", PATH)?;
    // A sandbox's root is not this namespace's, and could not listen on port
    // 80; nothing else listens here that it could take a port from.
    fs::write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0")?;
    bring_loopback_up()
}

fn bring_loopback_up() -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "cell is the crate that starts processes")]
    let status = Command::new("ip").args(["link", "set", "lo", "up"]).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("`ip link set lo up` failed")) }
}

/// Says whether this machine has a default route. Without one, instances have
/// no network, and no port leads into them.
pub fn has_default_route() -> bool {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    is_routed(&read("/proc/net/route"), &read("/proc/net/ipv6_route"))
}

/// Looks for a default route in `/proc/net/route` and `/proc/net/ipv6_route`.
fn is_routed(v4: &str, v6: &str) -> bool {
    let v4 = v4.lines().skip(1).any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields.get(1) == Some(&"00000000") && fields.get(7) == Some(&"00000000")
    });
    let zero = "0".repeat(32);
    v4 || v6.lines().any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (target, length, device) = (fields.first(), fields.get(1), fields.last());
        target == Some(&zero.as_str()) && length == Some(&"00") && device != Some(&"lo")
    })
}

/// Returns pasta's own words without its trouble with a missing syslog.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines = text.lines().filter(|line| !line.ends_with("bytes to syslog"));
    lines.collect::<Vec<_>>().join("; ")
}

/// Enters the network at [`PATH`]; only for the calling thread.
pub(crate) fn enter() -> io::Result<()> {
    let namespace = fs::File::open(Path::new(PATH))?;
    thread::move_into_link_name_space(
        std::os::fd::AsFd::as_fd(&namespace),
        Some(thread::LinkNameSpaceType::Network),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasta_never_opens_the_hosts_loopback() {
        assert_eq!(
            arguments(&[], false).join(" "),
            "--quiet --config-net --no-map-gw --tcp-ports none --udp-ports none --tcp-ns none \
             --udp-ns none --runas 0 --netns-only --netns /tmp/net"
        );
        assert!(arguments(&[], true).join(" ").ends_with("/tmp/net --dns-forward 169.254.1.1"));
        assert!(
            arguments(&[8080, 2222], false).contains(&"127.0.0.1/8080,127.0.0.1/2222".to_owned())
        );
    }

    #[test]
    fn syslog_noise_is_left_out() {
        let stderr = b"Failed to send 53 bytes to syslog\nCouldn't open tun\n";
        assert_eq!(complaint(stderr), "Couldn't open tun");
    }

    #[test]
    fn default_routes_are_found() {
        let head = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n";
        let local = "eth0 0002000A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n";
        let default = "eth0 00000000 0102000A 0003 0 0 0 00000000 0 0 0\n";
        let v6 = |device: &str| {
            let zero = "0".repeat(32);
            format!("{zero} 00 {zero} 00 {zero} 00000400 00000001 00000000 00000003 {device}\n")
        };
        assert!(is_routed(&format!("{head}{local}{default}"), ""));
        assert!(!is_routed(&format!("{head}{local}"), &v6("lo")));
        assert!(is_routed(head, &v6("eth0")));
    }
}
