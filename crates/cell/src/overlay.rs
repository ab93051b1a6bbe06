//! Mounts layers of a tree as one writable tree.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, mount};

use crate::job::Overlay;

/// Mounts `overlay` at its place, which is made.
pub(crate) fn mount_writable(overlay: &Overlay) -> io::Result<()> {
    fs::create_dir_all(&overlay.at)?;
    fs::create_dir_all(&overlay.upper)?;
    fs::create_dir_all(&overlay.work)?;
    let upper = Some((overlay.upper.as_path(), overlay.work.as_path()));
    mount_overlay(&overlay.layers, upper, &overlay.at)
}

/// Mounts `layers`, lowest first, at `at`, which is made; nothing can be changed.
pub(crate) fn mount_readable(layers: &[PathBuf], at: &Path) -> io::Result<()> {
    fs::create_dir_all(at)?;
    if let [only] = layers {
        // Overlayfs wants two layers where there is no upper one.
        return Ok(rustix::mount::mount_bind(only, at)?);
    }
    mount_overlay(layers, None, at)
}

fn mount_overlay(layers: &[PathBuf], upper: Option<(&Path, &Path)>, at: &Path) -> io::Result<()> {
    // `userxattr`: whiteouts and opaque folders are marked alike whether root
    // or an ordinary user mounted, and no folder is a redirect to another.
    let mut options = b"userxattr,lowerdir=".to_vec();
    for (n, layer) in layers.iter().rev().enumerate() {
        if n > 0 {
            options.push(b':');
        }
        options.extend(escaped(layer)?);
    }
    if let Some((upper, work)) = upper {
        options.extend(b",upperdir=");
        options.extend(escaped(upper)?);
        options.extend(b",workdir=");
        options.extend(escaped(work)?);
    }
    let options = std::ffi::CString::new(options)?;
    Ok(mount("overlay", at, "overlay", MountFlags::empty(), options.as_c_str())?)
}

/// Returns the path's bytes; `:` and `,` would end it within mount options.
fn escaped(path: &Path) -> io::Result<&[u8]> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.iter().any(|byte| b":,\\".contains(byte)) {
        return Err(io::Error::other(format!(
            "`{}` has a character that overlayfs does not accept",
            path.display()
        )));
    }
    Ok(bytes)
}
