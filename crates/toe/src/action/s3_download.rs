//! `S3Download`: fetches objects from S3.

use std::fs;
use std::path::{Component, Path, PathBuf};

use document::{ParseS3AddressError, S3Address, S3Download};

use super::{ActionError, Bench, Done, FileError};
use crate::files::{find_itself, require_any};
use crate::part::Part;
use crate::paths::names_folder;
use crate::s3::{Client, S3Error};

/// How many objects may be below one prefix (reference §2.6).
const LIMIT: usize = 1000;

/// Objects could not be fetched or stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObjectError {
    #[error(transparent)]
    Address(#[from] ParseS3AddressError),
    // AWS's runner says it so, and scripts look for it.
    #[error(
        "S3Download: File already exists and \"overwrite\" property for \"destination\" file is \
         set to false. Cannot download."
    )]
    Exists,
    #[error("there is no object below `{0}`")]
    NoObject(String),
    #[error("the key `{0}` leads out of the destination")]
    BadKey(String),
    #[error("`{0}` is a folder and `recurse` is false")]
    NotRecursive(PathBuf),
    #[error("the name of `{0}` is no text in UTF-8")]
    NoText(PathBuf),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    S3(#[from] S3Error),
}

pub(crate) fn perform(list: &[S3Download], bench: &mut Bench<'_>) -> Result<Done, ActionError> {
    let machine = bench.machine;
    let mut client = bench.s3();
    for inputs in list {
        let destination = machine.path(&inputs.destination);
        let source = inputs.source.parse().map_err(ObjectError::from)?;
        fetch(inputs, &source, &destination, &mut client)?;
    }
    Ok(Done::default())
}

fn fetch(
    inputs: &S3Download,
    source: &S3Address,
    destination: &Path,
    client: &mut Client<'_>,
) -> Result<(), ObjectError> {
    let Some(prefix) = source.key.strip_suffix('*').filter(|it| it.is_empty() || it.ends_with('/'))
    else {
        if names_folder(&inputs.destination) {
            return Err(FileError::Folder(destination.to_owned()).into());
        }
        return fetch_one(inputs, source, destination, client);
    };
    require_folder(destination)?;
    let below = S3Address { bucket: source.bucket.clone(), key: prefix.to_owned() };
    let keys = client.list(&below, inputs.expected_bucket_owner.as_deref(), LIMIT)?;
    if keys.is_empty() {
        return Err(ObjectError::NoObject(inputs.source.clone()));
    }
    for key in keys {
        let name = key.strip_prefix(prefix).unwrap_or(&key);
        if !stays_below(name) {
            return Err(ObjectError::BadKey(key));
        }
        let path = destination.join(name);
        // An empty object whose key ends so stands for a folder.
        let folder = if names_folder(name) { Some(path.as_path()) } else { path.parent() };
        if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(FileError::io("create", folder))?;
        }
        if !name.is_empty() && !names_folder(name) {
            let object = S3Address { bucket: source.bucket.clone(), key };
            fetch_one(inputs, &object, &path, client)?;
        }
    }
    Ok(())
}

fn fetch_one(
    inputs: &S3Download,
    source: &S3Address,
    path: &Path,
    client: &mut Client<'_>,
) -> Result<(), ObjectError> {
    if path.is_dir() {
        return Err(FileError::Folder(path.to_owned()).into());
    }
    if !inputs.overwrite && find_itself(path)?.is_some() {
        return Err(ObjectError::Exists);
    }
    require_folder(path.parent().unwrap_or(path))?;
    let mut part = Part::create(path)?;
    client.download(source, inputs.expected_bucket_owner.as_deref(), &mut part.file)?;
    Ok(part.keep()?)
}

fn require_folder(path: &Path) -> Result<(), FileError> {
    if require_any(path)?.is_dir() { Ok(()) } else { Err(FileError::NotAFolder(path.to_owned())) }
}

