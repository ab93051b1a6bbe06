//! Projects: `goldsmith.yaml` as the model has it.

mod convert;
mod written;

use model::{Distributions, Infrastructure, Recipe, Tests};

use crate::decode::decode;
use crate::schema::{Scalars, check, nearest};
use crate::{Component, Parsed, Problem, Problems, Span, yaml};

use written::SCHEMA;

pub use written::project_schema;

/// A project that has no problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// What the image is made of.
    pub recipe: Recipe,
    /// What it is built and tested on.
    pub infrastructure: Infrastructure,
    /// How it is tested.
    pub tests: Tests,
    /// Where it is published.
    pub distributions: Distributions,
    /// The package archive that bases are made from, if not the usual one.
    pub mirror: Option<String>,
    /// The time that files are dated to, in seconds since 1970.
    pub source_date_epoch: Option<u64>,
    /// Where the parent and the components are named.
    pub places: Places,
}

/// Where a project names what others look up, to point at what they miss.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// The recipe's `parentImage`.
    pub parent: Span,
    /// The recipe's components, in order.
    pub components: Vec<ComponentPlace>,
}

/// Where a project names a component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComponentPlace {
    /// Its `componentArn`.
    pub reference: Span,
    /// The names of its parameters, in order.
    pub parameters: Vec<Span>,
}

impl Project {
    /// Parses and checks the text of a `goldsmith.yaml`, YAML or JSON.
    pub fn parse(text: &str) -> Result<Parsed<Self>, Problems> {
        let tree = yaml::parse(text)?;
        let mut problems = check(&SCHEMA, &SCHEMA.root, &tree, Scalars::Strict);
        if problems.refuse() {
            return Err(problems);
        }
        let document = decode(&tree)
            .map_err(|error| Problem::error("invalid", tree.span, error.to_string()))?;
        let value = convert::convert(document, &mut problems);
        match value {
            Some(value) if !problems.refuse() => Ok(Parsed { value, warnings: problems }),
            Some(_) | None => Err(problems),
        }
    }

    /// Returns what is wrong with the parameters given to the component that
    /// stands at `index` of the recipe's list and is `component`.
    pub fn check_parameters(&self, index: usize, component: &Component) -> Problems {
        let mut problems = Problems::default();
        let uses = self.recipe.components.as_slice().get(index);
        let (Some(used), Some(place)) = (uses, self.places.components.get(index)) else {
            return problems;
        };
        let known = || component.parameters.iter().map(|parameter| parameter.name.as_str());
        for ((name, _), span) in used.parameters.iter().zip(&place.parameters) {
            if known().any(|known| known == name) {
                continue;
            }
            let message = format!("component `{}` has no parameter `{name}`", used.reference);
            let problem = Problem::warning("unknown-parameter", *span, message);
            problems.push(match nearest(name, known()) {
                Some(known) => problem.help(format!("did you mean `{known}`?")),
                None => problem,
            });
        }
        let needed = component.parameters.iter().filter(|parameter| parameter.default.is_none());
        for parameter in needed {
            if !used.parameters.iter().any(|(name, _)| *name == parameter.name) {
                let (reference, name) = (&used.reference, &parameter.name);
                let message = format!("component `{reference}` needs a value for `{name}`");
                problems.push(Problem::error("missing-parameter", place.reference, message));
            }
        }
        problems
    }
}
