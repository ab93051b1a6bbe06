//! `WebDownload`: fetches files over HTTP, with retries and digests.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use channel::Stream;
use document::{Algorithm, WebDownload};
use ureq::http::{StatusCode, Uri};

use super::{ActionError, Bench, Done, FileError};
use crate::digest::{self, Hasher};
use crate::files::{find, find_itself};
use crate::http::{Trust, client};
use crate::limit::Limit;
use crate::part::Part;
use crate::paths::names_folder;
use crate::retry::{Passing, Retry, is_passing_failure, is_passing_status};
use crate::tree::make_parents;

/// A download failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DownloadError {
    #[error("`{0}` ends in no file name, so `destination` must be a file")]
    NoName(String),
    #[error("failed to fetch `{url}`")]
    Request { url: String, source: ureq::Error },
    #[error("`{url}` answered {status}; only 200 is a success")]
    Status { url: String, status: StatusCode },
    #[error("`{url}` broke off")]
    Body { url: String, source: io::Error },
    #[error("`{url}` has the {algorithm} digest {actual}, not {expected}")]
    Digest { url: String, algorithm: Algorithm, expected: String, actual: String },
    #[error(transparent)]
    File(#[from] FileError),
}

impl Passing for DownloadError {
    fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, .. } => is_passing_status(*status),
            Self::Request { source, .. } => is_passing_failure(source),
            Self::Body { .. } => true,
            Self::NoName(_) | Self::Digest { .. } | Self::File(_) => false,
        }
    }
}

pub(crate) fn perform(list: &[WebDownload], bench: &mut Bench<'_>) -> Result<Done, ActionError> {
    let retry = Retry::until(bench.limit());
    let mut destinations = Vec::new();
    for inputs in list {
        let path = bench.machine.path(&destination(inputs)?);
        obtain(inputs, &path, &retry, bench)?;
        destinations.push(path.to_string_lossy().into_owned());
    }
    let outputs = vec![("destination".to_owned(), destinations.join("\n"))];
    Ok(Done { outputs, ..Done::default() })
}

/// Returns the file that `inputs` names, relative to the working directory.
fn destination(inputs: &WebDownload) -> Result<String, DownloadError> {
    if !names_folder(&inputs.destination) {
        return Ok(inputs.destination.clone());
    }
    let path = inputs.source.parse::<Uri>().map(|uri| uri.path().to_owned()).unwrap_or_default();
    match path.rsplit('/').next() {
        Some(name) if !matches!(name, "" | "." | "..") => {
            Ok(format!("{}{name}", inputs.destination))
        }
        Some(_) | None => Err(DownloadError::NoName(inputs.source.clone())),
    }
}

/// Makes `path` hold the file, fetching it if it does not already.
fn obtain(
    inputs: &WebDownload,
    path: &Path,
    retry: &Retry,
    bench: &mut Bench<'_>,
) -> Result<(), DownloadError> {
    let limit = bench.limit();
    let there = find(path)?;
    if !inputs.overwrite && find_itself(path)?.is_some() {
        return Err(FileError::Exists(path.to_owned()).into());
    }
    if let Some((algorithm, checksum)) = wanted(inputs).filter(|_| there.is_some())
        && let Ok(file) = File::open(path)
        && digest::of(&mut limit.reader(file), algorithm)
            .is_ok_and(|found| found.eq_ignore_ascii_case(checksum))
    {
        return Ok(());
    }
    make_parents(path)?;
    let attempt = |_: &mut Bench<'_>| fetch(inputs, path, &limit);
    retry.run(bench, attempt, |bench, line| bench.say(Stream::Stderr, line))
}

fn wanted(inputs: &WebDownload) -> Option<(Algorithm, &str)> {
    Some((inputs.algorithm?, inputs.checksum.as_deref()?))
}

/// Fetches once, to a temporary file beside `path` that takes its name in the end.
fn fetch(inputs: &WebDownload, path: &Path, limit: &Limit) -> Result<(), DownloadError> {
    let url = || inputs.source.clone();
    let trust = if inputs.ignore_certificate_errors { Trust::Anyone } else { Trust::Verified };
    let mut response = client(trust, limit)
        .get(&inputs.source)
        .call()
        .map_err(|source| DownloadError::Request { url: url(), source })?;
    if response.status() != StatusCode::OK {
        return Err(DownloadError::Status { url: url(), status: response.status() });
    }
    let mut part = Part::create(path)?;
    let mut hasher = wanted(inputs).map(|(algorithm, _)| Hasher::new(algorithm));
    let mut body = response.body_mut().as_reader();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => &buffer[..read],
            Err(source) => return Err(DownloadError::Body { url: url(), source }),
        };
        if let Some(hasher) = &mut hasher {
            hasher.update(read);
        }
        part.file.write_all(read).map_err(FileError::io("write to", part.path()))?;
    }
    if let (Some(hasher), Some((algorithm, expected))) = (hasher, wanted(inputs)) {
        let actual = hasher.finish();
        if !actual.eq_ignore_ascii_case(expected) {
            let expected = expected.to_owned();
            return Err(DownloadError::Digest { url: url(), algorithm, expected, actual });
        }
    }
    Ok(part.keep()?)
}

#[cfg(test)]
mod tests;
