//! The components that a document executes as steps, found before it is sent
//! to an instance.

use std::collections::{BTreeMap, BTreeSet};

use document::{Component, Executed, NamedComponent, Project};
use name::Arn;
use serde_json::Value;

use crate::managed::ManagedComponent;
use crate::order::{Document, parameters};

/// The phases of components that a build runs.
const PHASES: [&str; 3] = ["build", "validate", "test"];

/// How many documents may be around one that is executed (reference §2.6).
const DEPTH_LIMIT: usize = 3;

/// The components that a document executes, and those that these execute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecutedComponents {
    /// Their texts, by ARN as documents spell it.
    pub texts: BTreeMap<String, String>,
    /// The ARNs of those that are not to be had, each with whether the
    /// document fails for lack of it.
    pub missing: BTreeMap<String, bool>,
}

impl ExecutedComponents {
    /// Returns those that `phases` of `component` execute when it is given
    /// `parameters`.
    ///
    /// `find` returns the text of an ARN; managed components are at hand anyway.
    pub fn of(
        component: &Component,
        phases: &[&str],
        parameters: &[(String, String)],
        find: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let given = parameters.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
        let mut search =
            Search { found: Self::default(), seen: BTreeSet::new(), find, is_required: true };
        search.within(component.executed(phases, &given.collect::<Vec<_>>()), 0);
        search.found
    }

    /// Returns those that a component of a build executes, which may be among `documents`.
    pub(crate) fn of_build(
        component: &Component,
        named: &NamedComponent,
        documents: &[Document],
    ) -> Self {
        let find = |arn: &str| {
            let found = documents.iter().find(|document| document.reference == arn);
            found.map(|document| document.text.clone())
        };
        Self::of(component, &PHASES, &parameters(named), &find)
    }

    /// Returns why the component called `name` cannot be built with.
    pub(crate) fn refusals(&self, name: &str) -> impl Iterator<Item = String> {
        let required = self.missing.iter().filter(|(_, is_required)| **is_required);
        required
            .map(move |(arn, _)| format!("component {name} executes `{arn}`, which does not exist"))
    }
}

/// Returns the ARNs of what the components of a project in JSON execute and is
/// not among `documents`. With more of them there may be others.
pub fn missing_components(project: &Value, documents: &[Document]) -> BTreeSet<String> {
    let mut missing = BTreeSet::new();
    for named in Project::named_components(&project.to_string()) {
        let reference = named.used.reference.to_string();
        let document = documents.iter().find(|document| document.reference == reference);
        let parsed = document.and_then(|document| Component::parse(&document.text).ok());
        if let Some(parsed) = parsed {
            let executed = ExecutedComponents::of_build(&parsed.value, &named, documents);
            missing.extend(executed.missing.into_keys());
        }
    }
    missing
}

struct Search<'a> {
    found: ExecutedComponents,
    /// A hostile document may name the same a thousand times.
    seen: BTreeSet<Executed>,
    find: &'a dyn Fn(&str) -> Option<String>,
    /// Whether all documents around are executed for certain.
    is_required: bool,
}

impl Search<'_> {
    /// Finds what a document with `depth` others around it executes.
    fn within(&mut self, executed: Vec<Executed>, depth: usize) {
        for executed in executed {
            // What lies deeper is refused where it is executed.
            if depth == DEPTH_LIMIT || !self.seen.insert(executed.clone()) {
                continue;
            }
            let outer = self.is_required;
            self.is_required &= executed.is_required;
            self.one(executed, depth);
            self.is_required = outer;
        }
    }

    fn one(&mut self, executed: Executed, depth: usize) {
        let Executed { arn, phases: named, parameters, is_required: _ } = executed;
        let Some(text) = (self.find)(&arn).or_else(|| managed(&arn)) else {
            *self.found.missing.entry(arn).or_default() |= self.is_required;
            return;
        };
        // What is no document is refused there, too.
        if let Ok(inner) = Component::parse(&text) {
            let phases = inner.value.phases.iter().map(|phase| phase.name.as_str());
            let is_named = |phase: &&str| {
                named.as_ref().is_none_or(|named| named.iter().any(|it| it == phase))
            };
            let phases: Vec<&str> = phases.filter(is_named).collect();
            self.within(inner.value.executed(&phases, &parameters), depth + 1);
        }
        self.found.texts.insert(arn, text);
    }
}

