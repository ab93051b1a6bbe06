//! Workflows attached to a pipeline or an image (reference §3.1).

use name::Arn;
use wire::imagebuilder::{
    Error, Workflow, WorkflowConfiguration, WorkflowParameterDetail, WorkflowType,
};
use wire::sigv4::Caller;

use super::error::{invalid, unsupported};
use super::own::{body, reference};
use crate::Api;

/// How many workflows of each kind there may be.
const LIMITS: [(WorkflowType, usize); 3] =
    [(WorkflowType::Build, 1), (WorkflowType::Test, 10), (WorkflowType::Distribution, 1)];

/// Returns the caller's own workflows among `attached`, if all are there and given what they take.
pub(crate) async fn check(
    api: &Api,
    caller: &Caller,
    attached: &[WorkflowConfiguration],
    role: Option<&str>,
) -> Result<Vec<Arn>, Error> {
    if !attached.is_empty() && role.is_none() {
        return Err(unsupported("An execution role is required to provide workflows"));
    }
    let (mut references, mut types) = (Vec::new(), Vec::new());
    for (index, one) in attached.iter().enumerate() {
        let place = |member: &str| format!("workflows[{index}].{member}");
        references.extend(reference(caller, &place("workflowArn"), &one.workflow_arn)?);
        let entry = api.find(caller, &place("workflowArn"), &one.workflow_arn).await?;
        let workflow: Workflow = body(&entry)?;
        if one.parallel_group.is_some() && workflow.r#type != Some(WorkflowType::Test) {
            return Err(invalid(&place("parallelGroup"), "Only test workflows run in parallel."));
        }
        let declared = workflow.parameters.unwrap_or_default();
        parameters(one, &declared).map_err(|rule| invalid(&place("parameters"), rule))?;
        types.extend(workflow.r#type);
    }
    for (limited, most) in LIMITS {
        let count = types.iter().filter(|r#type| **r#type == limited).count();
        if count > most {
            let rule = format!("There are {count} {limited} workflows, and may be {most}.");
            return Err(invalid("workflows", rule));
        }
    }
    Ok(references)
}

/// Says which of a workflow's parameters is unknown, missing or of another type, if one is.
fn parameters(
    attached: &WorkflowConfiguration,
    declared: &[WorkflowParameterDetail],
) -> Result<(), String> {
    let given = attached.parameters.as_deref().unwrap_or_default();
    for one in given {
        let Some(detail) = declared.iter().find(|detail| detail.name == one.name) else {
            return Err(format!("The workflow has no parameter '{}'.", one.name));
        };
        let fits = match (detail.r#type.as_str(), one.value.as_slice()) {
            ("stringList", _) => true,
            ("integer", [value]) => value.parse::<i64>().is_ok(),
            ("boolean", [value]) => ["true", "false"].contains(&value.as_str()),
            (_, values) => values.len() == 1,
        };
        if !fits {
            return Err(format!("'{}' is not of type {}.", one.name, detail.r#type));
        }
    }
    let is_given = |detail: &WorkflowParameterDetail| {
        detail.default_value.is_some() || given.iter().any(|one| one.name == detail.name)
    };
    match declared.iter().find(|detail| !is_given(detail)) {
        Some(detail) => Err(format!("The parameter '{}' must be given.", detail.name)),
        None => Ok(()),
    }
}
