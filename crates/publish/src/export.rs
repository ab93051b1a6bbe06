//! Disks for other hypervisors: `raw` is the truth, the other formats are views of it.
//!
//! Conversion is qemu-img's; a target appears whole or not at all.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io::{self, Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tempfile::{NamedTempFile, TempPath};

use blob::Store;

use crate::{BlockMap, MaterialiseError, Watch, materialise};

/// A disk format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The bytes themselves, sparse.
    Raw,
    /// QEMU's, compressed.
    Qcow2,
    /// VMware's, stream-optimised as OVF packages and AWS's import want it.
    Vmdk,
    /// Hyper-V's and Azure's, of fixed size.
    Vhd,
}

/// What to do if the target exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Leave it alone and fail.
    Refuse,
    /// Put the export in its place.
    Replace,
}

/// A text names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a disk format: expected raw, qcow2, vmdk or vhd")]
pub struct ParseFormatError(String);

/// An export failed; the target is as it was before.
#[derive(Debug, thiserror::Error)]
#[error("failed to export to `{}`", target.display())]
pub struct ExportError {
    target: PathBuf,
    #[source]
    kind: ExportErrorKind,
}

/// What failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportErrorKind {
    /// The target exists.
    #[error("the file exists")]
    Exists,
    /// The format has no disks of this size.
    #[error("a VHD has a whole number of MiB, the image has {size} bytes")]
    Size {
        /// The image's size in bytes.
        size: u64,
    },
    /// The disk could not be written from its blocks.
    #[error("failed to write the raw disk")]
    Materialise(#[source] MaterialiseError),
    /// qemu-img could not be started.
    #[error("failed to run qemu-img")]
    Start(#[source] io::Error),
    /// qemu-img failed.
    #[error("qemu-img failed ({status}): {message}")]
    Convert {
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        message: String,
    },
    /// The target's folder or the finished file failed.
    #[error("failed to {action}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The caller asked to stop.
    #[error("the export was cancelled")]
    Cancelled,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Raw, Self::Qcow2, Self::Vmdk, Self::Vhd];

    /// Returns the format's name, which is also the usual file extension.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vmdk => "vmdk",
            Self::Vhd => "vhd",
        }
    }
}

impl FromStr for Format {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|format| format.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| ParseFormatError(text.to_owned()))
    }
}

impl ExportError {
    /// Returns what failed.
    pub fn kind(&self) -> &ExportErrorKind {
        &self.kind
    }

    /// Returns what the user can do about it, if anything.
    pub fn help(&self) -> Option<&'static str> {
        match &self.kind {
            ExportErrorKind::Exists => Some("remove the file or ask for it to be overwritten"),
            ExportErrorKind::Start(error) if error.kind() == io::ErrorKind::NotFound => {
                Some("install the package qemu-utils")
            }
            ExportErrorKind::Materialise(error) => error.help(),
            ExportErrorKind::Start(_)
            | ExportErrorKind::Size { .. }
            | ExportErrorKind::Convert { .. }
            | ExportErrorKind::Io { .. }
            | ExportErrorKind::Cancelled => None,
        }
    }
}

/// Writes the volume to `target` in a format.
///
/// The work is done in files beside the target, which need room for a sparse
/// raw disk and the result and are removed in any case but a crash. Progress
/// is that of the raw disk.
pub fn export(
    map: &BlockMap,
    store: &Store,
    format: Format,
    target: &Path,
    existing: Existing,
    watch: &mut Watch<'_>,
) -> Result<(), ExportError> {
    write(map, store, format, target, existing, watch)
        .map_err(|kind| ExportError { target: target.to_owned(), kind })
}

