//! Makes a disk of what the components left.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use base::{Boot, Receipt};
use cell::{Content, Disk, Extra, LeaveOut, Source, Task};
use model::Recipe;
use name::Digest;

use crate::work::{Artefact, Work};
use crate::{Cause, Failure, packages};

/// What a build leaves behind that every machine makes anew, and the flag file
/// in the recipe's working directory that keeps it (reference §2.10). A path
/// that begins with `./` is in that directory. The first of these that names a
/// path decides: what a flag keeps is not removed by a later, wider one.
const SANITISED: [(&[&str], Option<&str>); 7] = [
    (
        &[
            "etc/sudoers.d/90-cloud-init-users",
            "etc/locale.conf",
            "var/log/cloud-init.log",
            "var/log/cloud-init-output.log",
            "var/lib/cloud/*",
        ],
        Some("skip_cleanup_cloudinit_files"),
    ),
    (
        &[
            "etc/.updated",
            "etc/aliases.db",
            "etc/hostname",
            "var/.updated",
            "var/lib/misc/postfix.aliasesdb-stamp",
            "var/lib/postfix/master.lock",
            "var/spool/postfix/pid/master.pid",
            "var/cache/yum/x86_64/2/.gpgkeyschecked.yum",
        ],
        Some("skip_cleanup_instance_files"),
    ),
    (
        &["etc/ssh/ssh_host_*", "root/.ssh/authorized_keys", "home/*/.ssh/authorized_keys"],
        Some("skip_cleanup_ssh_files"),
    ),
    (&["./TOE_*", "var/lib/amazon/toe/*"], Some("skip_cleanup_toe_files")),
    (&["var/log/amazon/ssm/**"], Some("skip_cleanup_ssm_log_files")),
    (
        &[
            // Flags are for this build, not for those on its image.
            "./perform_cleanup",
            "./skip_cleanup_*",
            "tmp/*",
            "var/tmp/*",
            "root/.bash_history",
            "var/cache/apt/**",
            "var/cache/debconf/*-old",
            "var/cache/dnf/**",
            "var/cache/ldconfig/aux-cache",
            "var/cache/man/**",
            "var/lib/apt/lists/**",
            "var/lib/dbus/machine-id",
            "var/lib/dhclient/*",
            "var/lib/dhcp/*.leases",
            "var/lib/dpkg/*-old",
            "var/lib/rsyslog/imjournal.state",
            "var/lib/systemd/random-seed",
            "var/lib/systemd/timesync/*",
            "var/log/journal/*",
            "var/log/sa/*",
        ],
        None,
    ),
    (&["var/log/**"], Some("skip_cleanup_instance_log_files")),
];

/// Where Debian keeps its signed boot loader, and where firmware looks for it.
const LOADER: [(&str, &str); 3] = [
    ("EFI/BOOT/BOOTX64.EFI", "usr/lib/shim/shimx64.efi.signed"),
    ("EFI/BOOT/mmx64.efi", "usr/lib/shim/mmx64.efi.signed"),
    ("EFI/BOOT/grubx64.efi", "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"),
];

/// Writes the disk and digests it.
pub(crate) fn create_image(work: &mut Work<'_>) -> Result<String, Box<Failure>> {
    let fail = |error: &dyn std::error::Error| Failure::of(Cause::Factory, error);
    let cells = &work.factory.cells;
    let base = work.base.as_ref().expect("the plan prepares the base first");
    let layers = match &work.sandbox {
        Some(sandbox) => sandbox.layers().to_vec(),
        None => vec![base.tree.clone()],
    };
    let folder = work.folder.join("image");
    cells.make_folder(&folder).map_err(|error| fail(&error))?;
    let disk = folder.join("disk.raw");
    let recipe = &work.order.project.recipe;
    let blueprint = Blueprint {
        name: &recipe.name.segment(),
        working_directory: &recipe.working_directory,
        gib: volume_size(recipe),
        relabel: must_relabel(work, base, &layers)?,
    };
    let task = Task::WriteDisk(description(&blueprint, base, layers, disk.clone()));
    let is_given_up = || work.cancel.load(Ordering::Acquire);
    let output = cells
        .run_unless(&is_given_up, &format!("{}-image", work.run.work), task, &mut std::io::empty())
        .map_err(|error| fail(&error))?;
    let written: cell::Written = serde_json::from_slice(&output).map_err(|error| fail(&error))?;

    let file = std::fs::File::open(cells.data().join(&disk)).map_err(|error| fail(&error))?;
    let mut progress = |progress: publish::Progress| {
        work.teller().progress(progress.done, progress.total);
    };
    let mut watch = publish::Watch { progress: &mut progress, cancel: work.cancel };
    let digest = publish::disk_digest(&file, &mut watch).map_err(|error| fail(&error))?;
    let artefact = store::artefact::Artefact {
        run: work.run.id,
        digest,
        size: written.size,
        tests: serde_json::Value::Null,
        made_at: crate::clock::now_micros(),
    };
    let kept = store::artefact::put(&work.factory.db, &artefact);
    work.handle.block_on(kept).map_err(|error| fail(&error))?;
    if let Some(packages) = packages::packages(&cells.data().join(&disk)) {
        let kept = packages::to_json(&packages);
        let kept = store::image::set_packages(&work.factory.db, work.run.id, &kept);
        work.handle.block_on(kept).map_err(|error| fail(&error))?;
    }
    work.report.digest = Some(digest.to_string());
    work.report.disk_bytes = Some(written.size);
    work.report.data_bytes = Some(written.used);
    work.artefact = Some(Artefact { disk, digest });
    Ok(format!("{} files, {} MiB used", written.entries, written.used >> 20))
}

