//! What a Debian base consists of and how mmdebstrap(1) is asked for it.

use model::Mirror;

use crate::managed::{Managed, Variant};

/// Boots under UEFI by itself: kernel, init, boot loader with its signatures.
const BOOT: [&str; 10] = [
    "linux-image-cloud-amd64",
    "initramfs-tools",
    "zstd",
    "systemd-sysv",
    "dbus",
    "udev",
    "kmod",
    "grub-efi-amd64-signed",
    "shim-signed",
    "e2fsprogs",
];

/// Finds its network, its name and its disk's size.
const CLOUD: [&str; 7] = [
    "cloud-init",
    "cloud-guest-utils",
    "fdisk",
    "iproute2",
    "systemd-resolved",
    "systemd-timesyncd",
    "ca-certificates",
];

/// What an administrator reaches for.
const SERVER: [&str; 10] = [
    "openssh-server",
    "sudo",
    "procps",
    "less",
    "nano",
    "iputils-ping",
    "logrotate",
    "cron",
    "curl",
    "bash-completion",
];

impl Managed {
    /// Returns the packages beyond the essential ones and apt.
    pub(crate) fn packages(&self) -> Vec<&'static str> {
        let mut packages = [&BOOT[..], &CLOUD[..]].concat();
        match self.variant {
            Variant::Minimal => {}
            Variant::Server => packages.extend(SERVER),
        }
        packages
    }

    /// Returns the arguments that make mmdebstrap write the base as a tar
    /// archive to standard output.
    ///
    /// Without a mirror mmdebstrap takes its own default, and adds updates and
    /// security fixes; to one that is given it adds nothing. apt verifies every
    /// signature.
    pub(crate) fn arguments(&self, mirror: Option<&Mirror>) -> Vec<String> {
        let mut arguments = vec![
            "mmdebstrap".to_owned(),
            "--mode=root".to_owned(),
            "--variant=apt".to_owned(),
            "--architectures=amd64".to_owned(),
            // The kernel makes device nodes when it boots; a cell could not.
            "--skip=output/dev".to_owned(),
            "--aptopt=Acquire::Retries \"3\"".to_owned(),
            format!("--include={}", self.packages().join(",")),
        ];
        arguments.push(format!("--essential-hook={FSTAB}"));
        arguments.extend(CONFIGURATION.iter().map(|hook| format!("--customize-hook={hook}")));
        let suite = self.release.suite();
        arguments.extend([suite.to_owned(), "-".to_owned()]);
        if let Some(Mirror { archive, security }) = mirror {
            arguments.push(format!("deb {archive} {suite} main"));
            arguments.push(format!("deb {archive} {suite}-updates main"));
            let line = |address| format!("deb {address} {suite}-security main");
            arguments.extend(security.as_ref().map(line));
        }
        arguments
    }
}

/// Written before the kernel is installed: the initramfs takes the checker of
/// the root file system along only if it finds one here.
const FSTAB: &str = r#"printf 'LABEL=root / ext4 errors=remount-ro,discard 0 1\nLABEL=ESP /boot/efi vfat umask=0077,nofail 0 1\n' >"$1/etc/fstab""#;

/// Shell lines that mmdebstrap runs with the tree's root as `$1`.
const CONFIGURATION: [&str; 9] = [
    r#"systemctl --quiet --root="$1" enable systemd-networkd systemd-resolved"#,
    // Any wired interface asks for an address, also where no cloud answers.
    r#"printf '[Match]\nType=ether\n\n[Network]\nDHCP=yes\n' >"$1/etc/systemd/network/99-dhcp.network""#,
    r#"mkdir -p "$1/boot/efi""#,
    // The kernel's command line, for `update-grub` inside the machine.
    r#"mkdir -p "$1/etc/default/grub.d" && printf 'GRUB_TIMEOUT=0\nGRUB_TIMEOUT_STYLE=hidden\nGRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200"\nGRUB_TERMINAL="console serial"\n' >"$1/etc/default/grub.d/10-goldsmith.cfg""#,
    // Without a locale of its own cloud-init wants to make one, with a program
    // that is not there.
    r#"printf 'locale: C.UTF-8\n' >"$1/etc/cloud/cloud.cfg.d/10_locale.cfg""#,
    r#"ln -sf ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf""#,
    // Every machine draws its own; with these no two bases would be the same.
    r#"rm -f "$1"/etc/ssh/ssh_host_*"#,
    // It looks for snapshots of logical volumes, of which there are none.
    r#"systemctl --quiet --root="$1" disable e2scrub_reap.service"#,
    PYTHON,
];

