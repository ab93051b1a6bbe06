//! The container that a sandbox is: an OCI runtime configuration.
//!
//! Least privilege: a user namespace of its own below the cell's, the
//! capabilities that package managers need and no others, no new privileges,
//! no device nodes but the harmless ones, an empty `/sys`.

use std::path::Path;

use cell::{Ids, Limits, Range};
use oci_spec::OciSpecError;
use oci_spec::runtime::{
    Capability, LinuxBuilder, LinuxCapabilitiesBuilder, LinuxIdMapping, LinuxIdMappingBuilder,
    LinuxNamespace, LinuxNamespaceBuilder, LinuxNamespaceType, Mount, MountBuilder,
    PosixRlimitBuilder, PosixRlimitType, ProcessBuilder, RootBuilder, Spec, SpecBuilder,
    UserBuilder,
};

use super::seccomp;

/// Where the cell keeps the sandbox's `/etc/hosts`.
pub(super) const HOSTS: &str = "/tmp/hosts";

/// Where the cell keeps the sandbox's `/run/systemd/container`.
pub(super) const CONTAINER: &str = "/tmp/container";

/// Where the sandbox finds the agent.
const AGENT: &str = "/run/goldsmith/agent";

/// Capabilities that dpkg, rpm and their maintainer scripts use. Each is held
/// over the sandbox's own user namespace only.
const CAPABILITIES: [Capability; 11] = [
    Capability::Chown,
    Capability::DacOverride,
    Capability::Fowner,
    Capability::Fsetid,
    Capability::Kill,
    Capability::NetBindService,
    Capability::Setfcap,
    Capability::Setgid,
    Capability::Setpcap,
    Capability::Setuid,
    Capability::SysChroot,
];

/// What differs from sandbox to sandbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The ids of the cell around it.
    pub(super) ids: &'a Ids,
    /// The host name.
    pub(super) hostname: &'a str,
    /// The agent's binary, relative to the data folder.
    pub(super) agent: &'a Path,
    /// How many files a process may open.
    pub(super) open_files: u64,
    /// What processes may use.
    pub(super) limits: Limits,
    /// `SOURCE_DATE_EPOCH`, which tools that stamp times honour.
    pub(super) source_epoch: i64,
    /// What runs in it.
    pub(super) program: Program,
}

/// What runs in a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// The agent, over its standard streams.
    Agent,
    /// A shell on a terminal of its own.
    Shell,
}

impl Program {
    fn argv(self) -> &'static [&'static str] {
        match self {
            Self::Agent => &[AGENT, "stdio"],
            // Where there is no bash there is some other shell.
            Self::Shell => &["/bin/sh", "-c", "exec $(command -v bash || echo sh) -i"],
        }
    }
}

/// Returns the container's `config.json` (OCI runtime specification 1.0).
pub(super) fn config(place: &Place<'_>) -> String {
    let spec = build(place).expect("every required member of the configuration is given");
    serde_json::to_string_pretty(&spec).expect("configurations hold only what JSON can")
}