/// Returns the size that a recipe gives its disk, in GiB.
pub(crate) fn volume_size(recipe: &Recipe) -> Option<u32> {
    recipe.block_devices.iter().find_map(|device| device.gib)
}

/// Says whether the files must be labelled for SELinux when they first boot.
fn must_relabel(work: &Work<'_>, base: &Receipt, layers: &[PathBuf]) -> Result<bool, Box<Failure>> {
    let Boot::Disk { .. } = base.boot else { return Ok(false) };
    let task = Task::Read { layers: layers.to_vec(), file: "etc/selinux/config".into() };
    let name = format!("{}-image", work.run.work);
    let config = work.factory.cells.run(&name, task, &mut std::io::empty());
    let config = config.map_err(|error| Failure::of(Cause::Factory, &error))?;
    Ok(uses_selinux(&String::from_utf8_lossy(&config)))
}

/// Says whether a system with this selinux_config(5) labels its files.
fn uses_selinux(config: &str) -> bool {
    let mut modes = config.lines().filter_map(|line| line.trim().strip_prefix("SELINUX="));
    modes.next_back().is_some_and(|mode| !mode.trim().eq_ignore_ascii_case("disabled"))
}

/// What a recipe says of the disk that is made, and its files.
pub(crate) struct Blueprint<'a> {
    /// The recipe's name, as in ARNs.
    pub(crate) name: &'a str,
    /// Where components leave the flags that keep files from being left out.
    pub(crate) working_directory: &'a str,
    /// The disk's size in GiB.
    pub(crate) gib: Option<u32>,
    /// Whether files must be labelled for SELinux at the first boot: labels are
    /// the one thing of a parent's files that a cell cannot keep.
    pub(crate) relabel: bool,
}

/// Returns the disk to be made of `layers` on `base`.
pub(crate) fn description(
    blueprint: &Blueprint<'_>,
    base: &Receipt,
    layers: Vec<PathBuf>,
    out: PathBuf,
) -> Disk {
    let working_directory = Path::new(blueprint.working_directory.trim_matches('/'));
    let place = |path: &&str| match path.strip_prefix("./") {
        Some(name) => working_directory.join(name).display().to_string(),
        None => (*path).to_owned(),
    };
    let leave_out = SANITISED.iter().map(|(paths, flag)| LeaveOut {
        paths: paths.iter().map(place).collect(),
        unless: flag.map(|flag| working_directory.join(flag)),
    });
    // systemd fills an empty machine-id at each machine's first boot
    // (machine-id(5)), and takes it as no first boot of a new installation.
    let mut extras =
        vec![Extra { path: "etc/machine-id".to_owned(), text: String::new(), mode: 0o444 }];
    if blueprint.relabel {
        extras.push(Extra { path: ".autorelabel".to_owned(), text: String::new(), mode: 0o644 });
    }
    let size = blueprint.gib.map(|gib| u64::from(gib) << 30);
    let source = match &base.boot {
        Boot::Tree => {
            let root_uuid = identity(base, blueprint.name, "root file system");
            let root = hyphenated(root_uuid);
            extras.push(Extra {
                path: "boot/grub/grub.cfg".to_owned(),
                text: menu(&root),
                mode: 0o600,
            });
            Source::New {
                size,
                guids: ["disk", "esp", "root"].map(|part| identity(base, blueprint.name, part)),
                esp_id: u32::from_le_bytes(
                    identity(base, blueprint.name, "esp volume")[..4]
                        .try_into()
                        .expect("four bytes are four bytes"),
                ),
                esp: LOADER
                    .iter()
                    .map(|(to, from)| ((*to).to_owned(), Content::Tree((*from).into())))
                    .chain([("EFI/debian/grub.cfg".to_owned(), Content::Text(stub(&root)))])
                    .collect(),
                root_uuid,
                root_label: "root".to_owned(),
            }
        }
        Boot::Disk { disk, volumes } => {
            Source::Copy { disk: disk.clone(), size, volumes: volumes.clone() }
        }
    };
    Disk { layers, out, source, extras, leave_out: leave_out.collect(), epoch: base.epoch }
}

/// Returns an identifier that depends on what is built, never on when: equal
/// inputs give equal disks. A version 8 UUID (RFC 9562 §5.8).
fn identity(base: &Receipt, recipe: &str, part: &str) -> [u8; 16] {
    let mut builder = Digest::builder("image-identity/1");
    builder.digest(&base.digest).text(recipe).text(part);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&builder.finish().as_bytes()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}

