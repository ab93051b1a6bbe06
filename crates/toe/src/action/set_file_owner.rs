//! `SetFileOwner`: changes who owns files.

use document::SetFileOwner;
use rustix::fs::{Gid, Uid, chown};

use super::FileError;
use crate::Machine;
use crate::account::{group, user};
use crate::files::require_any;

pub(crate) fn perform(inputs: &SetFileOwner, machine: &Machine) -> Result<(), FileError> {
    let path = machine.path(&inputs.path);
    require_any(&path)?;
    let owner = user(&inputs.owner)?;
    let group = inputs.group.as_deref().map(group).transpose()?.or(owner.gid);
    chown(&path, Some(Uid::from_raw(owner.uid)), group.map(Gid::from_raw))
        .map_err(FileError::io("change the owner of", &path))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use rustix::process::{getgid, getuid};

    use super::*;

    /// Anybody may give a file to whom it belongs already.
    #[test]
    fn numbers_need_no_account() {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine {
            scratch: folder.path().to_owned(),
            folder: folder.path().to_owned(),
            ..Machine::default()
        };
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let inputs = SetFileOwner {
            path: "file".into(),
            owner: getuid().to_string(),
            group: Some(getgid().to_string()),
        };
        perform(&inputs, &machine).unwrap();
        let metadata = fs::metadata(path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (getuid().as_raw(), getgid().as_raw()));
    }
}
