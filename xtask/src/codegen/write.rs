//! Reads the model, has every file generated and formats them.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{data, operations, service, shapes};
use crate::model::{self, Service};
use crate::pattern::PatternError;
use crate::wheel::{self, WheelError};

/// Where the model is in its wheel.
const MODEL: &str = "botocore/data/imagebuilder/2019-12-02/service-2.json.gz";

/// Where the module of the service is.
const FOLDER: &str = "crates/wire/src/imagebuilder";

/// A file that is generated.
#[derive(Debug, PartialEq, Eq)]
pub struct Generated {
    /// Where it belongs, relative to the root.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// Generating failed.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The model could not be had.
    #[error("failed to get the model")]
    Wheel(#[from] WheelError),
    /// The model holds what the generator does not know.
    #[error("failed to read the model")]
    Model(#[from] serde_json::Error),
    /// A constraint cannot be expressed.
    #[error("failed to express a constraint of `{0}`")]
    Pattern(String, #[source] PatternError),
    /// The model says something of a shape or an operation that is not known.
    #[error("`{subject}` has {what}, which is not known")]
    Unknown {
        /// The shape or the operation.
        subject: String,
        /// What is not known.
        what: String,
    },
    /// The generated text could not be formatted.
    #[error("failed to format `{0}` with rustfmt")]
    Format(&'static str, #[source] io::Error),
}

impl GenerateError {
    pub(super) fn unknown(subject: &str, what: impl Into<String>) -> Self {
        Self::Unknown { subject: subject.to_owned(), what: what.into() }
    }
}

/// Returns the model of Image Builder.
pub(crate) fn imagebuilder_model(root: &Path) -> Result<Service, GenerateError> {
    Ok(model::parse(&wheel::read(root, MODEL)?)?)
}

/// Returns every file generated from the model of Image Builder.
///
/// # Errors
/// Fails if the model is not to be had or says what cannot be expressed.
pub fn imagebuilder(root: &Path) -> Result<Vec<Generated>, GenerateError> {
    let service = imagebuilder_model(root)?;
    let parts = [
        ("mod.rs", service::root(&service)),
        ("generated/mod.rs", service::declarations()),
        ("generated/data.rs", data::structures(&service)?),
        ("generated/words.rs", data::words(&service)?),
        ("generated/shapes.rs", shapes::shapes(&service)?),
        ("generated/operations.rs", operations::operations(&service)?),
        ("generated/service.rs", service::service(&service)?),
        ("generated/echo.rs", service::echo(&service)?),
        ("generated/trips.rs", data::trips(&service)),
    ];
    parts
        .into_iter()
        .map(|(name, text)| {
            let text = format(root, &text).map_err(|error| GenerateError::Format(name, error))?;
            Ok(Generated { path: format!("{FOLDER}/{name}"), text })
        })
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "tasks run programs")]
fn format(root: &Path, text: &str) -> io::Result<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    // The pipe closes when it is dropped, which ends rustfmt's input.
    rustfmt.stdin.take().expect("is there because it is piped").write_all(text.as_bytes())?;
    let output = rustfmt.wait_with_output()?;
    if !output.status.success() {
        return Err(io::Error::other("rustfmt refuses the text"));
    }
    String::from_utf8(output.stdout).map_err(io::Error::other)
}
