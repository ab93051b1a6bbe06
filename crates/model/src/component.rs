//! Which components a recipe applies, and how.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use name::{Arn, Kind, ParseArnError, ParseArnErrorKind};

/// The most components a recipe may have.
const COMPONENT_LIMIT: usize = 20;

/// A component as a recipe names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComponentReference {
    /// By ARN, at any level.
    Arn(Arn),
    /// A managed one, by its short name.
    Name(String),
    /// A document's file, relative to the project.
    Path(String),
}

/// A text names no component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseReferenceError {
    /// It begins as an ARN but is none.
    #[error("`{text}` is not a component's ARN")]
    BadArn {
        /// The text.
        text: String,
        /// What is wrong with it.
        #[source]
        source: ParseArnErrorKind,
    },
    /// It is the ARN of something else.
    #[error("`{0}` is the ARN of another kind of resource than a component")]
    WrongKind(String),
    /// It is neither ARN nor path nor name.
    #[error(
        "`{0}` is not a component: expected an ARN, a managed component's name \
         as in `update-linux`, or a file as in `./components/nginx.yaml`"
    )]
    BadForm(String),
}

impl FromStr for ComponentReference {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("arn:") {
            let arn: Arn = text.parse().map_err(|error: ParseArnError| {
                let source = error.kind().clone();
                ParseReferenceError::BadArn { text: text.to_owned(), source }
            })?;
            if arn.kind() != Kind::Component {
                return Err(ParseReferenceError::WrongKind(text.to_owned()));
            }
            return Ok(Self::Arn(arn));
        }
        let is_file = [".yaml", ".yml", ".json"].iter().any(|ending| text.ends_with(ending));
        if text.contains('/') || is_file {
            return Ok(Self::Path(text.to_owned()));
        }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        if text.is_empty() || !text.chars().all(allowed) {
            return Err(ParseReferenceError::BadForm(text.to_owned()));
        }
        Ok(Self::Name(text.to_owned()))
    }
}

impl fmt::Display for ComponentReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arn(arn) => arn.fmt(f),
            Self::Name(text) | Self::Path(text) => f.write_str(text),
        }
    }
}

/// A component and the parameters it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentUse {
    /// Which component.
    pub reference: ComponentReference,
    /// Parameter values, in the order given.
    pub parameters: Vec<(String, Vec<String>)>,
}

/// The components of a recipe, in the order in which they are applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Components(Vec<ComponentUse>);

/// A list of components breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComponentsError {
    /// There are too many.
    #[error("{0} components; at most {COMPONENT_LIMIT} are allowed")]
    TooMany(usize),
    /// One is there twice.
    #[error("component `{0}` is there twice")]
    Twice(String),
}

impl Components {
    /// Returns the list; fails if it is too long or has a component twice.
    pub fn new(components: Vec<ComponentUse>) -> Result<Self, ComponentsError> {
        if components.len() > COMPONENT_LIMIT {
            return Err(ComponentsError::TooMany(components.len()));
        }
        let mut seen = HashSet::new();
        for component in &components {
            if !seen.insert(&component.reference) {
                return Err(ComponentsError::Twice(component.reference.to_string()));
            }
        }
        Ok(Self(components))
    }

    /// Returns the components in order.
    pub fn as_slice(&self) -> &[ComponentUse] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_named_in_three_ways() {
        let parse = |text: &str| text.parse::<ComponentReference>();
        let arn = "arn:aws:imagebuilder:local-1:aws:component/update-linux/x.x.x";
        assert!(matches!(parse(arn), Ok(ComponentReference::Arn(_))));
        assert!(matches!(parse("update-linux"), Ok(ComponentReference::Name(_))));
        for path in ["./components/nginx.yaml", "nginx.yml", "../a", "/etc/x.json"] {
            assert!(matches!(parse(path), Ok(ComponentReference::Path(_))), "{path}");
        }
        for bad in ["", "Update Linux", "arn:aws:x", &arn.replace(":component", ":image")] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_component_is_applied_once() {
        let name = |n: usize| ComponentReference::Name(format!("c{n}"));
        let list = |count: usize| -> Vec<ComponentUse> {
            (0..count).map(|n| ComponentUse { reference: name(n), parameters: vec![] }).collect()
        };
        assert_eq!(Components::new(list(20)).unwrap().as_slice().len(), 20);
        assert_eq!(Components::new(list(21)), Err(ComponentsError::TooMany(21)));
        let twice = [list(3), list(1)].concat();
        assert_eq!(Components::new(twice), Err(ComponentsError::Twice(name(0).to_string())));
    }
}
