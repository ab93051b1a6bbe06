//! What the API shows of a run: copies of what it was made from, its steps, its operating system.

use std::collections::BTreeMap;

use base::{Managed, Os};
use document::Project;
use model::{ComponentReference, ComponentUse, ParentImage};
use name::{Account, Arn, Kind, Level, Owner, Region, VersionPattern};
use plan::Plan;
use serde_json::{Value, json};
use store::image::New;

/// Returns what is shown of a build of a project: the members of the API's shapes of these names.
///
/// Components that are files are no resources, and the API has no other word
/// for them: they are left out.
pub(crate) fn of_project(account: Account, region: Region, project: &Project) -> New {
    let recipe = &project.recipe;
    let components = recipe.components.as_slice();
    let components: Vec<Value> =
        components.iter().filter_map(|used| component(&region, used)).collect();
    let tags: BTreeMap<&str, &str> = recipe.tags.iter().collect();
    let mut copy = json!({
        "name": recipe.name.as_str(),
        "version": recipe.version.to_string(),
        "type": "AMI",
        "platform": "Linux",
        "owner": account.as_str(),
        "parentImage": parent(&region, &recipe.parent),
        "workingDirectory": recipe.working_directory,
    });
    // Members of the API's shapes are left out where they would be empty.
    if !tags.is_empty() {
        copy["tags"] = json!(tags);
    }
    if let Some(description) = recipe.description.as_ref().filter(|text| !text.is_empty()) {
        copy["description"] = json!(description);
    }
    if !components.is_empty() {
        copy["components"] = json!(components);
    }
    let tests = json!({
        "imageTestsEnabled": project.tests.enabled,
        "timeoutMinutes": project.tests.timeout_minutes,
    });
    let title = recipe.name.as_str();
    New {
        body: json!({ "imageRecipe": copy, "imageTestsConfiguration": tests }),
        tags: recipe.tags.clone(),
        ..New::of(account, region, title)
    }
}

fn component(region: &Region, used: &ComponentUse) -> Option<Value> {
    let arn = match &used.reference {
        ComponentReference::Arn(arn) => arn.to_string(),
        ComponentReference::Name(name) => managed(region, Kind::Component, name)?,
        ComponentReference::Path(_) => return None,
    };
    let parameters = used.parameters.iter();
    let parameters: Vec<Value> =
        parameters.map(|(name, value)| json!({ "name": name, "value": value })).collect();
    if parameters.is_empty() {
        return Some(json!({ "componentArn": arn }));
    }
    Some(json!({ "componentArn": arn, "parameters": parameters }))
}

fn parent(region: &Region, parent: &ParentImage) -> String {
    let arn = match parent {
        ParentImage::Name(name) => {
            let name = Managed::find(name).map(Managed::arn_name);
            name.and_then(|name| managed(region, Kind::Image, &name))
        }
        ParentImage::Arn(_) | ParentImage::Ami(_) | ParentImage::Disk { .. } => None,
    };
    arn.unwrap_or_else(|| parent.to_string())
}

/// Returns the ARN of whatever version of a managed resource is the newest.
fn managed(region: &Region, kind: Kind, name: &str) -> Option<String> {
    let owner = Owner::Managed("aws".to_owned());
    let level = Level::Version(VersionPattern::Any);
    Arn::new(region.clone(), owner, kind, name, level).ok().map(|arn| arn.to_string())
}

/// Returns the steps of a plan as the store keeps them.
pub(crate) fn steps(plan: &Plan) -> Vec<Value> {
    let steps = plan.steps().iter().map(|step| {
        json!({
            "workflow": step.workflow.as_str(),
            "action": step.action.as_str(),
            "label": step.label,
        })
    });
    steps.collect()
}

/// Returns an operating system's name and version in the words of Image Builder's lists, as in
/// `Debian 12`.
pub(crate) fn os_version(os: &Os) -> String {
    let name = match os.id.as_str() {
        "almalinux" => "AlmaLinux",
        "amzn" => "Amazon Linux",
        "centos" => "CentOS",
        "debian" => "Debian",
        "fedora" => "Fedora",
        "rhel" => "Red Hat Enterprise Linux",
        "rocky" => "Rocky Linux",
        "sles" => "SUSE Linux Enterprise Server",
        "ubuntu" => "Ubuntu",
        other => other,
    };
    let text = format!("{name} {}", os.version);
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_have_the_names_people_know() {
        let name = |text: &str| os_version(&Os::parse(text));
        assert_eq!(name("ID=debian\nVERSION_ID=\"12\"\n"), "Debian 12");
        assert_eq!(name("ID=ubuntu\nVERSION_ID=\"24.04\"\n"), "Ubuntu 24.04");
        assert_eq!(name("ID=arch\n"), "arch");
    }
}