fn build(place: &Place<'_>) -> Result<Spec, OciSpecError> {
    let capabilities: std::collections::HashSet<_> = CAPABILITIES.into_iter().collect();
    let capabilities = LinuxCapabilitiesBuilder::default()
        .bounding(capabilities.clone())
        .effective(capabilities.clone())
        .permitted(capabilities)
        .inheritable(std::collections::HashSet::new())
        .ambient(std::collections::HashSet::new())
        .build()?;
    let process = ProcessBuilder::default()
        .terminal(place.program == Program::Shell)
        .user(UserBuilder::default().uid(0u32).gid(0u32).build()?)
        .args(place.program.argv().iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
        .cwd("/")
        .env(vec![
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            "HOME=/root".to_owned(),
            "LANG=C.UTF-8".to_owned(),
            format!("SOURCE_DATE_EPOCH={}", place.source_epoch),
        ])
        .capabilities(capabilities)
        .rlimits(vec![
            limit(PosixRlimitType::RlimitNofile, place.open_files)?,
            limit(PosixRlimitType::RlimitNproc, u64::from(place.limits.processes))?,
            limit(PosixRlimitType::RlimitCore, 0)?,
        ])
        .no_new_privileges(true)
        .build()?;
    let linux = LinuxBuilder::default()
        .uid_mappings(same_ids(&place.ids.users)?)
        .gid_mappings(same_ids(&place.ids.groups)?)
        .namespaces(namespaces()?)
        .seccomp(seccomp::filter()?)
        .masked_paths(
            [
                "/proc/acpi",
                "/proc/asound",
                "/proc/kcore",
                "/proc/keys",
                "/proc/latency_stats",
                "/proc/sched_debug",
                "/proc/scsi",
                "/proc/timer_list",
                "/proc/timer_stats",
            ]
            .map(str::to_owned)
            .to_vec(),
        )
        .readonly_paths(
            ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
                .map(str::to_owned)
                .to_vec(),
        )
        .build()?;
    SpecBuilder::default()
        .version("1.0.2")
        .root(RootBuilder::default().path("rootfs").readonly(false).build()?)
        .hostname(place.hostname)
        .mounts(mounts(place)?)
        .process(process)
        .linux(linux)
        .build()
}

/// Maps every id of the cell to itself. The kernel wants a mapping to lie
/// within one of the outer namespace's, so there is one for each of those.
fn same_ids(ranges: &[Range]) -> Result<Vec<LinuxIdMapping>, OciSpecError> {
    let same = |range: &Range| {
        LinuxIdMappingBuilder::default()
            .container_id(range.inside)
            .host_id(range.inside)
            .size(range.count)
            .build()
    };
    ranges.iter().map(same).collect()
}

fn limit(
    kind: PosixRlimitType,
    value: u64,
) -> Result<oci_spec::runtime::PosixRlimit, OciSpecError> {
    PosixRlimitBuilder::default().typ(kind).hard(value).soft(value).build()
}

fn namespaces() -> Result<Vec<LinuxNamespace>, OciSpecError> {
    let fresh = [
        LinuxNamespaceType::User,
        LinuxNamespaceType::Pid,
        LinuxNamespaceType::Mount,
        LinuxNamespaceType::Ipc,
        LinuxNamespaceType::Uts,
        LinuxNamespaceType::Cgroup,
    ];
    let mut namespaces = fresh
        .map(|kind| LinuxNamespaceBuilder::default().typ(kind).build())
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    namespaces.push(
        LinuxNamespaceBuilder::default()
            .typ(LinuxNamespaceType::Network)
            .path("/tmp/net")
            .build()?,
    );
    Ok(namespaces)
}

fn mounts(place: &Place<'_>) -> Result<Vec<Mount>, OciSpecError> {
    let mount = |at: &str, kind: &str, source: &str, options: &str| {
        MountBuilder::default()
            .destination(at)
            .typ(kind)
            .source(source)
            .options(options.split(',').map(str::to_owned).collect::<Vec<_>>())
            .build()
    };
    let agent = Path::new("/tmp/data").join(place.agent);
    let run_mib = place.limits.memory_mib / 4;
    Ok(vec![
        mount("/proc", "proc", "proc", "nosuid,noexec,nodev")?,
        mount("/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k")?,
        mount(
            "/dev/pts",
            "devpts",
            "devpts",
            "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",
        )?,
        mount("/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k")?,
        // The host's devices are nobody's business; sysfs would also need a
        // network namespace that the sandbox owns.
        mount("/sys", "tmpfs", "tmpfs", "nosuid,noexec,nodev,ro,mode=755,size=0k")?,
        // What lies there is memory, which no watcher counts.
        mount("/run", "tmpfs", "tmpfs", &format!("nosuid,nodev,mode=755,size={run_mib}m"))?,
        mount(AGENT, "bind", &agent.to_string_lossy(), "bind,ro,nosuid,nodev")?,
        // systemd-detect-virt(1), and package hooks that ask it, look for this.
        mount("/run/systemd/container", "bind", CONTAINER, "bind,ro,nosuid,nodev,noexec")?,
        mount("/etc/resolv.conf", "bind", "/etc/resolv.conf", "bind,ro,nosuid,nodev,noexec")?,
        mount("/etc/hosts", "bind", HOSTS, "bind,ro,nosuid,nodev,noexec")?,
    ])
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::*;

    #[test]
    fn the_sandbox_is_this_and_nothing_more() {
        let limits = Limits { cpus: 2, memory_mib: 4096, processes: 2048 };
        let agent = Path::new("agents/0");
        let range = |inside, outside, count| Range { inside, outside, count };
        let ranges = vec![range(0, 1000, 1), range(1, 100_000, 65_535)];
        let ids = Ids { users: ranges.clone(), groups: ranges, privileged: false };
        let place = Place {
            ids: &ids,
            hostname: "build",
            agent,
            open_files: 65_536,
            limits,
            source_epoch: 1_700_000_000,
            program: Program::Agent,
        };
        let mut config: serde_json::Value = serde_json::from_str(&config(&place)).unwrap();
        // Sets have no order of their own.
        for kind in ["bounding", "effective", "permitted"] {
            let set = config["process"]["capabilities"][kind].as_array_mut().unwrap();
            set.sort_by_key(|name| name.to_string());
        }
        let text = serde_json::to_string_pretty(&config).unwrap() + "\n";
        expect_file!["spec.json"].assert_eq(&text);
    }
}
