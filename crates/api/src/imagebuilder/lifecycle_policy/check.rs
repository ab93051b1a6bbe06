//! What a lifecycle policy may say (reference §6.1), beyond what the model constrains.

use std::collections::HashSet;

use name::{ParseVersionError, Region, VersionPattern};
use wire::imagebuilder::{
    Error, LifecyclePolicy, LifecyclePolicyDetail, LifecyclePolicyDetailActionType,
    LifecyclePolicyDetailFilterType, LifecyclePolicyResourceSelection, LifecyclePolicyResourceType,
};

use crate::imagebuilder::error::{combination, invalid, told};

/// Fails if a policy contradicts itself.
pub(super) fn check(policy: &LifecyclePolicy) -> Result<(), Error> {
    let is_of_containers =
        policy.resource_type == Some(LifecyclePolicyResourceType::ContainerImage);
    let mut actions = HashSet::new();
    for (index, detail) in policy.policy_details.iter().flatten().enumerate() {
        let at = format!("policyDetails[{index}]");
        let action = detail.action.r#type;
        if !actions.insert(action) {
            let rule = format!("The action {action} is there twice.");
            return Err(invalid(&format!("{at}.action.type"), rule));
        }
        check_action(&at, detail, is_of_containers)?;
        check_filter(&at, detail)?;
        check_exclusions(&at, detail, is_of_containers)?;
    }
    policy.resource_selection.as_ref().map_or(Ok(()), check_selection)
}

fn check_action(
    at: &str,
    detail: &LifecyclePolicyDetail,
    is_of_containers: bool,
) -> Result<(), Error> {
    use LifecyclePolicyDetailActionType::{Delete, Deprecate, Disable};
    let action = detail.action.r#type;
    match action {
        Deprecate | Disable if is_of_containers => {
            let rule = format!("There is no {action} for container images.");
            return Err(invalid(&format!("{at}.action.type"), rule));
        }
        Delete | Deprecate | Disable => (),
    }
    let Some(include) = &detail.action.include_resources else { return Ok(()) };
    let at = format!("{at}.action.includeResources");
    let of_amis = [("amis", include.amis), ("snapshots", include.snapshots)];
    let of_containers = [("containers", include.containers)];
    let others: &[_] = if is_of_containers { &of_amis } else { &of_containers };
    if let Some((member, _)) = others.iter().find(|(_, is_included)| *is_included == Some(true)) {
        let rule = "The policy's resource type has no such resources.";
        return Err(combination(format!("'{at}.{member}' cannot be given. {rule}")));
    }
    if include.snapshots == Some(true) {
        if action != Delete {
            return Err(combination(format!("'{at}.snapshots' is for the action DELETE.")));
        }
        if include.amis != Some(true) {
            return Err(combination(format!("'{at}.snapshots' needs '{at}.amis'.")));
        }
    }
    Ok(())
}

fn check_filter(at: &str, detail: &LifecyclePolicyDetail) -> Result<(), Error> {
    use LifecyclePolicyDetailFilterType::{Age, Count};
    let (filter, at) = (&detail.filter, format!("{at}.filter"));
    match (filter.r#type, filter.unit) {
        (Age, None) => return Err(combination(format!("The filter AGE needs '{at}.unit'."))),
        (Count, Some(_)) => {
            return Err(combination(format!("The filter COUNT cannot have '{at}.unit'.")));
        }
        (Age, Some(_)) | (Count, None) => (),
    }
    let may_retain =
        filter.r#type == Age && detail.action.r#type == LifecyclePolicyDetailActionType::Delete;
    if filter.retain_at_least.is_some() && !may_retain {
        let rule = "is for the action DELETE with the filter AGE";
        return Err(combination(format!("'{at}.retainAtLeast' {rule}.")));
    }
    Ok(())
}

fn check_exclusions(
    at: &str,
    detail: &LifecyclePolicyDetail,
    is_of_containers: bool,
) -> Result<(), Error> {
    let rules = detail.exclusion_rules.as_ref();
    let Some(amis) = rules.and_then(|rules| rules.amis.as_ref()) else { return Ok(()) };
    let at = format!("{at}.exclusionRules.amis");
    if is_of_containers {
        return Err(combination(format!("'{at}' cannot be given for container images.")));
    }
    for (index, region) in amis.regions.iter().flatten().enumerate() {
        region
            .parse::<Region>()
            .map_err(|error| invalid(&format!("{at}.regions[{index}]"), told(&error)))?;
    }
    Ok(())
}

fn check_selection(selection: &LifecyclePolicyResourceSelection) -> Result<(), Error> {
    let (recipes, tags) = ("resourceSelection.recipes", "resourceSelection.tagMap");
    match (&selection.recipes, &selection.tag_map) {
        (Some(_), Some(_)) => {
            return Err(combination(format!("'{recipes}' and '{tags}' exclude each other.")));
        }
        (None, None) => {
            return Err(combination(format!("Either '{recipes}' or '{tags}' must be given.")));
        }
        (Some(_), None) | (None, Some(_)) => (),
    }
    let mut seen = HashSet::new();
    for (index, recipe) in selection.recipes.iter().flatten().enumerate() {
        let at = format!("{recipes}[{index}]");
        let versions: VersionPattern =
            recipe.semantic_version.parse().map_err(|error: ParseVersionError| {
                invalid(&format!("{at}.semanticVersion"), told(&error))
            })?;
        if !seen.insert((&recipe.name, versions)) {
            let rule = format!("'{}' is there twice with this version.", recipe.name);
            return Err(invalid(&format!("{at}.name"), rule));
        }
    }
    Ok(())
}
