//! What a run is asked for: the command line over the configuration file.

use std::io;
use std::path::PathBuf;

use name::Account;

use super::config::{Config, ConfigParameter};
use super::object::{LogBucket, LogBucketError, ObjectError, Objects};
use super::run::Run;
use super::stream::{LogOptions, LogTarget, LogTargetError};
use crate::environment::Environment;

/// What a run is asked for. Documents are named, not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// The documents in their order, each with its parameters.
    pub(crate) documents: Vec<(String, Vec<(String, String)>)>,
    /// The phases; `None` for all.
    pub(crate) phases: Option<Vec<String>>,
    /// The execution's id, if it is given.
    pub(crate) execution_id: Option<String>,
    /// Where the log folder goes.
    pub(crate) log_directory: PathBuf,
    /// Where the log folder is stored in the end, besides.
    pub(crate) log_bucket: Option<LogBucket>,
    /// Where lines go in CloudWatch Logs, besides.
    pub(crate) log_target: Option<LogTarget>,
    /// The account that must own the buckets of documents.
    pub(crate) document_owner: Option<Account>,
    /// Where state is kept over a restart.
    pub(crate) state_directory: Option<PathBuf>,
    /// Whether the runner's own notes are shown.
    pub(crate) trace: bool,
}

/// A run is not asked for in the right way.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrderError {
    #[error("there is no document to run")]
    NoDocument,
    #[error("failed to read the configuration {}", path.display())]
    ReadConfig {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the configuration {} is wrong", path.display())]
    Config {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("failed to fetch the configuration {address}")]
    FetchConfig {
        address: String,
        #[source]
        source: ObjectError,
    },
    #[error(transparent)]
    LogBucket(#[from] LogBucketError),
    #[error(transparent)]
    LogTarget(#[from] LogTargetError),
    #[error("`{0}` is not a parameter: expected name=value")]
    Parameter(String),
    #[error("`{0}` is not an execution id: expected up to 128 letters, digits, `-`, `_` and `.`")]
    ExecutionId(String),
    #[error(
        "--shell-on-failure opens a shell in a sandbox only, as the agent alone can be talked to \
         in a machine: leave out --vm"
    )]
    ShellInMachine,
    #[error("{document}: {source}")]
    Missing { document: String, source: document::MissingParameter },
}

impl Order {
    /// Returns what `run` asks for; what it does not say, its configuration
    /// file does.
    pub(crate) fn of(run: &Run, environment: &Environment) -> Result<Self, OrderError> {
        if run.vm && run.shell_on_failure {
            return Err(OrderError::ShellInMachine);
        }
        let objects = Objects::of(environment, run.document_s3_bucket_owner.clone());
        let read = |path| Config::read(path, &objects);
        let config = run.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let log_bucket = log_bucket(run, &config)?;
        let log_target = log_target(run, &config)?;
        let named = run.positional.iter().chain(&run.documents);
        let given = parameters(&run.parameters)?;
        let documents = match run.config {
            None => named.map(|name| (name.clone(), given.clone())).collect(),
            Some(_) => configured(&config),
        };
        let execution_id = run.execution_id.clone().or(config.execution_id);
        if let Some(id) = execution_id.as_deref().filter(|id| !is_id(id)) {
            return Err(OrderError::ExecutionId(id.to_owned()));
        }
        let phases = match &run.phases[..] {
            [] => config.phases.map(|phases| phases.split(',').map(str::to_owned).collect()),
            given => Some(given.to_vec()),
        };
        Ok(Self {
            documents,
            phases: phases.map(|phases: Vec<String>| {
                phases.iter().map(|phase| phase.trim().to_owned()).collect()
            }),
            execution_id,
            log_directory: run
                .log_directory
                .clone()
                .or(config.log_directory)
                .unwrap_or_else(|| PathBuf::from(".")),
            log_bucket,
            log_target,
            document_owner: run
                .document_s3_bucket_owner
                .clone()
                .or(config.document_s3_bucket_owner),
            state_directory: run.state_directory.clone().or(config.state_directory),
            trace: run.trace || config.trace,
        })
    }
}

/// Returns the documents of a configuration: their own parameters come after
/// those of all, and the last of a name counts.
fn configured(config: &Config) -> Vec<(String, Vec<(String, String)>)> {
    let pair = |one: &ConfigParameter| (one.name.clone(), one.value.clone());
    let all = &config.parameters;
    let documents = config.documents.iter();
    documents
        .map(|one| (one.path.clone(), all.iter().chain(&one.parameters).map(pair).collect()))
        .collect()
}

/// Returns where the logs go besides, each part as `run` says or else `config`.
fn log_bucket(run: &Run, config: &Config) -> Result<Option<LogBucket>, LogBucketError> {
    LogBucket::of(
        run.log_s3_bucket_name.clone().or_else(|| config.log_s3_bucket_name.clone()),
        run.log_s3_bucket_owner.clone().or_else(|| config.log_s3_bucket_owner.clone()),
        run.log_s3_key_prefix.clone().or_else(|| config.log_s3_key_prefix.clone()),
    )
}

/// Returns where lines go besides, each part as `run` says or else `config`.
fn log_target(run: &Run, config: &Config) -> Result<Option<LogTarget>, LogTargetError> {
    LogTarget::of(LogOptions {
        group: run.cw_log_group.clone().or_else(|| config.cw_log_group.clone()),
        stream: run.cw_log_stream.clone().or_else(|| config.cw_log_stream.clone()),
        region: run.cw_log_region.clone().or_else(|| config.cw_log_region.clone()),
        ignore_failures: run.cw_ignore_failures || config.cw_ignore_failures,
    })
}

/// Returns the pairs of `name=value,name=value` texts. A part without `=`
/// belongs to the value before it, which may hold commas.
fn parameters(texts: &[String]) -> Result<Vec<(String, String)>, OrderError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for text in texts {
        let mut is_first = true;
        for part in text.split(',') {
            match (part.split_once('='), pairs.last_mut()) {
                (Some((name, value)), _) if is_name(name.trim()) => {
                    pairs.push((name.trim().to_owned(), value.to_owned()));
                }
                (_, Some((_, value))) if !is_first => {
                    value.push(',');
                    value.push_str(part);
                }
                (_, _) => return Err(OrderError::Parameter(part.to_owned())),
            }
            is_first = false;
        }
    }
    Ok(pairs)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

fn is_id(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=128).contains(&text.len()) && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(texts: &[&str], expected: Option<&[(&str, &str)]>) {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        let found = parameters(&texts).ok();
        let expected = expected.map(|pairs| {
            pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
        });
        assert_eq!(found, expected, "{texts:?}");
    }

    #[test]
    fn parameters_come_in_one_text_or_many() {
        check(&[], Some(&[]));
        check(&["a1b=1,b=2"], Some(&[("a1b", "1"), ("b", "2")]));
        check(&["a=1", "b=2=3,"], Some(&[("a", "1"), ("b", "2=3,")]));
        check(&["list=x,y,z,n=1"], Some(&[("list", "x,y,z"), ("n", "1")]));
        check(
            &["url=https://mirror.example/?q,r=s"],
            Some(&[("url", "https://mirror.example/?q"), ("r", "s")]),
        );
        check(&["none"], None);
        check(&["=1"], None);
        check(&["a=1", "none"], None);
    }

    #[test]
    fn ids_are_names_of_files() {
        assert!(is_id("5e414a56-1b11-4d0e-8a6c-7d9b2f1c0a11"));
        for bad in ["", "a/b", "a b", "è", &"x".repeat(129)] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
