//! Workflow documents: the steps in which an image is built, tested or distributed (reference §3).
//!
//! Says whether a document is right; what its steps do is not for here.

mod action;
mod condition;
mod lint;
mod path;
mod written;

use crate::damage::Damage;
use crate::decode::decode;
use crate::schema::{Scalars, check};
use crate::yaml::{self, Node, Value};
use crate::{Parsed, Problem, Problems};

use written::{Document, SCHEMA};

pub use written::workflow_schema;

/// A workflow document that has no problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// What it is for.
    pub description: Option<String>,
    /// The parameters it takes.
    pub parameters: Vec<WorkflowParameter>,
    /// Its steps, in order.
    pub steps: Vec<WorkflowStep>,
}

/// A parameter of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowParameter {
    /// Its name.
    pub name: String,
    /// The type of its values: `string`, `integer`, `boolean` or `stringList`.
    pub kind: &'static str,
    /// Its value when none is given; without one it must be given.
    pub default: Option<Vec<String>>,
    /// What it is for.
    pub description: Option<String>,
}

/// A step of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowStep {
    /// Its name, unique in the document.
    pub name: String,
    /// The step action's name.
    pub action: String,
    /// What it is for.
    pub description: Option<String>,
    /// After how many seconds it is given up.
    pub timeout_seconds: u32,
}

/// What a workflow is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkflowStage {
    /// To make an image.
    Build,
    /// To test one.
    Test,
    /// To publish one.
    Distribution,
}

impl Workflow {
    /// Parses and checks a document, YAML or JSON, for a stage.
    pub fn parse(text: &str, stage: WorkflowStage) -> Result<Parsed<Self>, Problems> {
        let (tree, mut problems) = yaml::read(text);
        let Some(tree) = tree else { return Err(problems) };
        problems.extend(check(&SCHEMA, &SCHEMA.root, &tree, Scalars::Lenient));
        problems.extend(lint::lint(&tree, stage, &Damage::of(&problems)));
        if problems.refuse() {
            return Err(problems);
        }
        let document: Document = decode(&tree)
            .map_err(|error| Problem::error("invalid", tree.span, error.to_string()))?;
        Ok(Parsed { value: Self::of(document, &tree), warnings: problems })
    }

    fn of(document: Document, tree: &Node) -> Self {
        let trees = tree.member("parameters").into_iter().flat_map(Node::items);
        let parameters = document.parameters.into_iter().zip(trees).map(|(parameter, tree)| {
            let default = tree.member("default").filter(|node| node.value != Value::Null);
            WorkflowParameter {
                name: parameter.name,
                kind: parameter.kind.as_str(),
                default: default.map(texts),
                description: parameter.description,
            }
        });
        let steps = document.steps.into_iter().map(|step| WorkflowStep {
            timeout_seconds: step.timeout_seconds.unwrap_or_else(|| {
                action::find(&step.action).map_or(action::DAY, |action| action.timeout)
            }),
            name: step.name,
            action: step.action,
            description: step.description,
        });
        Self {
            description: document.description,
            parameters: parameters.collect(),
            steps: steps.collect(),
        }
    }
}

/// Returns the text of a scalar, or those of a list.
fn texts(node: &Node) -> Vec<String> {
    let one = node.text().map(str::to_owned);
    one.into_iter().chain(node.items().iter().filter_map(Node::text).map(str::to_owned)).collect()
}

impl WorkflowStage {
    /// Returns the API's word for it, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Test => "test",
            Self::Distribution => "distribution",
        }
    }
}
