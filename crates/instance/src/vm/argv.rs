//! The command lines of QEMU: what a machine consists of.
//!
//! Pure: nothing here runs them. Paths are those that a cell sees.

use std::path::{Path, PathBuf};

use super::probe::Accelerator;

/// The data folder as a cell sees it.
pub(super) const DATA: &str = "/tmp/data";

/// The name of the console's socket in the folder of the machine's files.
pub(super) const SOCKET: &str = "console";

/// Where Debian's package ovmf, and others after it, keep the firmware.
const FIRMWARE: [(&str, &str); 2] = [
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
];

/// A machine's UEFI firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firmware {
    /// The code, which is only read.
    pub code: PathBuf,
    /// What the machine's variables start as, which is only read.
    pub variables: PathBuf,
}

impl Firmware {
    /// Returns the firmware that this host has, `None` without package ovmf.
    pub fn find() -> Option<Self> {
        let (code, variables) = FIRMWARE
            .into_iter()
            .find(|(code, variables)| Path::new(code).exists() && Path::new(variables).exists())?;
        Some(Self { code: code.into(), variables: variables.into() })
    }
}

/// A machine to start. Its files are in a work folder, under names of ours.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) accelerator: Accelerator,
    pub(super) cpus: u32,
    pub(super) memory_mib: u64,
    /// The firmware's code.
    pub(super) firmware: PathBuf,
    /// The folder of the machine's files, relative to the data folder.
    pub(super) work: PathBuf,
    pub(super) talk: Talk,
}

/// Who has QEMU's standard streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Talk {
    /// The agent; the console goes to a file and to whoever connects to it.
    Agent,
    /// A user at the console.
    User {
        /// Pairs of a port of the cell and the machine's port it leads to.
        forwards: Vec<(u16, u16)>,
    },
}

impl Plan {
    /// The overlay of the disk.
    pub(super) fn disk(&self) -> PathBuf {
        self.work.join("disk.qcow2")
    }

    /// The overlay of the firmware's variables.
    pub(super) fn variables(&self) -> PathBuf {
        self.work.join("variables.qcow2")
    }

    /// The disk that cloud-init reads.
    pub(super) fn seed(&self) -> PathBuf {
        self.work.join("seed.img")
    }

    /// What the console wrote.
    pub(super) fn console(&self) -> PathBuf {
        self.work.join("console.log")
    }
}

/// Returns the command that makes `over` a copy-on-write overlay of `under`.
pub(super) fn overlay(under: &Path, over: &Path, size: Option<u64>) -> Vec<String> {
    let mut argv = words("qemu-img create -q -f qcow2 -F raw -b");
    argv.extend([under.display().to_string(), over.display().to_string()]);
    argv.extend(size.map(|size| size.to_string()));
    argv
}

/// Returns the command that is the machine.
pub(super) fn arguments(plan: &Plan) -> Vec<String> {
    let mut argv = words("qemu-system-x86_64 -nodefaults -no-user-config -display none");
    // Nothing of QEMU's own has use for these system calls once it runs.
    argv.extend(words(
        "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
    ));
    argv.extend(words("-machine q35"));
    argv.extend(processor(plan.accelerator, plan.cpus));
    argv.extend(words(&format!("-m {}", plan.memory_mib)));
    let code = file(&plan.firmware);
    argv.extend(option("-drive", &format!("if=pflash,unit=0,format=raw,readonly=on,file={code}")));
    let variables = file(&plan.variables());
    argv.extend(option("-drive", &format!("if=pflash,unit=1,format=qcow2,file={variables}")));
    // Unsafe caching: after a host's crash nobody wants the overlay back.
    let disk = file(&plan.disk());
    argv.extend(option(
        "-drive",
        &format!("if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap,file={disk}"),
    ));
    argv.extend(words("-device virtio-blk-pci,drive=disk,bootindex=0"));
    let seed = file(&plan.seed());
    argv.extend(option("-drive", &format!("if=none,id=seed,format=raw,readonly=on,file={seed}")));
    argv.extend(words("-device virtio-blk-pci,drive=seed -device virtio-rng-pci"));
    // A kernel that panics says so and ends QEMU, instead of being waited for.
    argv.extend(words("-device pvpanic-pci -action panic=exit-failure"));
    argv.extend(network(&plan.talk));
    argv.extend(streams(plan));
    argv
}

fn processor(accelerator: Accelerator, cpus: u32) -> Vec<String> {
    match accelerator {
        Accelerator::Kvm => words(&format!("-accel kvm -cpu host -smp {cpus}")),
        // One processor: with a second a boot takes 40 % more of the host's
        // time, and longer, as both stop when one changes a page table.
        Accelerator::Tcg => words("-accel tcg,thread=multi -cpu max -smp 1"),
    }
}

