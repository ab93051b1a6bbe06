//! The wheel that carries the public models: fetched once with pip, then read from the cache.
//!
//! `xtask/botocore.txt` says which wheel and what its SHA-256 is. Only generating needs it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

/// What a wheel is a zip of: one member of it, decompressed, on the standard output.
const UNPACK: &str = "import gzip, sys, zipfile\n\
    packed = zipfile.ZipFile(sys.argv[1]).read(sys.argv[2])\n\
    sys.stdout.buffer.write(gzip.decompress(packed))";

/// Reading a model failed.
#[derive(Debug, thiserror::Error)]
pub enum WheelError {
    /// The file that names the wheel is unreadable or does not name one.
    #[error("xtask/botocore.txt does not pin a version and its hash")]
    Pin,
    /// A file could not be read.
    #[error("failed to read `{0}`")]
    Read(PathBuf, #[source] io::Error),
    /// A program could not be run.
    #[error("failed to run `python3`")]
    Run(#[source] io::Error),
    /// A program failed.
    #[error("`python3` failed to {0}: {1}")]
    Failed(&'static str, String),
    /// The wheel is not the pinned one.
    #[error("`{0}` does not have the pinned SHA-256")]
    Hash(PathBuf),
}

/// Returns the member of the pinned wheel at `member`, decompressed.
///
/// # Errors
/// Fails if the wheel is neither cached nor to be had, or is another one.
pub(crate) fn read(root: &Path, member: &str) -> Result<Vec<u8>, WheelError> {
    let wheel = fetch(root)?;
    python(&["-c", UNPACK, &wheel.to_string_lossy(), member], "unpack the model")
}

fn fetch(root: &Path) -> Result<PathBuf, WheelError> {
    let pins = root.join("xtask/botocore.txt");
    let text =
        std::fs::read_to_string(&pins).map_err(|error| WheelError::Read(pins.clone(), error))?;
    let (version, hash) = parse_pin(&text).ok_or(WheelError::Pin)?;
    let cache = target(root).join("models");
    let wheel = cache.join(format!("botocore-{version}-py3-none-any.whl"));
    if !wheel.exists() {
        let (cache, pins) = (cache.to_string_lossy(), pins.to_string_lossy());
        let download = ["-m", "pip", "--quiet", "--disable-pip-version-check", "download"];
        let only = ["--no-deps", "--only-binary=:all:", "--require-hashes"];
        python(
            &[&download[..], &only, &["--dest", &*cache, "--requirement", &*pins]].concat(),
            "download the pinned botocore",
        )?;
    }
    let bytes = std::fs::read(&wheel).map_err(|error| WheelError::Read(wheel.clone(), error))?;
    let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if found == hash { Ok(wheel) } else { Err(WheelError::Hash(wheel)) }
}

/// Returns the version and the hash in a requirements file with one entry.
fn parse_pin(text: &str) -> Option<(&str, &str)> {
    let line = text.lines().find_map(|line| line.strip_prefix("botocore=="))?;
    line.split_once(" --hash=sha256:")
}

#[expect(clippy::disallowed_methods, reason = "tasks read their environment")]
fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "tasks run programs")]
fn python(args: &[&str], purpose: &'static str) -> Result<Vec<u8>, WheelError> {
    let output = Command::new("python3").args(args).output().map_err(WheelError::Run)?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(WheelError::Failed(purpose, told));
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::parse_pin;

    #[test]
    fn a_pin_is_a_version_and_a_hash() {
        let text = "# why\nbotocore==1.2.3 --hash=sha256:abcd\n";
        assert_eq!(parse_pin(text), Some(("1.2.3", "abcd")));
        assert_eq!(parse_pin("botocore==1.2.3\n"), None);
        assert_eq!(parse_pin("boto3==1.2.3 --hash=sha256:abcd\n"), None);
    }
}