/// Whether a part of a key leads to something below where it is put.
fn stays_below(name: &str) -> bool {
    Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
        && !name.contains('\0')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Machine;
    use crate::cause::chain;
    use crate::clock::Deadline;
    use crate::limit::Limit;
    use crate::mask::Mask;
    use crate::s3::server::{OWNER, Server};

    const OBJECTS: [(&str, &str); 6] = [
        ("/bucket/one.txt", "one"),
        ("/bucket/p/", ""),
        ("/bucket/p/a", "in a"),
        ("/bucket/p/deep/b", "in b"),
        ("/bucket/p/empty/", ""),
        ("/bucket/evil/../../b", "x"),
    ];

    /// Downloads and checks what is in the folder then, or the error.
    #[track_caller]
    fn check(source: &str, destination: &str, overwrite: bool, expected: Result<&str, &str>) {
        let server = Server::start(&OBJECTS);
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("work");
        fs::create_dir_all(root.join("there")).unwrap();
        fs::write(root.join("old"), "old").unwrap();
        let machine = Machine { folder: root.clone(), s3: server.settings(), ..Machine::default() };
        let inputs = S3Download {
            source: source.into(),
            destination: destination.into(),
            expected_bucket_owner: Some(OWNER.into()),
            overwrite,
        };
        let mut bench = Bench {
            machine: &machine,
            deadline: Deadline::after(None),
            tell: &mut |_| {},
            mask: &Mask::default(),
            requests: &[],
            resume: None,
        };
        let done = perform(&[inputs], &mut bench);
        let result = done
            .map(|_| told(&root))
            .map_err(|error| chain(&error).replace(&*folder.path().to_string_lossy(), "FOLDER"));
        assert_eq!(result.as_deref().map_err(String::as_str), expected);
        assert!(!told(&root).contains(".part"), "no part is left");
    }

    fn told(root: &Path) -> String {
        let mut told = Vec::new();
        let limit = Limit::new(Deadline::after(None), &Arc::default());
        let visit = &mut |path: &Path, metadata: &fs::Metadata| {
            let name = path.strip_prefix(root).unwrap().display();
            told.push(match metadata.is_dir() {
                true => format!("{name}/"),
                false => format!("{name}={}", fs::read_to_string(path).unwrap()),
            });
            Ok(())
        };
        crate::tree::walk(root, &limit, visit).unwrap();
        told.join(" ")
    }

    #[test]
    fn one_object_becomes_a_file() {
        check("s3://bucket/one.txt", "new", true, Ok("new=one old=old there/ /"));
        check("s3://bucket/one.txt", "old", true, Ok("old=one there/ /"));
        check(
            "s3://bucket/one.txt",
            "old",
            false,
            Err("S3Download: File already exists and \"overwrite\" property for \"destination\" \
                 file is set to false. Cannot download."),
        );
        check("s3://bucket/one.txt", "there", true, Err("`FOLDER/work/there` is a folder"));
        check("s3://bucket/one.txt", "there/", true, Err("`FOLDER/work/there/` is a folder"));
        check("s3://bucket/one.txt", "no/new", true, Err("`FOLDER/work/no` does not exist"));
        check("s3://bucket/one.txt", "old/new", true, Err("`FOLDER/work/old` is not a folder"));
        check(
            "s3://bucket/absent",
            "new",
            true,
            Err("`s3://bucket/absent` answered 404 Not Found: NoSuchKey: The specified key does \
                 not exist."),
        );
    }

    #[test]
    fn a_prefix_becomes_a_folder() {
        check(
            "s3://bucket/p/*",
            "there",
            false,
            Ok("old=old there/a=in a there/deep/b=in b there/deep/ there/empty/ there/ /"),
        );
        check("s3://bucket/p/*", "absent/", true, Err("`FOLDER/work/absent/` does not exist"));
        check("s3://bucket/p/*", "old", true, Err("`FOLDER/work/old` is not a folder"));
        check("s3://bucket/q/*", "there/", true, Err("there is no object below `s3://bucket/q/*`"));
        check(
            "s3://bucket/evil/*",
            "there",
            true,
            Err("the key `evil/../../b` leads out of the destination"),
        );
    }
}
