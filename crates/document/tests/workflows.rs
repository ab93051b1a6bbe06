//! Workflow documents: those that are shipped and those in `fixtures/workflows/good` are taken, those
//! in `bad` are explained. What a file or case is called by begins with its stage.

mod fixtures;

use std::fs;
use std::path::Path;

use document::{Problems, Workflow, WorkflowStage};

fn parse(path: &Path, text: &str) -> Result<Workflow, Problems> {
    let name = fixtures::file_name(path);
    let stages = [WorkflowStage::Build, WorkflowStage::Test, WorkflowStage::Distribution];
    let stage = stages.into_iter().find(|stage| name.starts_with(stage.as_str()));
    let parsed = Workflow::parse(text, stage.expect("the name says the stage"))?;
    if parsed.warnings.is_empty() { Ok(parsed.value) } else { Err(parsed.warnings) }
}

#[test]
fn good_workflows_are_taken() {
    for path in fixtures::entries("workflows/good") {
        let text = fs::read_to_string(&path).unwrap();
        let workflow = parse(&path, &text).unwrap_or_else(|problems| {
            panic!("{}", problems.render(&fixtures::file_name(&path), &text))
        });
        let parameters = workflow.parameters.iter();
        let parameters: Vec<_> =
            parameters.map(|one| (one.name.as_str(), one.kind, one.default.clone())).collect();
        let texts = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(
            parameters,
            [
                ("waitForActionAtEnd", "boolean", texts(&["false"])),
                ("limit", "integer", texts(&["3"])),
                ("words", "stringList", texts(&["a", "b"])),
                ("needed", "string", None),
            ]
        );
        let timeouts: Vec<_> = workflow.steps.iter().map(|step| step.timeout_seconds).collect();
        assert_eq!(timeouts, [60, 7_200, 43_200, 259_200]);
    }
}

#[test]
fn bad_workflows_are_explained() {
    for case in fixtures::entries("workflows/bad") {
        let text = fs::read_to_string(case.join("input.yaml")).unwrap();
        let problems = parse(&case, &text).expect_err("bad workflows are refused");
        fixtures::expect(&case, &problems.render("input.yaml", &text));
    }
}