fn managed(arn: &str) -> Option<String> {
    let arn: Arn = arn.parse().ok()?;
    Some(ManagedComponent::find(&arn)?.text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Order;

    const ARN: &str = "arn:aws:imagebuilder:local-1:aws:component/";

    /// Returns a document with these inputs of `ExecuteDocument` and more members of
    /// their steps.
    fn document(parameters: &str, steps: &[(&str, &str)]) -> String {
        let mut text = format!(
            "schemaVersion: 1.0\nparameters: [{parameters}]\nphases:\n  - name: build\n    steps:\n      \
             - {{name: First, action: ExecuteBash, inputs: {{commands: [id]}}}}\n"
        );
        for (n, (inputs, more)) in steps.iter().enumerate() {
            let inputs = inputs.replace("ARN/", ARN);
            text.push_str(&format!(
                "      - {{name: S{n}, action: ExecuteDocument, inputs: {{{inputs}}}{more}}}\n"
            ));
        }
        text
    }

    /// Checks what is found, and what is missing with whether it is required.
    #[track_caller]
    fn check(
        text: &str,
        given: &[(&str, &str)],
        custom: &[(&str, String)],
        texts: &[&str],
        missing: &[(&str, bool)],
    ) {
        let component =
            Component::parse(text).unwrap_or_else(|it| panic!("{}", it.render("", text)));
        let given: Vec<_> =
            given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let find = |arn: &str| {
            let found = custom.iter().find(|(name, _)| arn.strip_prefix(ARN) == Some(name));
            found.map(|(_, text)| text.clone())
        };
        let phases = ["build", "validate"];
        let found = ExecutedComponents::of(&component.value, &phases, &given, &find);
        let short = |arn: &String| arn.strip_prefix(ARN).unwrap().to_owned();
        assert_eq!(found.texts.keys().map(short).collect::<Vec<_>>(), texts);
        let expected: Vec<_> = missing.iter().map(|(arn, it)| ((*arn).to_owned(), *it)).collect();
        let actual: Vec<_> = found.missing.iter().map(|(arn, it)| (short(arn), *it)).collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn what_a_document_executes_is_found_in_every_spelling() {
        let text = document(
            "{Which: {type: string, default: reboot-linux}}",
            &[
                ("document: 'ARN/update-linux/1.x.x'", ""),
                ("document: 'ARN/{{ Which }}/1.0.0/1'", ""),
                ("document: 'ARN/absent/x.x.x'", ""),
            ],
        );
        let absent = [("absent/x.x.x", true)];
        check(&text, &[], &[], &["reboot-linux/1.0.0/1", "update-linux/1.x.x"], &absent);
        let which = [("Which", "harden-linux-test")];
        check(&text, &which, &[], &["harden-linux-test/1.0.0/1", "update-linux/1.x.x"], &absent);
        // Other phases are none of this run's.
        let text = text.replace("name: build", "name: test");
        check(&text, &[], &[], &[], &[]);
    }

    #[test]
    fn what_is_known_later_hides_nothing_else() {
        let dynamic = "parameters: [{name: Which, value: '{{ aws:ssm:/x }}'}, \
                       {name: Other, value: '{{ build.First.outputs.stdout }}'}]";
        let text = document(
            "",
            &[
                (&format!("document: 'ARN/update-linux/x.x.x', phases: build, {dynamic}"), ""),
                (&format!("document: 'ARN/own/1.0.0', {dynamic}"), ""),
                ("document: '{{ aws:ssm:/document }}'", ""),
            ],
        );
        // `Which` has a default, which is not what it will be given.
        let own = document(
            "{Which: {type: string, default: absent}}, {Other: {type: string}}",
            &[
                (
                    "document: 'ARN/{{ Which }}/x.x.x', parameters: [{name: Any, value: '{{ Other }}'}]",
                    "",
                ),
                (
                    "document: 'ARN/reboot-linux/x.x.x', parameters: [{name: Any, value: '{{ Other }}'}]",
                    "",
                ),
            ],
        );
        let texts = ["own/1.0.0", "reboot-linux/x.x.x", "update-linux/x.x.x"];
        check(&text, &[], &[("own/1.0.0", own)], &texts, &[]);
    }

    #[test]
    fn only_what_is_executed_for_certain_is_required() {
        let text = document(
            "",
            &[
                ("document: 'ARN/guarded/x.x.x'", ", if: {fileExists: /x}"),
                ("document: 'ARN/ignored/x.x.x'", ", onFailure: Ignore"),
                ("document: 'ARN/both/x.x.x'", ", onFailure: Ignore"),
                ("document: 'ARN/both/x.x.x'", ", onFailure: Continue"),
                ("document: 'ARN/inner/1.0.0'", ", if: {fileExists: /x}"),
            ],
        );
        let inner = document("", &[("document: 'ARN/within/x.x.x'", "")]);
        let missing = [
            ("both/x.x.x", true),
            ("guarded/x.x.x", false),
            ("ignored/x.x.x", false),
            ("within/x.x.x", false),
        ];
        check(&text, &[], &[("inner/1.0.0", inner)], &["inner/1.0.0"], &missing);
    }

    #[test]
    fn circles_and_depths_have_an_end() {
        let next = "parameters: [{name: Num, value: '{{ Num }}x'}]";
        let circle = document(
            "{Num: {type: string}}",
            &[(&format!("document: 'ARN/circle/1.0.0', {next}"), "")],
        );
        let own = [("circle/1.0.0", circle.clone())];
        check(&circle, &[("Num", "x")], &own, &["circle/1.0.0"], &[]);
        let deeper = |name: &str| document("", &[(&format!("document: 'ARN/{name}/1.0.0'"), "")]);
        let custom = ["b", "c", "d"].map(|name| (format!("{name}/1.0.0"), name));
        let custom: Vec<_> = custom
            .iter()
            .map(|(arn, name)| {
                let next = char::from(name.as_bytes()[0] + 1).to_string();
                (arn.as_str(), deeper(&next))
            })
            .collect();
        check(&deeper("b"), &[], &custom, &["b/1.0.0", "c/1.0.0", "d/1.0.0"], &[]);
    }

    #[test]
    fn a_catalogue_is_asked_for_what_is_missing() {
        let (outer, inner) = (format!("{ARN}outer/1.0.0"), format!("{ARN}inner/x.x.x"));
        let project = serde_json::json!({
            "recipe": {
                "name": "web",
                "semanticVersion": "1.0.0",
                "parentImage": "arn:aws:imagebuilder:local-1:aws:image/debian-server-12-x86/x.x.x",
                "components": [{ "componentArn": outer }],
            },
        });
        let one = |reference: &String, text: String| Document {
            reference: reference.clone(),
            name: "outer".to_owned(),
            text,
        };
        let outer = one(&outer, document("", &[("document: 'ARN/inner/x.x.x'", "")]));
        let alone = std::slice::from_ref(&outer);
        assert_eq!(missing_components(&project, alone), BTreeSet::from([inner.clone()]));
        let refused = Order::of_catalogue(&project, alone).unwrap_err();
        let expected = format!("component outer executes `{inner}`, which does not exist");
        assert_eq!(refused.to_string(), expected);

        let text = document("", &[]);
        let both = [outer, one(&inner, text.clone())];
        assert_eq!(missing_components(&project, &both), BTreeSet::new());
        let order = Order::of_catalogue(&project, &both).unwrap();
        assert_eq!(order.components[0].executed, BTreeMap::from([(inner, text)]));
    }
}
