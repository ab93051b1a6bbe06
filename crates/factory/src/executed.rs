//! The components that a document executes as steps, found before it is sent
//! to an instance.

use std::collections::BTreeMap;

use document::{Component, ExecuteDocument};
use name::Arn;

use crate::managed::ManagedComponent;

/// Returns the texts of the components that `phases` of a document execute, by
/// ARN as documents spell it, and of those that these execute in turn.
///
/// One that does not exist is left out: the step that names it fails and says so.
pub fn executed_components(
    component: &Component,
    phases: &[&str],
    parameters: &[(String, String)],
) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    collect(component, phases, parameters, &mut found);
    found
}

fn collect(
    component: &Component,
    phases: &[&str],
    parameters: &[(String, String)],
    found: &mut BTreeMap<String, String>,
) {
    // Without values the document is refused where it runs, with the reason.
    let Ok(values) = component.values(parameters) else { return };
    for (arn, inputs) in component.executed(phases, &values) {
        let Some(text) = text(&arn) else { continue };
        if found.insert(arn, text.to_owned()).is_some() {
            continue;
        }
        if let Ok(nested) = Component::parse(text) {
            let phases: Vec<&str> =
                nested.value.phases.iter().map(|phase| phase.name.as_str()).collect();
            collect(&nested.value, &phases, &arguments(inputs), found);
        }
    }
}

fn text(arn: &str) -> Option<&'static str> {
    let arn: Arn = arn.parse().ok()?;
    Some(ManagedComponent::find(&arn)?.text)
}

fn arguments(inputs: ExecuteDocument) -> Vec<(String, String)> {
    inputs.parameters.into_iter().map(|argument| (argument.name, argument.value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_document_executes_is_found_in_every_spelling() {
        let text = "schemaVersion: 1.0
parameters:
  - Which: {type: string, default: reboot-linux}
phases:
  - name: build
    steps:
      - name: Named
        action: ExecuteDocument
        inputs: {document: 'arn:aws:imagebuilder:local-1:aws:component/update-linux/1.x.x'}
      - name: Given
        action: ExecuteDocument
        inputs: {document: 'arn:aws:imagebuilder:local-1:aws:component/{{ Which }}/1.0.0/1'}
      - name: Absent
        action: ExecuteDocument
        inputs: {document: 'arn:aws:imagebuilder:local-1:aws:component/absent/x.x.x'}
  - name: test
    steps:
      - name: Later
        action: ExecuteDocument
        inputs: {document: 'arn:aws:imagebuilder:local-1:aws:component/harden-linux/x.x.x'}
";
        let component = Component::parse(text).unwrap().value;
        let found = |phase, which: &[(&str, &str)]| {
            let given: Vec<_> =
                which.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let found = executed_components(&component, &[phase], &given);
            let name = |arn: String| arn.rsplit_once("component/").unwrap().1.to_owned();
            found.into_keys().map(name).collect::<Vec<_>>()
        };
        assert_eq!(found("build", &[]), ["reboot-linux/1.0.0/1", "update-linux/1.x.x"]);
        let test = [("Which", "harden-linux-test")];
        assert_eq!(found("build", &test), ["harden-linux-test/1.0.0/1", "update-linux/1.x.x"]);
        assert_eq!(found("test", &[]), ["harden-linux/x.x.x"]);
    }
}
