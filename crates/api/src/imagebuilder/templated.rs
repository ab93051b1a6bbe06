//! Texts whose variables builds fill in (reference §5.2): refused when a variable does not exist.

use std::collections::BTreeMap;

use model::Template;
use wire::imagebuilder::Error;

use super::error::{invalid, told};

/// Fails unless `text`, given in `parameter`, is a template.
pub(crate) fn template(parameter: &str, text: Option<&str>) -> Result<(), Error> {
    let Some(text) = text else { return Ok(()) };
    text.parse::<Template>().map(drop).map_err(|error| invalid(parameter, told(&error)))
}

/// Fails unless the values of all tags in `parameter` are templates.
pub(crate) fn tags(parameter: &str, tags: Option<&BTreeMap<String, String>>) -> Result<(), Error> {
    for (name, value) in tags.into_iter().flatten() {
        template(&format!("{parameter}.{name}"), Some(value))?;
    }
    Ok(())
}
