//! Scripts as components: `ImportComponent` wraps one in a document (reference §1.3).

mod shebang;

use serde_json::json;

use store::resource::New;
use wire::imagebuilder::{Component, ComponentType, Error, ImportComponentRequest};
use wire::sigv4::Caller;

use super::{described, inline, new, parse, runs_here};

/// Returns the component that executes a request's script.
pub(super) fn draft(
    caller: &Caller,
    input: &ImportComponentRequest,
    at: i64,
) -> Result<New, Error> {
    let script = inline(input.data.as_deref(), input.uri.as_deref())?;
    runs_here(input.platform, input.kms_key_id.as_deref())?;
    let options = shebang::options(script)?;
    let data = wrap(&input.name, &options, script, input.r#type);
    let document = parse(&data)?;
    let body = Component {
        change_description: input.change_description.clone(),
        description: input.description.clone(),
        ..described(&document, &data)
    };
    new(caller, &input.name, &input.semantic_version, body, input.tags.clone(), at)
}

/// Returns a document of one step that executes `script`, in a shell with `options`: `ExecuteBash`
/// chooses the shell itself and does not read the script's first line.
fn wrap(name: &str, options: &[&str], script: &str, r#type: ComponentType) -> String {
    let phase = match r#type {
        ComponentType::Build => "build",
        ComponentType::Test => "test",
    };
    let set = (!options.is_empty()).then(|| format!("set {}", options.join(" ")));
    let commands: Vec<&str> = set.as_deref().into_iter().chain([script]).collect();
    let step = json!({
        "name": "ExecuteScript",
        "action": "ExecuteBash",
        "inputs": {"commands": commands},
    });
    let document = json!({
        "name": name,
        "schemaVersion": 1.0,
        "phases": [{"name": phase, "steps": [step]}],
    });
    format!("{document:#}\n")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use wire::imagebuilder::ComponentType;

    use super::wrap;

    #[test]
    fn a_script_becomes_a_document_of_one_step() {
        let document =
            wrap("set up", &["-eu"], "#!/bin/bash -eu\necho \"hi\"\n", ComponentType::Test);
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
                          "set -eu",
                          "#!/bin/bash -eu\necho \"hi\"\n"
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
}