/// Compiles what packages have compiled once more. Where `SOURCE_DATE_EPOCH`
/// is set, Python makes code that is checked by reading and digesting its
/// source at each start of a program; four of them start while a machine
/// boots. This code is checked by its source's time, which therefore must not
/// change any more: images move times that are later than the epoch to it.
const PYTHON: &str = r#"chroot "$1" sh -ec '
find /etc /usr -type f -name "*.py" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
find /usr -path "*/__pycache__/*.pyc" | sed -E "s,__pycache__/([^/]*)\.cpython-[0-9]+\.pyc$,\1.py," | LC_ALL=C sort |
env -u SOURCE_DATE_EPOCH PYTHONHASHSEED=0 python3 -m compileall -q -f -i - --invalidation-mode timestamp'"#;

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn mirror(security: Option<&str>) -> Mirror {
        let archive = "https://mirror.example/debian".to_owned();
        Mirror { archive, security: security.map(str::to_owned) }
    }

    #[test]
    fn mmdebstrap_is_asked_for_exactly_this() {
        let minimal = Managed::find("debian-minimal-12").expect("is managed");
        expect![[r#"
            mmdebstrap
            --mode=root
            --variant=apt
            --architectures=amd64
            --skip=output/dev
            --aptopt=Acquire::Retries "3"
            --include=linux-image-cloud-amd64,initramfs-tools,zstd,systemd-sysv,dbus,udev,kmod,grub-efi-amd64-signed,shim-signed,e2fsprogs,cloud-init,cloud-guest-utils,fdisk,iproute2,systemd-resolved,systemd-timesyncd,ca-certificates
            --essential-hook=printf 'LABEL=root / ext4 errors=remount-ro,discard 0 1\nLABEL=ESP /boot/efi vfat umask=0077,nofail 0 1\n' >"$1/etc/fstab"
            --customize-hook=systemctl --quiet --root="$1" enable systemd-networkd systemd-resolved
            --customize-hook=printf '[Match]\nType=ether\n\n[Network]\nDHCP=yes\n' >"$1/etc/systemd/network/99-dhcp.network"
            --customize-hook=mkdir -p "$1/boot/efi"
            --customize-hook=mkdir -p "$1/etc/default/grub.d" && printf 'GRUB_TIMEOUT=0\nGRUB_TIMEOUT_STYLE=hidden\nGRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200"\nGRUB_TERMINAL="console serial"\n' >"$1/etc/default/grub.d/10-goldsmith.cfg"
            --customize-hook=printf 'locale: C.UTF-8\n' >"$1/etc/cloud/cloud.cfg.d/10_locale.cfg"
            --customize-hook=ln -sf ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"
            --customize-hook=rm -f "$1"/etc/ssh/ssh_host_*
            --customize-hook=systemctl --quiet --root="$1" disable e2scrub_reap.service
            --customize-hook=chroot "$1" sh -ec '
            find /etc /usr -type f -name "*.py" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
            find /usr -path "*/__pycache__/*.pyc" | sed -E "s,__pycache__/([^/]*)\.cpython-[0-9]+\.pyc$,\1.py," | LC_ALL=C sort |
            env -u SOURCE_DATE_EPOCH PYTHONHASHSEED=0 python3 -m compileall -q -f -i - --invalidation-mode timestamp'
            bookworm
            -
        "#]]
        .assert_eq(&(minimal.arguments(None).join("\n") + "\n"));
    }

    #[test]
    fn a_mirror_has_updates_and_security_fixes_only_where_it_says() {
        let server = Managed::find("debian-server-13-x86").expect("is managed");
        let check = |mirror: Option<Mirror>, expected: &[&str]| {
            let arguments = server.arguments(mirror.as_ref());
            let suite = arguments.iter().position(|argument| argument == "trixie").unwrap();
            assert_eq!(arguments[suite + 1..], *expected);
        };
        let release = "deb https://mirror.example/debian trixie main";
        let updates = "deb https://mirror.example/debian trixie-updates main";
        let security = "deb https://mirror.example/security trixie-security main";
        check(None, &["-"]);
        check(Some(mirror(None)), &["-", release, updates]);
        let whole = mirror(Some("https://mirror.example/security"));
        check(Some(whole), &["-", release, updates, security]);
    }
}