fn write(
    map: &BlockMap,
    store: &Store,
    format: Format,
    target: &Path,
    existing: Existing,
    watch: &mut Watch<'_>,
) -> Result<(), ExportErrorKind> {
    // Looked at before the work as well, which would otherwise be for nothing.
    if existing == Existing::Refuse && target.symlink_metadata().is_ok() {
        return Err(ExportErrorKind::Exists);
    }
    if format == Format::Vhd && !map.volume_size().is_multiple_of(1 << 20) {
        return Err(ExportErrorKind::Size { size: map.volume_size() });
    }
    let raw = beside(target)?;
    materialise(map, store, raw.as_file(), watch).map_err(|error| match error {
        MaterialiseError::Cancelled => ExportErrorKind::Cancelled,
        error => ExportErrorKind::Materialise(error),
    })?;
    let result = match format {
        Format::Raw => raw,
        Format::Qcow2 | Format::Vmdk | Format::Vhd => {
            let result = beside(target)?;
            convert(format, raw.path(), result.path(), watch.cancel)?;
            result
        }
    };
    result.as_file().sync_all().map_err(during("flush the file"))?;
    keep(result.into_temp_path(), target, existing)
}

/// Returns the arguments that make qemu-img convert a raw disk.
fn convert_arguments(format: Format, raw: &Path, result: &Path) -> Vec<OsString> {
    let output: &[&str] = match format {
        Format::Raw => &["-O", "raw"],
        // Compressed with zlib, which every reader of the format knows; zstd
        // is younger than some of them.
        Format::Qcow2 => &["-O", "qcow2", "-c"],
        Format::Vmdk => &["-O", "vmdk", "-o", "subformat=streamOptimized"],
        // Without force_size the size is rounded to a cylinder's, and Azure
        // refuses the disk.
        Format::Vhd => &["-O", "vpc", "-o", "subformat=fixed,force_size=on"],
    };
    let fixed = ["convert", "-f", "raw"].iter().chain(output).map(OsString::from);
    fixed.chain([raw, result].map(OsString::from)).collect()
}

fn convert(
    format: Format,
    raw: &Path,
    result: &Path,
    cancel: &AtomicBool,
) -> Result<(), ExportErrorKind> {
    let mut said = tempfile::tempfile().map_err(during("make a temporary file"))?;
    let stderr = said.try_clone().map_err(during("make a temporary file"))?;
    let arguments = convert_arguments(format, raw, result);
    let status = run_qemu_img(&arguments, stderr, cancel)?;
    if status.success() {
        return Ok(());
    }
    // Whoever told this process to end may have told qemu-img as well.
    if cancel.load(Ordering::Relaxed) {
        return Err(ExportErrorKind::Cancelled);
    }
    let mut message = String::new();
    said.rewind()
        .and_then(|()| said.read_to_string(&mut message))
        .map_err(during("read what qemu-img said"))?;
    Err(ExportErrorKind::Convert { status, message: message.trim_end().to_owned() })
}

#[expect(clippy::disallowed_methods, reason = "publish runs qemu-img")]
fn run_qemu_img(
    arguments: &[impl AsRef<OsStr>],
    stderr: File,
    cancel: &AtomicBool,
) -> Result<ExitStatus, ExportErrorKind> {
    let mut child = Command::new("qemu-img")
        .args(arguments)
        // A terminal's Ctrl-C is for this process, which then stops qemu-img.
        .process_group(0)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .map_err(ExportErrorKind::Start)?;
    let ended = wait(Pid::from_child(&child), cancel);
    if !matches!(ended, Ok(true)) {
        child.kill().map_err(during("stop qemu-img"))?;
    }
    let status = child.wait().map_err(during("wait for qemu-img"))?;
    match ended {
        Ok(true) => Ok(status),
        Ok(false) => Err(ExportErrorKind::Cancelled),
        Err(errno) => Err(during("wait for qemu-img")(errno.into())),
    }
}

/// Waits until a child ends (`true`) or the caller asks to stop (`false`).
fn wait(child: Pid, cancel: &AtomicBool) -> Result<bool, Errno> {
    let handle = pidfd_open(child, PidfdFlags::empty())?;
    // How long a cancellation may go unnoticed.
    let patience = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    loop {
        match poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&patience)) {
            Ok(0) | Err(Errno::INTR) if cancel.load(Ordering::Relaxed) => return Ok(false),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(errno) => return Err(errno),
        }
    }
}

