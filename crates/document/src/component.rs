//! Component documents: phases of steps, typed.

mod executed;
mod lint;
mod outline;
mod parameter;
mod stored;
mod written;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::decode::decode;
use crate::schema::{Scalars, check};
use crate::yaml::{self, Node, Value};
use crate::{
    Environment, Guard, Parsed, Problem, Problems, Reference, Repeat, ResolveError, ResolvedAction,
    Span, Templated,
};

use outline::Outline;
use written::{Document, SCHEMA};

pub use executed::Executed;
pub use parameter::{MissingParameter, Parameter, ParameterType, ParseParameterTypeError};
pub use stored::StoredUse;
pub use written::component_schema;

/// How often one document may restart the machine.
///
/// As often as AWS's agent starts a document again by default.
pub const RESTART_LIMIT: u32 = 15;

/// How long one attempt of a step may take unless it says otherwise.
const TIMEOUT: Duration = Duration::from_secs(7200);

/// A component document (reference §2.1) that has no problems.
#[derive(Debug, Clone)]
pub struct Component {
    /// The document's name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The parameters it takes.
    pub parameters: Vec<Parameter>,
    /// Names for fixed values.
    pub constants: Vec<Constant>,
    /// Its phases, in the order in which they run.
    pub phases: Vec<Phase>,
}

/// A named fixed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Where its name is written.
    pub span: Span,
}

/// A phase: steps that run together.
#[derive(Debug, Clone)]
pub struct Phase {
    /// Its name, unique in the document.
    pub name: String,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// Where its name is written.
    pub span: Span,
}

/// A step: one action with its inputs still to be resolved.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name, unique in the phase.
    pub name: String,
    /// The action module's name.
    pub module: String,
    /// What the module is given.
    pub action: Templated<ResolvedAction>,
    /// How long one attempt may take, loop included; `None` for no limit.
    pub timeout: Option<Duration>,
    /// What a failure means for what follows.
    pub on_failure: OnFailure,
    /// How often it is tried.
    pub max_attempts: NonZeroU32,
    /// Whether it runs at all.
    pub guard: Option<Templated<Guard>>,
    /// What it is repeated over.
    pub repeat: Option<Templated<Repeat>>,
    /// Where its name is written.
    pub span: Span,
}

/// What a failed step means for what follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum OnFailure {
    /// Nothing more runs; the document failed.
    #[default]
    Abort,
    /// Later steps run; the document failed.
    Continue,
    /// Later steps run; the failure does not count.
    Ignore,
}

impl Component {
    /// Parses and checks a document, YAML or JSON.
    pub fn parse(text: &str) -> Result<Parsed<Self>, Problems> {
        let (tree, mut problems) = yaml::read(text);
        let Some(tree) = tree else { return Err(problems) };
        problems.extend(check(&SCHEMA, &SCHEMA.root, &tree, Scalars::Lenient));
        problems.extend(lint::lint(&Outline::of(&tree, &problems), text));
        if problems.refuse() {
            return Err(problems);
        }
        let document: Document = decode(&tree)
            .map_err(|error| Problem::error("invalid", tree.span, error.to_string()))?;
        Ok(Parsed { value: Self::of(document, &tree), warnings: problems })
    }

    /// Returns the value of every parameter and constant.
    ///
    /// Values in `given` replace defaults, the last of several counting;
    /// names the document does not know are ignored, as the runner does.
    pub fn values(
        &self,
        given: &[(String, String)],
    ) -> Result<BTreeMap<String, String>, MissingParameter> {
        let mut values = BTreeMap::new();
        for Parameter { name, default, .. } in &self.parameters {
            let given = given.iter().rev().find(|(given, _)| given == name);
            let value = given.map(|(_, value)| value).or(default.as_ref());
            let value = value.ok_or_else(|| MissingParameter(name.clone()))?;
            values.insert(name.clone(), value.clone());
        }
        let constants = self.constants.iter();
        values.extend(constants.map(|constant| (constant.name.clone(), constant.value.clone())));
        Ok(values)
    }

