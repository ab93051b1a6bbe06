//! Reads one object and stores one folder, for whoever runs documents.
//!
//! What documents themselves ask of S3 is the actions' to do.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use document::S3Address;

use super::{Client, S3Error};
use crate::aws::Settings;
use crate::clock::Deadline;
use crate::limit::Limit;

/// How long reading an object may take.
const READ_LIMIT: Duration = Duration::from_secs(5 * 60);

/// How long storing a folder may take.
const STORE_LIMIT: Duration = Duration::from_secs(60 * 60);

/// An object cannot be read, or a folder cannot be stored.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TransferError(Box<Cause>);

impl From<Cause> for TransferError {
    fn from(cause: Cause) -> Self {
        Self(Box::new(cause))
    }
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    S3(#[from] S3Error),
    #[error("failed to read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the name of {} is no text in UTF-8", .0.display())]
    NoText(PathBuf),
}

/// Returns an object that is at most `limit` bytes long; fails if its bucket
/// is not the account `owner`'s.
pub fn read_object(
    settings: &Settings,
    address: &S3Address,
    owner: Option<&str>,
    limit: usize,
) -> Result<Vec<u8>, TransferError> {
    let mut client = Client::new(settings, within(READ_LIMIT), |_| {});
    let bytes = client.read(address, owner, limit).map_err(Cause::S3)?;
    Ok(bytes)
}

/// Stores every file in `folder` under its name below the prefix `address`;
/// fails if its bucket is not the account `owner`'s.
///
/// Folders within are stored too, links are not. What is stored when it fails
/// stays.
pub fn store_folder(
    settings: &Settings,
    folder: &Path,
    address: &S3Address,
    owner: Option<&str>,
) -> Result<(), TransferError> {
    let mut client = Client::new(settings, within(STORE_LIMIT), |_| {});
    store_below(&mut client, folder, address, owner)?;
    Ok(())
}

/// Nothing but time ends these: they come before or after what can be stopped.
fn within(time: Duration) -> Limit {
    Limit::new(Deadline::after(Some(time)), &Arc::default())
}

fn store_below(
    client: &mut Client<'_>,
    folder: &Path,
    address: &S3Address,
    owner: Option<&str>,
) -> Result<(), Cause> {
    let failed = |source| Cause::Read { path: folder.to_owned(), source };
    let entries = fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>();
    let mut entries = entries.map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| Cause::NoText(path.clone()))?;
        let key = format!("{}/{name}", address.key.trim_end_matches('/'));
        let object = S3Address {
            bucket: address.bucket.clone(),
            key: key.trim_start_matches('/').to_owned(),
        };
        if kind.is_dir() {
            store_below(client, &path, &object, owner)?;
        } else if kind.is_file() {
            let file = File::open(&path).map_err(|source| Cause::Read { path, source })?;
            client.upload(&object, owner, &file)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::cause::chain;
    use crate::s3::server::{OWNER, Server};

    fn address(text: &str) -> S3Address {
        text.parse().unwrap()
    }

    #[test]
    fn objects_are_read_up_to_a_limit() {
        let server = Server::start(&[("/bucket/a/b.yaml", "text")]);
        let read = |at: &str, owner: &str, limit| {
            read_object(&server.settings(), &address(at), Some(owner), limit)
                .map_err(|error| chain(&error))
        };
        assert_eq!(read("s3://bucket/a/b.yaml", OWNER, 4).unwrap(), b"text");
        assert_eq!(
            read("s3://bucket/a/b.yaml", OWNER, 3).unwrap_err(),
            "`s3://bucket/a/b.yaml` is larger than 3 bytes"
        );
        assert_eq!(
            read("s3://bucket/none", OWNER, 4).unwrap_err(),
            "`s3://bucket/none` answered 404 Not Found: NoSuchKey: The specified key does not exist."
        );
        let other = read("s3://bucket/a/b.yaml", "000000000000", 4);
        assert!(other.unwrap_err().contains("AccessDenied"));
    }

    #[test]
    fn folders_are_stored_below_a_prefix() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("deep")).unwrap();
        for (name, text) in [("b.log", "b"), ("a.log", "a"), ("deep/c", "")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        symlink("..", folder.path().join("up")).unwrap();
        for (at, expected) in [
            (
                "s3://bucket/logs/x",
                ["/bucket/logs/x/a.log=a", "/bucket/logs/x/b.log=b", "/bucket/logs/x/deep/c="],
            ),
            ("s3://bucket", ["/bucket/a.log=a", "/bucket/b.log=b", "/bucket/deep/c="]),
        ] {
            let server = Server::start(&[]);
            store_folder(&server.settings(), folder.path(), &address(at), Some(OWNER)).unwrap();
            assert_eq!(server.objects(), expected);
        }
        let absent = folder.path().join("absent");
        let server = Server::start(&[]);
        let error = store_folder(&server.settings(), &absent, &address("s3://bucket"), None);
        assert!(chain(&error.unwrap_err()).starts_with("failed to read /"));
    }
}
