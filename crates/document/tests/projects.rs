//! Every file below `fixtures/projects` is a case: projects in `good` are
//! taken without a word, those in `bad` are explained as `expected.txt` says.

mod fixtures;

use std::fs;

use document::{Component, Project};
use expect_test::expect;

#[test]
fn good_projects_are_taken() {
    for path in fixtures::entries("projects/good") {
        let text = fs::read_to_string(&path).unwrap();
        match Project::parse(&text) {
            Ok(parsed) => {
                let warnings = parsed.warnings.render(&fixtures::file_name(&path), &text);
                assert_eq!(warnings, "");
            }
            Err(problems) => panic!("{}", problems.render(&fixtures::file_name(&path), &text)),
        }
    }
}

#[test]
fn bad_projects_are_explained() {
    for case in fixtures::entries("projects/bad") {
        let text = fs::read_to_string(case.join("input.yaml")).unwrap();
        let problems = match Project::parse(&text) {
            Ok(parsed) => parsed.warnings,
            Err(problems) => problems,
        };
        assert!(!problems.is_empty(), "{} has no problem", case.display());
        fixtures::expect(&case, &problems.render("input.yaml", &text));
    }
}

#[test]
fn a_project_becomes_the_model() {
    let text = "
recipe:
  name: Web Server
  semanticVersion: 1.0.0
  parentImage: debian-server-12
  components:
    - componentArn: update-linux
    - componentArn: ./nginx.yaml
      parameters: [{name: Title, value: [Hello]}]
  blockDeviceMappings: [{deviceName: /dev/sda1, ebs: {volumeSize: 8}}]
goldsmith: {sourceDateEpoch: 1700000000}
";
    let Project { recipe, infrastructure, tests, distributions, places, .. } =
        Project::parse(text).unwrap().value;
    let components = recipe.components.as_slice();
    assert_eq!(components[1].reference.to_string(), "./nginx.yaml");
    assert_eq!(components[1].parameters, [("Title".to_owned(), vec!["Hello".to_owned()])]);
    assert_eq!(recipe.block_devices[0].gib, Some(8));
    assert_eq!(recipe.working_directory, "/tmp");
    assert_eq!(infrastructure.instance_types()[0].name(), "t3.medium");
    assert!(tests.enabled && infrastructure.terminate_on_failure);
    assert_eq!(distributions.as_slice()[0].region.as_str(), "local-1");
    let span = places.components[1].reference;
    assert_eq!(&text[span.start..span.end], "./nginx.yaml");
}

#[test]
fn parameters_are_checked_against_their_component() {
    let project = "recipe:
  name: web
  semanticVersion: 1.0.0
  parentImage: debian-server-12
  components:
    - componentArn: ./nginx.yaml
      parameters: [{name: Titel, value: [Hello]}]
";
    let component = "schemaVersion: 1.0
parameters:
  - Title: {type: string, default: It works}
  - Port: {type: string}
phases:
  - name: build
    steps:
      - {name: A, action: ExecuteBash, inputs: {commands: ['echo {{ Title }} {{ Port }}']}}
";
    let component = Component::parse(component).unwrap().value;
    let problems = Project::named_components(project)[0].check_parameters(&component);
    expect![[r#"
        error[missing-parameter]: component `./nginx.yaml` needs a value for `Port`
         --> goldsmith.yaml:6:21
          |
        6 |     - componentArn: ./nginx.yaml
          |                     ^^^^^^^^^^^^

        warning[unknown-parameter]: component `./nginx.yaml` has no parameter `Titel`
         --> goldsmith.yaml:7:27
          |
        7 |       parameters: [{name: Titel, value: [Hello]}]
          |                           ^^^^^
          = help: did you mean `Title`?
    "#]]
    .assert_eq(&problems.render("goldsmith.yaml", project));
}

#[test]
fn components_are_found_in_damaged_projects() {
    let project = "recipe:
  nmae: web
  parentImage: 7
  components:
    - componentArn: ./nginx.yaml
      parameters: [{name: Title, value: [Hello]}, {nmae: Port}]
    - componentArn: [no]
    - componentArn: update-linux
  tags: !Sub x
";
    assert!(Project::parse(project).is_err());
    let named = Project::named_components(project);
    let names: Vec<String> = named.iter().map(|it| it.used.reference.to_string()).collect();
    assert_eq!(names, ["./nginx.yaml", "update-linux"]);
    assert_eq!(named[0].used.parameters, [("Title".to_owned(), vec!["Hello".to_owned()])]);
    let span = named[1].place.reference;
    assert_eq!(&project[span.start..span.end], "update-linux");
    assert!(Project::named_components("recipe: [").is_empty());
}