fn hyphenated(uuid: [u8; 16]) -> String {
    let hex: String = uuid.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |range: std::ops::Range<usize>| &hex[range];
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

/// Returns what the signed GRUB reads first; its place on the ESP is built in.
fn stub(root: &str) -> String {
    format!(
        "search.fs_uuid {root} root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n"
    )
}

/// Returns the boot menu, which Escape shows. It names Debian's links to the newest kernel and the
/// one before, so it stays right when the machine upgrades its kernel;
/// `update-grub` in the machine may replace it.
fn menu(root: &str) -> String {
    let entry = |title: &str, old: &str| {
        format!(
            "menuentry '{title}' {{\n  linux /vmlinuz{old} root=UUID={root} ro console=tty0 console=ttyS0,115200\n  initrd /initrd.img{old}\n}}\n"
        )
    };
    format!(
        "search.fs_uuid {root} root\nset default=0\nset timeout_style=hidden\nset timeout=0\nserial --unit=0 --speed=115200\nterminal_input console serial\nterminal_output console serial\n{}{}",
        entry("Debian GNU/Linux", ""),
        entry("Debian GNU/Linux, previous kernel", ".old"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_written_as_uuids() {
        let mut bytes = [0; 16];
        for (n, byte) in (0_u8..).zip(&mut bytes) {
            *byte = n;
        }
        assert_eq!(hyphenated(bytes), "00010203-0405-0607-0809-0a0b0c0d0e0f");
    }

    fn described(blueprint: &Blueprint<'_>, boot: Boot) -> Disk {
        let base = Receipt {
            digest: Digest::of(b"base"),
            tree: "bases/tree".into(),
            os: base::Os::parse(""),
            epoch: 1,
            boot,
            made_of: None,
        };
        description(blueprint, &base, vec!["bases/tree".into()], "disk.raw".into())
    }

    fn imported() -> Boot {
        Boot::Disk { disk: "bases/disk.raw".into(), volumes: Vec::new() }
    }

    #[test]
    fn every_disk_is_as_large_as_the_recipe_says() {
        let blueprint =
            Blueprint { name: "n", working_directory: "/tmp", gib: Some(20), relabel: false };
        for boot in [Boot::Tree, imported()] {
            let size = match described(&blueprint, boot).source {
                Source::New { size, .. } | Source::Copy { size, .. } => size,
            };
            assert_eq!(size, Some(20 << 30));
        }
    }

    #[test]
    fn files_are_labelled_where_labels_are_used() {
        let check = |config, expected| assert_eq!(uses_selinux(config), expected, "{config}");
        check("", false);
        check("# SELINUX=enforcing\nSELINUXTYPE=targeted\n", false);
        check("SELINUX=disabled\n", false);
        check("SELINUX=Disabled \n", false);
        check("SELINUX=permissive\nSELINUXTYPE=targeted\n", true);
        check("SELINUX=disabled\nSELINUX=enforcing\n", true);
        for relabel in [false, true] {
            let blueprint = Blueprint { name: "n", working_directory: "/tmp", gib: None, relabel };
            let extras = described(&blueprint, imported()).extras;
            let marked = extras.iter().any(|extra| extra.path == ".autorelabel");
            assert_eq!(marked, relabel);
        }
    }

    #[test]
    fn flags_and_logs_of_the_runner_are_in_the_working_directory() {
        let rules = |working_directory| {
            let blueprint = Blueprint { name: "n", working_directory, gib: None, relabel: false };
            described(&blueprint, Boot::Tree).leave_out
        };
        let check = |working_directory, flag: &str, paths: [&str; 2]| {
            let rules = rules(working_directory);
            let toe = rules.iter().find(|rule| rule.unless.as_deref() == Some(Path::new(flag)));
            assert_eq!(toe.unwrap().paths, paths);
        };
        let toe = "var/lib/amazon/toe/*";
        check("/tmp", "tmp/skip_cleanup_toe_files", ["tmp/TOE_*", toe]);
        check("/opt/work/", "opt/work/skip_cleanup_toe_files", ["opt/work/TOE_*", toe]);
        check("/", "skip_cleanup_toe_files", ["TOE_*", toe]);
        // What is wider comes later, as the first that names a path decides.
        let rules = rules("/tmp");
        let place = |path: &str| {
            rules.iter().position(|rule| rule.paths.iter().any(|known| known == path)).unwrap()
        };
        assert!(place("tmp/TOE_*") < place("tmp/*"));
        for path in ["var/log/cloud-init.log", "var/log/amazon/ssm/**", "var/log/journal/*"] {
            assert!(place(path) < place("var/log/**"), "{path}");
        }
    }

    #[test]
    fn the_menu_boots_the_newest_kernel_whatever_its_version() {
        let menu = menu("1234");
        assert!(menu.contains("linux /vmlinuz root=UUID=1234 ro"));
        assert!(menu.contains("initrd /initrd.img.old"));
        // At once, unless Escape is held.
        assert!(menu.contains("\nset timeout_style=hidden\nset timeout=0\n"));
    }
}
