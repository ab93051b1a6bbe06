//! Why a build failed, told so that one can act on it.

use std::fmt;

use serde::Serialize;

/// The first failure of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// What kind of thing went wrong.
    pub cause: Cause,
    /// The component, where one was at work.
    pub component: Option<String>,
    /// Its phase.
    pub phase: Option<String>,
    /// Its step.
    pub step: Option<String>,
    /// The exit code of the step's program.
    pub exit_code: Option<i32>,
    /// What went wrong, in a sentence.
    pub message: String,
    /// The last lines of output, at most twenty.
    pub last_lines: Vec<String>,
}

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// A component's build or validate phase failed.
    Component,
    /// A test failed, or the image did not boot.
    Test,
    /// The factory itself failed.
    Factory,
    /// This machine lacks something that the factory needs.
    Lacking,
    /// Somebody cancelled the build.
    Cancelled,
}

impl Failure {
    /// Returns a failure of the factory itself: `error` and all its causes.
    pub(crate) fn of(cause: Cause, error: &dyn std::error::Error) -> Box<Self> {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            message = format!("{message}: {error}");
            source = error.source();
        }
        Self::plain(cause, message)
    }

    /// Returns a failure of no component's.
    pub(crate) fn plain(cause: Cause, message: String) -> Box<Self> {
        Box::new(Self {
            cause,
            component: None,
            phase: None,
            step: None,
            exit_code: None,
            message,
            last_lines: Vec::new(),
        })
    }

    /// Returns the reason as the API's `state.reason` has it: component, phase,
    /// step, exit code, message and last lines, at most 1024 characters.
    pub fn reason(&self) -> String {
        let mut reason = self.to_string();
        for line in &self.last_lines {
            reason.push('\n');
            reason.push_str(line);
        }
        if reason.chars().count() > 1024 {
            reason = reason.chars().take(1021).collect::<String>() + "...";
        }
        reason
    }

    /// Returns what may mend it, where the message tells.
    ///
    /// What failed is often another program, of which there is only its text.
    pub fn help(&self) -> Option<&'static str> {
        let says = |texts: &[&str]| texts.iter().any(|text| self.message.contains(text));
        if self.cause != Cause::Factory {
            None
        } else if says(&["No space left on device", "Disk quota exceeded"]) {
            Some("free some space (`goldsmith gc` may), or name another folder with --data-dir")
        } else if says(&["Temporary failure resolving", "Could not connect", "is unreachable"]) {
            Some("check this machine's network, or name a `mirror` that it reaches in the project")
        } else {
            None
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(component) = &self.component {
            write!(f, "component {component}: ")?;
        }
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_can_mend_is_told() {
        let help = |cause, message: &str| Failure::plain(cause, message.to_owned()).help();
        let full = "failed to write disk.raw: No space left on device (os error 28)";
        assert!(help(Cause::Factory, full).is_some_and(|help| help.contains("goldsmith gc")));
        let offline = "Err:1 mirror.example: Temporary failure resolving 'mirror.example'";
        assert!(help(Cause::Factory, offline).is_some_and(|help| help.contains("mirror")));
        assert_eq!(help(Cause::Factory, "it broke"), None);
        assert_eq!(help(Cause::Component, full), None);
    }

    #[test]
    fn a_reason_fits_the_api() {
        let failure = Failure {
            cause: Cause::Component,
            component: Some("nginx".to_owned()),
            phase: Some("build".to_owned()),
            step: Some("Install".to_owned()),
            exit_code: Some(100),
            message: "phase build: step Install (ExecuteBash) failed with exit code 100".to_owned(),
            last_lines: vec!["E: no such package".to_owned(); 100],
        };
        let reason = failure.reason();
        assert!(reason.starts_with("component nginx: phase build: step Install"));
        assert_eq!(reason.chars().count(), 1024);
    }
}