    fn of(document: Document, tree: &Node) -> Self {
        let keys = |list: &str| tree.member(list).into_iter().flat_map(Node::items);
        let spans = |list: &str| keys(list).flat_map(Node::members).map(|(key, _)| key.span);
        let parameters = document.parameters.into_iter().flatten().flatten();
        let parameters = parameters.zip(spans("parameters"));
        let constants = document.constants.into_iter().flatten().flatten().zip(spans("constants"));
        let phases = document.phases.into_iter().zip(keys("phases"));
        Self {
            name: document.name,
            description: document.description,
            parameters: parameters
                .map(|((name, parameter), span)| {
                    let written::Parameter { kind, default, description } = parameter;
                    Parameter { name, kind, default, description, span }
                })
                .collect(),
            constants: constants
                .map(|((name, constant), span)| Constant { name, value: constant.value, span })
                .collect(),
            phases: phases.map(|(phase, tree)| Phase::of(phase, tree)).collect(),
        }
    }
}

impl Phase {
    fn of(phase: written::Phase, tree: &Node) -> Self {
        let trees = tree.member("steps").into_iter().flat_map(Node::items);
        let steps = phase.steps.into_iter().zip(trees);
        Self {
            steps: steps.map(|(step, tree)| Step::of(step, tree)).collect(),
            span: phase.name.span,
            name: phase.name.value,
        }
    }
}

impl Step {
    fn of(step: written::Step, tree: &Node) -> Self {
        let schema = &*SCHEMA;
        let shape = schema.definition("Step");
        let part = |member: &str| {
            let written = tree.member(member).filter(|node| node.value != Value::Null);
            Some((written?.clone(), shape.property(member)?))
        };
        // Modules that need no inputs get empty ones.
        let nothing = Node { span: step.action.span, value: Value::Mapping(Vec::new()) };
        let inputs = part("inputs").map_or(nothing, |(tree, _)| tree);
        let inputs_shape = shape
            .case(&step.action, "inputs")
            .expect("a known action has a shape because it passed");
        let timeout = match step.timeout_seconds {
            // A document within a document has its own timeouts.
            None if step.action.value == "ExecuteDocument" => None,
            None => Some(TIMEOUT),
            // Below zero there is no limit.
            Some(seconds) => u64::try_from(seconds).ok().map(Duration::from_secs),
        };
        Self {
            name: step.name.value,
            action: Templated::new(inputs, schema, inputs_shape).of_variant(&step.action),
            module: step.action.value,
            timeout,
            on_failure: step.on_failure,
            max_attempts: step.max_attempts,
            guard: part("if").map(|(tree, shape)| Templated::new(tree, schema, shape)),
            repeat: part("loop").map(|(tree, shape)| Templated::new(tree, schema, shape)),
            span: step.name.span,
        }
    }

    /// Returns the action with every reference replaced by its value.
    ///
    /// Inputs are checked again: values may make them invalid.
    pub fn resolve(&self, environment: &impl Environment) -> Result<ResolvedAction, ResolveError> {
        self.action.resolve(environment)
    }

    /// Returns the references of its inputs, its `if` and its `loop`.
    pub fn references(&self) -> Vec<Reference> {
        let mut references = self.action.references();
        references.extend(self.guard.iter().flat_map(Templated::references));
        references.extend(self.repeat.iter().flat_map(Templated::references));
        references
    }

    /// Returns the inputs with every reference replaced, as JSON.
    ///
    /// This is what `{{ phase.step.inputs… }}` of later steps looks into, by
    /// [`StepValue::find_in`](crate::StepValue::find_in).
    pub fn resolve_inputs(
        &self,
        environment: &impl Environment,
    ) -> Result<serde_json::Value, ResolveError> {
        self.action.resolve_json(environment)
    }
}
