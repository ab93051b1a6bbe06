//! The messages themselves.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What the factory asks of the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "camelCase", deny_unknown_fields)]
pub enum Request {
    /// Execute phases of one component document.
    Execute(Execute),
    /// Power the machine off; a sandbox's agent ends instead.
    PowerOff,
}

/// One document to execute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Execute {
    /// The name that failures and logs give the component.
    pub component: String,
    /// The document's text, YAML or JSON.
    pub document: String,
    /// The phases to run, in the document's order whatever their order here.
    pub phases: Vec<String>,
    /// Parameter values by name; documents' defaults fill in the rest.
    pub parameters: Vec<(String, String)>,
    /// The stored parameters that the document refers to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stored: Vec<Stored>,
    /// The texts of the components that the document may execute, by ARN as
    /// documents spell it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub components: BTreeMap<String, String>,
    /// Where to go on after a reboot.
    pub resume: Option<Resume>,
}

/// A parameter of the parameter store, as `{{ aws:ssm:name }}` refers to it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stored {
    /// The name, as the document has it.
    pub name: String,
    /// The value; a list is joined by commas.
    pub value: String,
    /// Whether the value must not be seen in anything that is reported.
    pub secure: bool,
}

/// Shows no secure value.
impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.secure { "********" } else { &self.value };
        let Self { name, secure, .. } = self;
        f.debug_struct("Stored")
            .field("name", name)
            .field("value", &value)
            .field("secure", secure)
            .finish()
    }
}

/// Where an execution stood when it asked for a reboot.
///
/// Opaque to everyone but `toe`: the factory hands it back unread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resume(pub serde_json::Value);

/// What the agent reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase", deny_unknown_fields)]
pub enum Event {
    /// The agent listens. Sent first, and again after each reboot.
    #[serde(rename_all = "camelCase")]
    Ready {
        /// Seconds since the kernel started, for machines.
        uptime_seconds: f64,
    },
    /// A step begins one attempt.
    #[serde(rename_all = "camelCase")]
    StepStarted {
        /// The phase's name.
        phase: String,
        /// The step's name.
        step: String,
        /// The action module.
        action: String,
        /// 1 for the first attempt.
        attempt: u32,
    },
    /// One line a step wrote, without its line end; long lines come in pieces.
    #[serde(rename_all = "camelCase")]
    Output {
        /// The phase's name.
        phase: String,
        /// The step's name.
        step: String,
        /// Which of the step's streams.
        stream: Stream,
        /// The text; bytes that are not UTF-8 are replaced.
        line: String,
    },
    /// A step ended, after its last attempt.
    #[serde(rename_all = "camelCase")]
    StepEnded {
        /// The phase's name.
        phase: String,
        /// The step's name.
        step: String,
        /// How it ended.
        status: Status,
        /// The exit code of the step's program, where it ran one.
        exit_code: Option<i32>,
        /// Why it failed or was skipped; empty otherwise.
        message: String,
        /// How long all attempts took, in milliseconds.
        millis: u64,
        /// The inputs with their references resolved; null where it did not
        /// come to that. Long texts are cut short.
        inputs: serde_json::Value,
        /// The outputs by name. Long texts are cut short.
        outputs: serde_json::Value,
    },
    /// The document wants the instance restarted and then `resume` executed.
    #[serde(rename_all = "camelCase")]
    Reboot {
        /// What to send back in [`Execute::resume`].
        resume: Resume,
        /// Seconds to wait before restarting.
        delay_seconds: u64,
    },
    /// The requested phases are done.
    #[serde(rename_all = "camelCase")]
    Ended {
        /// `Failed` if any step failed whose failure counts.
        status: Status,
        /// Names the first failing phase and step and its reason; empty on success.
        message: String,
    },
    /// The request could not be carried out at all.
    #[serde(rename_all = "camelCase")]
    Refused {
        /// Why, in words for the user.
        message: String,
    },
}

/// How a step or a document ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// It did what it should.
    Success,
    /// It failed and that counts.
    Failed,
    /// It failed under `onFailure: Ignore`.
    IgnoredFailure,
    /// Its `if` said no.
    Skipped,
}

/// A step's output stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_without_stored_parameters_are_read() {
        let text = r#"{"component":"c","document":"","phases":[],"parameters":[],"resume":null}"#;
        let request: Execute = serde_json::from_str(text).unwrap();
        assert_eq!(request.stored, []);
        assert_eq!(serde_json::to_string(&request).unwrap(), text);
    }

    #[test]
    fn secure_values_are_not_shown() {
        let stored = |secure| Stored { name: "/a".to_owned(), value: "hunter2".to_owned(), secure };
        assert!(!format!("{:?}", stored(true)).contains("hunter2"));
        assert!(format!("{:?}", stored(false)).contains("hunter2"));
    }
}