/// Makes a file in the target's folder, so that renaming it needs no copy.
fn beside(target: &Path) -> Result<NamedTempFile, ExportErrorKind> {
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    };
    tempfile::Builder::new()
        .prefix(".goldsmith-export-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(during("make a file beside the target"))
}

fn keep(result: TempPath, target: &Path, existing: Existing) -> Result<(), ExportErrorKind> {
    let kept = match existing {
        Existing::Replace => result.persist(target),
        Existing::Refuse => result.persist_noclobber(target),
    };
    kept.map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => ExportErrorKind::Exists,
        _ => during("rename the finished file")(error.error),
    })
}

fn during(action: &'static str) -> impl FnOnce(io::Error) -> ExportErrorKind {
    move |source| ExportErrorKind::Io { action, source }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{FileExt, MetadataExt};
    use std::os::unix::net::UnixListener;

    use rustix::net::sockopt::socket_peercred;
    use rustix::process::getpgid;

    use super::*;
    use crate::snapshot;

    static NEVER: AtomicBool = AtomicBool::new(false);

    struct Setting {
        folder: tempfile::TempDir,
        store: Store,
        map: BlockMap,
        disk: PathBuf,
    }

    /// Returns a disk of `size` bytes and its snapshot.
    fn setting(size: u64) -> Setting {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("blobs")).unwrap();
        let path = folder.path().join("disk");
        let disk = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        disk.set_len(size).unwrap();
        disk.write_all_at(b"boot", 0).unwrap();
        disk.write_all_at(&b"gold".repeat(300_000), 3 << 20).unwrap();
        disk.write_all_at(b"end", size - 3).unwrap();
        let mut watch = Watch { progress: &mut |_| (), cancel: &NEVER };
        let map = snapshot(&disk, &store.writer().unwrap(), &mut watch).unwrap();
        fs::create_dir(folder.path().join("out")).unwrap();
        Setting { folder, store, map, disk: path }
    }

    impl Setting {
        fn out(&self) -> PathBuf {
            self.folder.path().join("out")
        }

        fn export(
            &self,
            format: Format,
            target: &Path,
            existing: Existing,
            cancel: &AtomicBool,
        ) -> Result<(), ExportError> {
            let mut watch = Watch { progress: &mut |_| (), cancel };
            export(&self.map, &self.store, format, target, existing, &mut watch)
        }

        fn files(&self) -> Vec<String> {
            let names = fs::read_dir(self.out()).unwrap();
            names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect()
        }
    }

    #[test]
    fn qemu_img_is_told_exactly_this() {
        let check = |format, expected: &str| {
            let arguments = convert_arguments(format, Path::new("in put"), Path::new("out"));
            assert_eq!(arguments.join(OsStr::new("|")).to_str(), Some(expected));
        };
        check(Format::Qcow2, "convert|-f|raw|-O|qcow2|-c|in put|out");
        check(Format::Vmdk, "convert|-f|raw|-O|vmdk|-o|subformat=streamOptimized|in put|out");
        check(Format::Vhd, "convert|-f|raw|-O|vpc|-o|subformat=fixed,force_size=on|in put|out");
    }

    #[test]
    fn formats_have_names() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(format));
        }
        assert_eq!("VMDK".parse(), Ok(Format::Vmdk));
        assert_eq!(
            "vdi".parse::<Format>().unwrap_err().to_string(),
            "`vdi` is not a disk format: expected raw, qcow2, vmdk or vhd"
        );
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test asks qemu-img for its opinion")]
    fn every_format_holds_the_same_disk() {
        let setting = setting(8 << 20);
        for format in Format::ALL {
            let target = setting.out().join(format.as_str());
            setting.export(format, &target, Existing::Refuse, &NEVER).unwrap();
            let driver = if format == Format::Vhd { "vpc" } else { format.as_str() };
            // Not strict: a VMDK's size is rounded up to its grain.
            let compared = Command::new("qemu-img")
                .args(["compare", "-f", "raw", "-F", driver])
                .args([&setting.disk, &target])
                .output()
                .unwrap();
            assert!(compared.status.success(), "{format:?}: {compared:?}");
        }
        let vhd = fs::metadata(setting.out().join("vhd")).unwrap();
        assert_eq!(vhd.len(), (8 << 20) + 512, "the disk and its footer");
        let raw = fs::metadata(setting.out().join("raw")).unwrap();
        assert!(raw.blocks() * 512 < 8 << 20, "sparse");
        assert_eq!(setting.files().len(), 4, "no temporary files");
    }

    #[test]
    fn files_are_replaced_only_on_request() {
        let setting = setting(4 << 20 | 1 << 20);
        let target = setting.out().join("disk.raw");
        fs::write(&target, "precious").unwrap();
        let export = |existing| setting.export(Format::Raw, &target, existing, &NEVER);
        let error = export(Existing::Refuse).unwrap_err();
        assert!(matches!(error.kind(), ExportErrorKind::Exists));
        assert_eq!(error.to_string(), format!("failed to export to `{}`", target.display()));
        assert_eq!(fs::read(&target).unwrap(), b"precious");
        export(Existing::Replace).unwrap();
        assert_eq!(fs::metadata(&target).unwrap().len(), 5 << 20);
    }

    #[test]
    fn failures_leave_nothing() {
        let setting = setting((5 << 20) + 512);
        let target = setting.out().join("disk");
        let odd = setting.export(Format::Vhd, &target, Existing::Refuse, &NEVER).unwrap_err();
        assert!(matches!(odd.kind(), ExportErrorKind::Size { size: 5_243_392 }));

        let cancelled = AtomicBool::new(true);
        let error = setting.export(Format::Qcow2, &target, Existing::Refuse, &cancelled);
        assert!(matches!(error.unwrap_err().kind(), ExportErrorKind::Cancelled));

        let none = Path::new("/nonexistent");
        let error = convert(Format::Qcow2, none, &target, &cancelled).unwrap_err();
        assert!(matches!(error, ExportErrorKind::Cancelled), "{error:?}");

        let bad = convert(Format::Qcow2, none, &target, &NEVER).unwrap_err();
        let ExportErrorKind::Convert { status, message } = bad else { panic!("{bad:?}") };
        assert_eq!(status.code(), Some(1));
        assert!(message.contains("/nonexistent"), "{message}");

        fs::remove_file(setting.store.path(&setting.map.blocks()[0].digest)).unwrap();
        let error = setting.export(Format::Raw, &target, Existing::Refuse, &NEVER).unwrap_err();
        assert!(matches!(error.kind(), ExportErrorKind::Materialise(_)));
        assert!(error.help().is_some_and(|help| help.starts_with("build the image again")));
        assert_eq!(setting.files(), [""; 0]);
    }

    /// It waits for a server that says nothing, until it is stopped.
    #[test]
    fn a_terminals_signals_are_not_for_qemu_img() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("nbd");
        let server = UnixListener::bind(&socket).unwrap();
        let disk = format!("nbd+unix:///?socket={}", socket.display());
        let cancel = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let run = || run_qemu_img(&["info", &disk], tempfile::tempfile().unwrap(), &cancel);
            let ended = scope.spawn(run);
            let (client, _) = server.accept().unwrap();
            let qemu_img = socket_peercred(&client).unwrap().pid;
            assert_eq!(getpgid(Some(qemu_img)), Ok(qemu_img));
            cancel.store(true, Ordering::Relaxed);
            let error = ended.join().unwrap().unwrap_err();
            assert!(matches!(error, ExportErrorKind::Cancelled), "{error:?}");
        });
    }
}
