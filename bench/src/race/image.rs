//! The image that every tool of the race makes: Debian 12 with a kernel, SSH and nginx, and two
//! files that harden it. How a tool is told so is in `tool`.

/// Debian's name for the release.
pub(super) const SUITE: &str = "bookworm";

/// The packages of a system that boots, beyond the essential ones and apt.
pub(super) const SYSTEM: [&str; 6] = [
    "linux-image-cloud-amd64",
    "initramfs-tools",
    "systemd-sysv",
    "udev",
    "iproute2",
    "ca-certificates",
];

/// The packages that make a web server of it.
pub(super) const SERVER: [&str; 2] = ["openssh-server", "nginx-light"];

/// One state of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    /// Where packages come from; where every tool takes them from by itself if it is not said.
    pub(super) mirror: Option<String>,
    /// How often the script has changed.
    pub(super) change: u32,
}

impl Image {
    /// Returns the commands that add the packages of the web server.
    pub(super) fn install() -> String {
        let packages = SERVER.join(" ");
        format!(
            "export DEBIAN_FRONTEND=noninteractive\n\
             apt-get update -q\n\
             apt-get install -q -y --no-install-recommends {packages}\n"
        )
    }

    /// Returns the script that hardens: what differs from one state to the next.
    pub(super) fn script(&self) -> String {
        format!(
            "#!/bin/sh\n\
             set -eu\n\
             # change {}\n\
             printf 'PermitRootLogin no\\nPasswordAuthentication no\\n' \
             >/etc/ssh/sshd_config.d/10-hardening.conf\n\
             printf 'kernel.kptr_restrict=2\\nnet.ipv4.conf.all.rp_filter=1\\n' \
             >/etc/sysctl.d/60-hardening.conf\n",
            self.change
        )
    }
}
