//! Scripts as components: `ImportComponent` wraps one in a document (reference §1.3).

use serde_json::json;

use store::resource::New;
use wire::imagebuilder::{Component, ComponentType, Error, ImportComponentRequest};
use wire::sigv4::Caller;

use super::{described, inline, new, parse, runs_here};
use crate::imagebuilder::error::invalid;

/// The interpreters whose scripts `ExecuteBash` executes as they mean it.
const SHELLS: [&str; 3] = ["bash", "dash", "sh"];

/// Returns the component that executes a request's script.
pub(super) fn draft(
    caller: &Caller,
    input: &ImportComponentRequest,
    at: i64,
) -> Result<New, Error> {
    let script = inline(input.data.as_deref(), input.uri.as_deref())?;
    runs_here(input.platform, input.kms_key_id.as_deref())?;
    check(script)?;
    let data = wrap(&input.name, script, input.r#type);
    let document = parse(&data)?;
    let body = Component {
        change_description: input.change_description.clone(),
        description: input.description.clone(),
        ..described(&document, &data)
    };
    new(caller, &input.name, &input.semantic_version, body, input.tags.clone(), at)
}

/// Returns a document of one step that executes `script`.
fn wrap(name: &str, script: &str, r#type: ComponentType) -> String {
    let phase = match r#type {
        ComponentType::Build => "build",
        ComponentType::Test => "test",
    };
    let step = json!({
        "name": "ExecuteScript",
        "action": "ExecuteBash",
        "inputs": {"commands": [script]},
    });
    let document = json!({
        "name": name,
        "schemaVersion": 1.0,
        "phases": [{"name": phase, "steps": [step]}],
    });
    format!("{document:#}\n")
}

/// Fails on scripts that are for another interpreter than a shell.
fn check(script: &str) -> Result<(), Error> {
    let Some(rest) = script.strip_prefix("#!") else { return Ok(()) };
    let line = rest.lines().next().unwrap_or_default();
    let mut words = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let interpreter = words.find(|word| *word != "env").unwrap_or_default();
    if SHELLS.contains(&interpreter) {
        return Ok(());
    }
    Err(invalid(
        "data",
        format!("It is a script for '{interpreter}', and must be one for a shell."),
    ))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use wire::imagebuilder::ComponentType;

    use super::{check, wrap};

    #[test]
    fn a_script_becomes_a_document_of_one_step() {
        let document = wrap("set up", "#!/bin/bash\necho \"hi\"\n", ComponentType::Test);
        document::Component::parse(&document).unwrap();
        expect![[r##"
            {
              "name": "set up",
              "schemaVersion": 1.0,
              "phases": [
                {
                  "name": "test",
                  "steps": [
                    {
                      "name": "ExecuteScript",
                      "action": "ExecuteBash",
                      "inputs": {
                        "commands": [
                          "#!/bin/bash\necho \"hi\"\n"
                        ]
                      }
                    }
                  ]
                }
              ]
            }
        "##]]
        .assert_eq(&document);
    }

    #[test]
    fn scripts_of_other_interpreters_are_refused() {
        for good in ["echo", "#!/bin/sh\n", "#! /usr/bin/env bash\n", "#!/bin/bash -e\n"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["#!/usr/bin/python3\n", "#!/usr/bin/env perl\n", "#!"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
