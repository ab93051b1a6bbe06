//! Projects: `goldsmith.yaml` as the model has it.

mod convert;
mod sound;
mod written;

use model::{ComponentUse, Distributions, Infrastructure, Mirror, Recipe, Tests};

use crate::decode::decode;
use crate::schema::{Scalars, check, nearest};
use crate::yaml::{self, Node};
use crate::{Component, Parsed, Problem, Problems, Span};

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
    /// Where the packages of bases come from, if not from Debian.
    pub mirror: Option<Mirror>,
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

/// A component that a project names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedComponent {
    /// Which, and what it is given.
    pub used: ComponentUse,
    /// Where.
    pub place: ComponentPlace,
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
        let (tree, mut problems) = yaml::read(text);
        let Some(tree) = tree else { return Err(problems) };
        problems.extend(check(&SCHEMA, &SCHEMA.root, &tree, Scalars::Strict));
        if problems.refuse() {
            sound::judge(&tree, &mut problems);
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

    /// Returns the components that the text of a project names, in order and
    /// as far as they can be read, whatever else is wrong with it.
    ///
    /// So their documents can be checked in the same round as the project.
    pub fn named_components(text: &str) -> Vec<NamedComponent> {
        let (tree, _) = yaml::read(text);
        let recipe = tree.as_ref().and_then(|tree| tree.member("recipe"));
        let components = recipe.and_then(|recipe| recipe.member("components"));
        components.map_or(&[][..], Node::items).iter().filter_map(NamedComponent::read).collect()
    }
}

impl NamedComponent {
    fn read(tree: &Node) -> Option<Self> {
        let written = tree.member("componentArn")?;
        let reference = written.text()?.parse().ok()?;
        let (mut parameters, mut spans) = (Vec::new(), Vec::new());
        for parameter in tree.member("parameters").map_or(&[][..], Node::items) {
            let Some(name) = parameter.member("name") else { continue };
            let Some(text) = name.text() else { continue };
            let values = parameter.member("value").map_or(&[][..], Node::items);
            let values = values.iter().filter_map(Node::text).map(str::to_owned);
            parameters.push((text.to_owned(), values.collect()));
            spans.push(name.span);
        }
        let place = ComponentPlace { reference: written.span, parameters: spans };
        Some(Self { used: ComponentUse { reference, parameters }, place })
    }

    /// Returns what is wrong with what it is given, if it is `component`.
    pub fn check_parameters(&self, component: &Component) -> Problems {
        let mut problems = Problems::default();
        let Self { used, place } = self;
        let known = || component.parameters.iter().map(|parameter| parameter.name.as_str());
        for ((name, values), span) in used.parameters.iter().zip(&place.parameters) {
            let declared = component.parameters.iter().find(|parameter| parameter.name == *name);
            let Some(declared) = declared else {
                let message = format!("component `{}` has no parameter `{name}`", used.reference);
                let problem = Problem::warning("unknown-parameter", *span, message);
                problems.push(match nearest(name, known()) {
                    Some(known) => problem.help(format!("did you mean `{known}`?")),
                    None => problem,
                });
                continue;
            };
            let value = values.join(",");
            if !declared.kind.takes(&value) {
                let message = format!("`{name}` is {}, not `{value}`", declared.kind.words());
                problems.push(Problem::error("parameter-value", *span, message));
            }
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
