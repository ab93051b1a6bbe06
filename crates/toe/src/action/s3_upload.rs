//! `S3Upload`: stores files as objects in S3.

use std::fs::File;
use std::path::Path;

use document::{S3Address, S3Upload};

use super::s3_download::ObjectError;
use super::{ActionError, Bench, Done, FileError};
use crate::files::{require, require_any};
use crate::paths::{expand, names_folder};
use crate::s3::Client;
use crate::tree::entries;

pub(crate) fn perform(list: &[S3Upload], bench: &mut Bench<'_>) -> Result<Done, ActionError> {
    let machine = bench.machine;
    let mut client = bench.s3();
    for inputs in list {
        let source = machine.path(&inputs.source);
        let destination = inputs.destination.parse().map_err(ObjectError::from)?;
        store(inputs, &source, &destination, &mut client)?;
    }
    Ok(Done::default())
}

fn store(
    inputs: &S3Upload,
    source: &Path,
    destination: &S3Address,
    client: &mut Client<'_>,
) -> Result<(), ObjectError> {
    let name = source.file_name().unwrap_or_default();
    if name.as_encoded_bytes().contains(&b'*') {
        let found = expand(source).map_err(FileError::io("search", source))?;
        if found.is_empty() {
            return Err(FileError::NoMatch(source.to_owned()).into());
        }
        for path in found {
            store_below(inputs, &path, destination, client)?;
        }
        return Ok(());
    }
    if require_any(source)?.is_dir() {
        if !inputs.recurse {
            return Err(ObjectError::NotRecursive(source.to_owned()));
        }
        for path in entries(source)? {
            store_below(inputs, &path, destination, client)?;
        }
        return Ok(());
    }
    if destination.key.is_empty() || names_folder(&destination.key) {
        return store_below(inputs, source, destination, client);
    }
    store_one(inputs, source, destination, client)
}

/// Stores `path` under its name below the prefix; a folder only if asked for.
fn store_below(
    inputs: &S3Upload,
    path: &Path,
    prefix: &S3Address,
    client: &mut Client<'_>,
) -> Result<(), ObjectError> {
    let name = path.file_name().unwrap_or_default();
    let name = name.to_str().ok_or_else(|| ObjectError::NoText(path.to_owned()))?;
    let separator = if prefix.key.is_empty() || names_folder(&prefix.key) { "" } else { "/" };
    let key = format!("{}{separator}{name}", prefix.key);
    let object = S3Address { bucket: prefix.bucket.clone(), key };
    if !path.is_dir() {
        return store_one(inputs, path, &object, client);
    }
    // A link could lead around in a circle.
    if inputs.recurse && !path.is_symlink() {
        for path in entries(path)? {
            store_below(inputs, &path, &object, client)?;
        }
    }
    Ok(())
}

fn store_one(
    inputs: &S3Upload,
    path: &Path,
    object: &S3Address,
    client: &mut Client<'_>,
) -> Result<(), ObjectError> {
    require(path)?;
    let file = File::open(path).map_err(FileError::io("read", path))?;
    Ok(client.upload(object, inputs.expected_bucket_owner.as_deref(), &file)?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::Machine;
    use crate::cause::chain;
    use crate::clock::Deadline;
    use crate::mask::Mask;
    use crate::s3::server::{OWNER, Server};

    /// Uploads and checks what the server holds then, or the error.
    #[track_caller]
    fn check(source: &str, destination: &str, recurse: bool, expected: Result<&str, &str>) {
        let server = Server::start(&[]);
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("work");
        fs::create_dir_all(root.join("src/deep")).unwrap();
        for (name, text) in [("one", "1"), ("src/a.txt", "a"), ("src/b c", "b"), ("src/deep/d", "")]
        {
            fs::write(root.join(name), text).unwrap();
        }
        symlink("..", root.join("src/deep/up")).unwrap();
        let machine = Machine { folder: root.clone(), s3: server.settings(), ..Machine::default() };
        let inputs = S3Upload {
            source: source.into(),
            destination: destination.into(),
            recurse,
            expected_bucket_owner: Some(OWNER.into()),
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
            .map(|_| server.objects().join(" "))
            .map_err(|error| chain(&error).replace(&*folder.path().to_string_lossy(), "FOLDER"));
        assert_eq!(result.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn one_file_becomes_an_object() {
        check("one", "s3://bucket/k/other", false, Ok("/bucket/k/other=1"));
        check("one", "s3://bucket/k/", false, Ok("/bucket/k/one=1"));
        check("one", "s3://bucket", true, Ok("/bucket/one=1"));
        check("absent", "s3://bucket/k", false, Err("`FOLDER/work/absent` does not exist"));
        check(
            "/dev/null",
            "s3://bucket/k",
            false,
            Err("`/dev/null` is neither a file nor a folder"),
        );
    }

    #[test]
    fn patterns_and_folders_become_several() {
        check("src/*", "s3://bucket/k", false, Ok("/bucket/k/a.txt=a /bucket/k/b c=b"));
        check("src/*.txt", "s3://bucket/k/", true, Ok("/bucket/k/a.txt=a"));
        check(
            "src/*",
            "s3://bucket/k",
            true,
            Ok("/bucket/k/a.txt=a /bucket/k/b c=b /bucket/k/deep/d="),
        );
        check("src", "s3://bucket", true, Ok("/bucket/a.txt=a /bucket/b c=b /bucket/deep/d="));
        check("src/x*", "s3://bucket/k", false, Err("nothing matches `FOLDER/work/src/x*`"));
        check(
            "src",
            "s3://bucket/k",
            false,
            Err("`FOLDER/work/src` is a folder and `recurse` is false"),
        );
    }
}
