//! Keeps the model without its prose, has every file generated from it and formats them.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{data, operations, service, shapes};
use crate::model::{self, Service};
use crate::pattern::PatternError;
use crate::wheel::{self, WheelError};

/// Where the model is in its wheel.
const MEMBER: &str = "botocore/data/imagebuilder/2019-12-02/service-2.json.gz";

/// Where the model is kept, so that only a new one has to be fetched.
const MODEL: &str = "xtask/models/imagebuilder.json";

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
    /// The model that is kept could not be read.
    #[error("failed to read `{MODEL}`")]
    Kept(#[source] io::Error),
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

/// Returns the model in the pinned wheel, without its prose, as it is kept.
///
/// # Errors
/// Fails if the wheel is not to be had.
pub fn pinned_model(root: &Path) -> Result<Generated, GenerateError> {
    let mut model = serde_json::from_slice(&wheel::read(root, MEMBER)?)?;
    drop_prose(&mut model);
    Ok(Generated { path: MODEL.to_owned(), text: format!("{model:#}\n") })
}

/// Removes the documentation. A member of a structure may have that name, and is no text.
fn drop_prose(model: &mut Value) {
    match model {
        Value::Object(members) => {
            members.retain(|name, value| name != "documentation" || !value.is_string());
            members.values_mut().for_each(drop_prose);
        }
        Value::Array(values) => values.iter_mut().for_each(drop_prose),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Returns the model of Image Builder that is kept.
pub(crate) fn imagebuilder_model(root: &Path) -> Result<Service, GenerateError> {
    let text = std::fs::read(root.join(MODEL)).map_err(GenerateError::Kept)?;
    Ok(model::parse(&text)?)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::drop_prose;

    #[test]
    fn prose_goes_and_members_stay() {
        let mut model = json!({
            "shapes": {
                "A": {
                    "documentation": "<p>What it is.</p>",
                    "members": { "documentation": { "shape": "B", "documentation": "More." } },
                    "required": ["documentation"],
                },
            },
        });
        drop_prose(&mut model);
        let kept = json!({
            "shapes": {
                "A": {
                    "members": { "documentation": { "shape": "B" } },
                    "required": ["documentation"],
                },
            },
        });
        assert_eq!(model, kept);
    }
}
