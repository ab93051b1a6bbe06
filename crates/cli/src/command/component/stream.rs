//! Which stream of CloudWatch Logs the lines of a run go to, and what follows
//! when they cannot.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use toe::aws::{Service, Settings};
use toe::logs::{LogStream, LogStreamError};

use crate::environment::Environment;

/// The longest name of a group or a stream, in characters.
const NAME_LIMIT: usize = 512;

/// Where the lines of `console.log` go besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogTarget {
    group: String,
    /// The stream; named after the execution when absent.
    stream: Option<String>,
    /// The region, if it is not that of everything else.
    region: Option<String>,
    /// Whether a run whose lines are lost may succeed.
    pub(crate) may_fail: bool,
}

/// What an option of the command or its configuration says of CloudWatch.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogOptions {
    pub(crate) group: Option<String>,
    pub(crate) stream: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) ignore_failures: bool,
}

/// Lines cannot go to CloudWatch as it is asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LogTargetError {
    #[error("{0} needs --cw-log-group")]
    NoGroup(&'static str),
    #[error(
        "`{0}` is not a log group: expected up to {NAME_LIMIT} letters, digits, `.`, `-`, `_`, \
         `/` and `#`"
    )]
    Group(String),
    #[error("`{0}` is not a log stream: expected up to {NAME_LIMIT} characters but `:` and `*`")]
    Stream(String),
}

impl LogTarget {
    /// Returns where lines go, if that is said. To let failures pass without
    /// logging anything is no mistake.
    pub(crate) fn of(options: LogOptions) -> Result<Option<Self>, LogTargetError> {
        let LogOptions { group, stream, region, ignore_failures: may_fail } = options;
        let Some(group) = group else {
            return match (stream, region) {
                (Some(_), _) => Err(LogTargetError::NoGroup("--cw-log-stream")),
                (None, Some(_)) => Err(LogTargetError::NoGroup("--cw-log-region")),
                (None, None) => Ok(None),
            };
        };
        let fits = |name: &str| (1..=NAME_LIMIT).contains(&name.chars().count());
        let in_group = |c: char| c.is_ascii_alphanumeric() || ".-_/#".contains(c);
        if !fits(&group) || !group.chars().all(in_group) {
            return Err(LogTargetError::Group(group));
        }
        if let Some(stream) = stream.as_ref().filter(|it| !fits(it) || it.contains([':', '*'])) {
            return Err(LogTargetError::Stream(stream.clone()));
        }
        Ok(Some(Self { group, stream, region, may_fail }))
    }

    /// Opens the stream of an execution, which ends soon after `cancel` is set.
    pub(crate) fn open(
        &self,
        execution_id: &str,
        environment: &Environment,
        cancel: &Arc<AtomicBool>,
    ) -> Result<LogStream, LogStreamError> {
        let mut settings = Settings::of(Service::Logs, |name| environment.variable(name));
        settings.region = self.region.clone().or(settings.region);
        let stream = self.stream.as_deref().unwrap_or(execution_id);
        LogStream::open(&settings, &self.group, stream, cancel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(group: Option<&str>, stream: Option<&str>, expected: Result<bool, &str>) {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let options =
            LogOptions { group: owned(group), stream: owned(stream), ..LogOptions::default() };
        let target = LogTarget::of(options).map(|target| target.is_some());
        match expected {
            Ok(expected) => assert_eq!(target, Ok(expected)),
            Err(part) => assert!(target.as_ref().is_err_and(|it| it.to_string().contains(part))),
        }
    }

    #[test]
    fn names_are_those_that_the_service_takes() {
        check(None, None, Ok(false));
        check(Some("/aws/imagebuilder/my.group-1_#"), Some("a b/é"), Ok(true));
        check(Some("g"), None, Ok(true));
        check(None, Some("s"), Err("--cw-log-stream needs --cw-log-group"));
        for bad in ["", "a b", "é", "a:b", &"x".repeat(513)] {
            check(Some(bad), None, Err("is not a log group"));
        }
        for bad in ["", "a:b", "a*", &"x".repeat(513)] {
            check(Some("g"), Some(bad), Err("is not a log stream"));
        }
        let region = Some("eu-west-1".to_owned());
        let refused = LogTarget::of(LogOptions { region, ..LogOptions::default() });
        assert_eq!(refused, Err(LogTargetError::NoGroup("--cw-log-region")));
    }
}
