//! The stored parameters that a document refers to, to be asked for before it
//! runs.
//!
//! Where their values come from is not known here.

use std::collections::BTreeMap;

use super::Component;
use crate::reference::STORED;
use crate::{Environment, Reference};

/// A stored parameter that a step refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredUse {
    /// The parameter's name.
    pub name: String,
    /// The phase's name.
    pub phase: String,
    /// The step's name.
    pub step: String,
    /// The reference as it is written, without braces.
    pub reference: Reference,
}

impl Component {
    /// Returns the stored parameters that the steps of `phases` refer to, in
    /// the order of the document, once for each reference.
    ///
    /// `values` are those of [`Component::values`]. Where the name of one
    /// parameter is the value of another, `stored` says that value; until it
    /// does, the one it names is left out. So this is asked again with what
    /// was found until it has nothing new.
    pub fn stored(
        &self,
        phases: &[&str],
        values: &BTreeMap<String, String>,
        stored: &BTreeMap<String, String>,
    ) -> Vec<StoredUse> {
        let environment = Known { values, stored };
        let mut found = Vec::new();
        for phase in self.phases.iter().filter(|phase| phases.contains(&phase.name.as_str())) {
            for step in &phase.steps {
                for reference in step.references() {
                    found.extend(environment.names(&reference).into_iter().map(|name| StoredUse {
                        name,
                        phase: phase.name.clone(),
                        step: step.name.clone(),
                        reference: reference.clone(),
                    }));
                }
            }
        }
        found
    }
}

impl Reference {
    /// Returns the name of the stored parameter this refers to, as far as
    /// `environment` knows what leads to it; `None` for other references.
    pub fn stored_name(&self, environment: &impl Environment) -> Option<String> {
        match self {
            Self::Stored(name) => Some(name.clone()),
            Self::StoredUnder(inner) => {
                let inner = match inner.strip_prefix(STORED) {
                    Some(name) => Self::Stored(name.to_owned()),
                    None => Self::Name(inner.clone()),
                };
                let name = environment.value(&inner)?;
                let name = name.trim();
                Some(name.strip_prefix(STORED).unwrap_or(name).to_owned())
            }
            Self::Name(_) | Self::Input(_) | Self::Output(_) | Self::Loop { .. } => None,
        }
    }
}

/// What is known before a document runs.
pub(super) struct Known<'a> {
    pub(super) values: &'a BTreeMap<String, String>,
    pub(super) stored: &'a BTreeMap<String, String>,
}

impl Known<'_> {
    /// Returns the names that `reference` needs a value for.
    fn names(&self, reference: &Reference) -> Vec<String> {
        let mut names = Vec::new();
        if let Reference::StoredUnder(inner) = reference {
            names.extend(inner.strip_prefix(STORED).map(str::to_owned));
        }
        names.extend(reference.stored_name(self));
        names
    }
}

impl Environment for Known<'_> {
    fn value(&self, reference: &Reference) -> Option<String> {
        match reference {
            Reference::Name(name) => self.values.get(name).cloned(),
            Reference::Stored(name) => self.stored.get(name).cloned(),
            Reference::StoredUnder(_)
            | Reference::Input(_)
            | Reference::Output(_)
            | Reference::Loop { .. } => None,
        }
    }
}
