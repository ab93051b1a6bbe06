//! The JSON Schemas that editors get.

use document::{component_schema, project_schema};
use serde_json::Value;

#[test]
fn every_action_has_a_case_of_its_own() {
    let schema = component_schema();
    let step = &schema["$defs"]["Step"];
    let actions = step["properties"]["action"]["enum"].as_array().expect("actions are listed");
    let cases = step["allOf"].as_array().expect("actions have cases");
    assert_eq!((actions.len(), cases.len()), (30, 30));
    for (action, case) in actions.iter().zip(cases) {
        assert_eq!(case["if"]["properties"]["action"]["const"], *action);
        assert!(case["then"]["properties"]["inputs"].is_object(), "{action}");
    }
}

/// Calls `visit` with every object in `value`.
fn visit(value: &Value, each: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            each(members);
            members.values().for_each(|value| visit(value, each));
        }
        Value::Array(items) => items.iter().for_each(|value| visit(value, each)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn references_lead_somewhere() {
    for schema in [component_schema(), project_schema()] {
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        visit(&schema, &mut |members| {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').expect("references stay inside");
                assert!(schema.pointer(pointer).is_some(), "{reference}");
            }
        });
    }
}

/// Editors show descriptions; a member without one was forgotten.
#[test]
fn every_project_member_is_described() {
    visit(&project_schema(), &mut |members| {
        for (name, member) in
            members.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            assert!(member.get("description").is_some(), "{name}");
        }
    });
}
