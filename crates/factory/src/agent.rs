//! The agent's binary in the data folder, where instances can see it whatever the modes of the
//! folders around the original.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use name::Digest;

/// Copies the agent into the data folder, named by its digest, unless it is there; returns where,
/// relative to the data folder.
pub(crate) fn keep(data: &Path, agent: &Path) -> io::Result<PathBuf> {
    let bytes = fs::read(agent)?;
    let folder = data.join("agents");
    let name = Digest::of(&bytes).hex();
    let kept = folder.join(&name);
    // Read, as the name alone may be what a power cut left of it.
    if !fs::read(&kept).is_ok_and(|there| there == bytes) {
        fs::create_dir_all(&folder)?;
        let mut partial = tempfile::NamedTempFile::new_in(&folder)?;
        partial.write_all(&bytes)?;
        partial.as_file().set_permissions(fs::Permissions::from_mode(0o555))?;
        partial.as_file().sync_all()?;
        partial.persist(&kept)?;
        File::open(&folder)?.sync_all()?;
    }
    Ok(Path::new("agents").join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_that_a_power_cut_emptied_is_copied_again() {
        let data = tempfile::tempdir().unwrap();
        let original = data.path().join("original");
        fs::write(&original, "agent").unwrap();
        let kept = keep(data.path(), &original).unwrap();
        assert_eq!(kept, Path::new("agents").join(Digest::of(b"agent").hex()));
        let full = data.path().join(&kept);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for left in [&b"agent"[..], b"", b"agenx"] {
            fs::remove_file(&full).unwrap();
            fs::write(&full, left).unwrap();
            assert_eq!(keep(data.path(), &original).unwrap(), kept);
            assert_eq!(fs::read(&full).unwrap(), b"agent");
        }
        assert_eq!(mode(&full), 0o555);
        assert_eq!(fs::read_dir(data.path().join("agents")).unwrap().count(), 1);
    }
}