fn network(talk: &Talk) -> Vec<String> {
    let mut net = "user,id=net".to_owned();
    match talk {
        Talk::Agent => {}
        Talk::User { forwards } => {
            for (outside, inside) in forwards {
                net = format!("{net},hostfwd=tcp::{outside}-:{inside}");
            }
        }
    }
    let mut argv = option("-netdev", &net).to_vec();
    // Without its boot ROM, which would only cost time.
    argv.extend(words("-device virtio-net-pci,netdev=net,romfile="));
    argv
}

fn streams(plan: &Plan) -> Vec<String> {
    match plan.talk {
        Talk::Agent => {
            let mut argv = words(
                "-device virtio-serial-pci -chardev stdio,id=agent,signal=off \
                 -device virtserialport,chardev=agent,name=org.goldsmith.agent",
            );
            let (socket, log) = (file(&plan.work.join(SOCKET)), file(&plan.console()));
            let console = format!("path={socket},server=on,wait=off,logfile={log}");
            argv.extend(option("-chardev", &format!("socket,id=console,{console}")));
            argv.extend(words("-serial chardev:console"));
            argv
        }
        Talk::User { .. } => words("-serial mon:stdio"),
    }
}

fn option(name: &str, value: &str) -> [String; 2] {
    [name.to_owned(), value.to_owned()]
}

/// Returns a path as QEMU's options take it, where a comma ends a value unless
/// doubled.
fn file(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn plan(accelerator: Accelerator, talk: Talk) -> Plan {
        Plan {
            accelerator,
            cpus: 2,
            memory_mib: 2048,
            firmware: PathBuf::from(FIRMWARE[0].0),
            work: PathBuf::from("work/run-1/machine"),
            talk,
        }
    }

    /// One option a line.
    #[track_caller]
    fn check(argv: &[String], expected: Expect) {
        let lines: String =
            argv.iter().map(|word| word.clone() + " ").collect::<String>().replace(" -", "\n-");
        expected.assert_eq(&format!("{}\n", lines.trim_end()));
    }

    #[test]
    fn an_emulated_machine_for_the_agent() {
        check(
            &arguments(&plan(Accelerator::Tcg, Talk::Agent)),
            expect![[r#"
                qemu-system-x86_64
                -nodefaults
                -no-user-config
                -display none
                -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny
                -machine q35
                -accel tcg,thread=multi
                -cpu max
                -smp 1
                -m 2048
                -drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd
                -drive if=pflash,unit=1,format=qcow2,file=work/run-1/machine/variables.qcow2
                -drive if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap,file=work/run-1/machine/disk.qcow2
                -device virtio-blk-pci,drive=disk,bootindex=0
                -drive if=none,id=seed,format=raw,readonly=on,file=work/run-1/machine/seed.img
                -device virtio-blk-pci,drive=seed
                -device virtio-rng-pci
                -device pvpanic-pci
                -action panic=exit-failure
                -netdev user,id=net
                -device virtio-net-pci,netdev=net,romfile=
                -device virtio-serial-pci
                -chardev stdio,id=agent,signal=off
                -device virtserialport,chardev=agent,name=org.goldsmith.agent
                -chardev socket,id=console,path=work/run-1/machine/console,server=on,wait=off,logfile=work/run-1/machine/console.log
                -serial chardev:console
            "#]],
        );
    }

    #[test]
    fn an_accelerated_machine_for_a_user() {
        let forwards = vec![(8080, 80), (2222, 22)];
        check(
            &arguments(&plan(Accelerator::Kvm, Talk::User { forwards })),
            expect![[r#"
                qemu-system-x86_64
                -nodefaults
                -no-user-config
                -display none
                -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny
                -machine q35
                -accel kvm
                -cpu host
                -smp 2
                -m 2048
                -drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd
                -drive if=pflash,unit=1,format=qcow2,file=work/run-1/machine/variables.qcow2
                -drive if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap,file=work/run-1/machine/disk.qcow2
                -device virtio-blk-pci,drive=disk,bootindex=0
                -drive if=none,id=seed,format=raw,readonly=on,file=work/run-1/machine/seed.img
                -device virtio-blk-pci,drive=seed
                -device virtio-rng-pci
                -device pvpanic-pci
                -action panic=exit-failure
                -netdev user,id=net,hostfwd=tcp::8080-:80,hostfwd=tcp::2222-:22
                -device virtio-net-pci,netdev=net,romfile=
                -serial mon:stdio
            "#]],
        );
    }

    #[test]
    fn overlays_may_be_larger_than_what_they_lie_on() {
        let (under, over) = (Path::new("/tmp/data/disk.raw"), Path::new("work/m/disk.qcow2"));
        let plain = "qemu-img create -q -f qcow2 -F raw -b /tmp/data/disk.raw work/m/disk.qcow2";
        assert_eq!(overlay(under, over, None).join(" "), plain);
        assert_eq!(overlay(under, over, Some(8 << 30)).join(" "), format!("{plain} 8589934592"));
    }

    #[test]
    fn commas_do_not_end_a_path() {
        assert_eq!(file(Path::new("a,readonly=off/b")), "a,,readonly=off/b");
    }
}
