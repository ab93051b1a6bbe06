//! Where each reference of a document leads: the plan that AWS's runner keeps
//! as `chaining.json`. Values are left out, as they may be secret.

use document::{Component, Reference, StepValue};
use serde::Serialize;

/// One reference and what it leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferenceUse {
    /// The phase of the step that refers.
    pub phase: String,
    /// The step that refers.
    pub step: String,
    /// What it says between the braces.
    pub reference: String,
    /// What that is: `parameter`, `constant`, `input`, `output`, `loop` or `ssm`.
    pub kind: &'static str,
    /// The step whose input or output it is, as `phase.step`.
    pub from: Option<String>,
}

/// Returns every reference of `document`, in the order in which they stand.
pub fn references(document: &Component) -> Vec<ReferenceUse> {
    let mut uses = Vec::new();
    for phase in &document.phases {
        for step in &phase.steps {
            let mut found = step.action.references();
            found.extend(step.guard.iter().flat_map(|guard| guard.references()));
            found.extend(step.repeat.iter().flat_map(|repeat| repeat.references()));
            uses.extend(found.into_iter().map(|reference| {
                let (kind, from) = target(document, &reference);
                ReferenceUse {
                    phase: phase.name.clone(),
                    step: step.name.clone(),
                    reference: reference.to_string(),
                    kind,
                    from,
                }
            }));
        }
    }
    uses
}

fn target(document: &Component, reference: &Reference) -> (&'static str, Option<String>) {
    let of = |value: &StepValue| Some(format!("{}.{}", value.phase, value.step));
    match reference {
        Reference::Name(name) if document.constants.iter().any(|it| it.name == *name) => {
            ("constant", None)
        }
        Reference::Name(_) => ("parameter", None),
        Reference::Input(value) => ("input", of(value)),
        Reference::Output(value) => ("output", of(value)),
        Reference::Loop { .. } => ("loop", None),
        Reference::Stored(_) | Reference::StoredUnder(_) => ("ssm", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_is_followed() {
        let document = Component::parse(
            "schemaVersion: 1.0\n\
             parameters: [{Who: {type: string, default: x}}]\n\
             constants: [{Where: {type: string, value: y}}]\n\
             phases:\n  - name: build\n    steps:\n      - name: One\n        action: ExecuteBash\n        \
             inputs: {commands: ['echo {{ Who }} {{Where}}']}\n      - name: Two\n        \
             action: ExecuteBash\n        loop: {forEach: ['{{ build.One.outputs.stdout }}']}\n        \
             if: {stringEquals: a, value: '{{ build.One.inputs.commands[0] }}'}\n        \
             inputs: {commands: ['echo {{ loop.value }}']}\n",
        )
        .unwrap();
        let told: Vec<_> = references(&document.value)
            .into_iter()
            .map(|one| format!("{} {} {} {:?}", one.step, one.reference, one.kind, one.from))
            .collect();
        assert_eq!(
            told,
            [
                "One Who parameter None",
                "One Where constant None",
                "Two loop.value loop None",
                "Two build.One.inputs.commands[0] input Some(\"build.One\")",
                "Two build.One.outputs.stdout output Some(\"build.One\")",
            ]
        );
    }
}
