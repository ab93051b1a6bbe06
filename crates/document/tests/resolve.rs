//! Steps become concrete: references get their values, and what they make of
//! the inputs is checked again.

use std::collections::BTreeMap;
use std::time::Duration;

use document::{
    Component, Environment, Mode, OnFailure, Reference, ResolveError, ResolvedAction, Step, Verdict,
};
use expect_test::{Expect, expect};

/// Values by the text of their reference.
struct Values(BTreeMap<&'static str, &'static str>);

impl Environment for Values {
    fn value(&self, reference: &Reference) -> Option<String> {
        self.0.get(reference.to_string().as_str()).map(|value| (*value).to_owned())
    }
}

fn values() -> Values {
    Values(BTreeMap::from([
        ("Path", "/srv/page"),
        ("Mode", "0640"),
        ("Overwrite", "false"),
        ("Delay", "5"),
        ("Braces", "{{ Path }}"),
        ("build.Get.outputs.stdout", "two\nlines"),
    ]))
}

fn step(step: &str) -> Step {
    let declared = ["Path", "Mode", "Overwrite", "Delay", "Braces", "Missing"];
    let parameters: String =
        declared.map(|name| format!("  - {name}: {{type: string}}\n")).concat();
    let text = format!(
        "schemaVersion: 1.0\nparameters:\n{parameters}phases:\n  - name: build\n    steps:\n      \
         - {{name: Get, action: ExecuteBash, inputs: {{commands: [id]}}}}\n      - {step}\n"
    );
    let parsed = Component::parse(&text).unwrap_or_else(|it| panic!("{}", it.render("", &text)));
    parsed.value.phases[0].steps[1].clone()
}

#[track_caller]
fn check(inputs: &str, expected: Expect) {
    let resolved = match step(inputs).resolve(&values()) {
        Ok(action) => format!("{action:?}"),
        Err(error) => format!("error: {error}"),
    };
    expected.assert_eq(&resolved);
}

#[test]
fn references_become_values() {
    check(
        "{name: A, action: ExecuteBash, inputs: {commands: ['cat {{ Path }}{{Path}}', 7]}}",
        expect![[r#"ExecuteBash(ExecuteBash { commands: ["cat /srv/page/srv/page", "7"] })"#]],
    );
    check(
        "{name: A, action: ExecuteBinary, inputs: {path: echo, arguments: ['{{ build.Get.outputs.stdout }}']}}",
        expect![[r#"ExecuteBinary(ExecuteBinary { path: "echo", arguments: ["two\nlines"] })"#]],
    );
    check(
        "{name: A, action: Reboot, inputs: {delaySeconds: '{{ Delay }}'}}",
        expect!["Reboot(Reboot { delay_seconds: 5 })"],
    );
    check(
        "{name: A, action: UpdateOS}",
        expect!["UpdateOs(UpdateOs { include: [], exclude: [] })"],
    );
}

#[test]
fn files_get_typed_values() {
    let step = step(
        "{name: A, action: CreateFile, inputs: [{path: '{{ Path }}', permissions: '{{ Mode }}', overwrite: '{{ Overwrite }}'}, {path: /b}]}",
    );
    let ResolvedAction::CreateFile(files) = step.resolve(&values()).unwrap() else {
        panic!("not CreateFile");
    };
    assert_eq!(files[0].permissions.map(Mode::bits), Some(0o640));
    assert!(!files[0].overwrite && files[1].overwrite);
    let inputs = step.resolve_inputs(&values()).unwrap();
    assert_eq!(inputs[0]["path"], "/srv/page");
}

#[test]
fn values_that_do_not_fit_are_refused() {
    check(
        "{name: A, action: SetFilePermissions, inputs: [{path: /a, permissions: '{{ Path }}'}]}",
        expect![
            "error: `/srv/page` is not file permissions: expected three or four octal digits, as in `0644`"
        ],
    );
    check(
        "{name: A, action: Reboot, inputs: {delaySeconds: '{{ Path }}'}}",
        expect!["error: `delaySeconds`: expected a whole number, found the text `/srv/page`"],
    );
    check(
        "{name: A, action: ExecuteBash, inputs: {commands: ['{{ Missing }}']}}",
        expect!["error: `{{ Missing }}` has no value"],
    );
}

#[test]
fn values_are_not_looked_into_again() {
    check(
        "{name: A, action: ExecuteBash, inputs: {commands: ['{{ Braces }}']}}",
        expect![[r#"ExecuteBash(ExecuteBash { commands: ["{{ Path }}"] })"#]],
    );
    check(
        "{name: A, action: SetFilePermissions, inputs: [{path: /a, permissions: '{{ Braces }}'}]}",
        expect![
            "error: `{{ Path }}` is not file permissions: expected three or four octal digits, as in `0644`"
        ],
    );
}

#[test]
fn steps_have_the_language_s_defaults() {
    let plain = step("{name: A, action: Reboot}");
    assert_eq!(plain.timeout, Some(Duration::from_secs(7200)));
    assert_eq!((plain.on_failure, plain.max_attempts.get()), (OnFailure::Abort, 1));
    assert!(plain.guard.is_none() && plain.repeat.is_none());

    let endless = step(
        "{name: A, action: ExecuteBash, timeoutSeconds: -1, if: {fileExists: '{{ Path }}'}, loop: {forEach: [a, '{{ Path }}']}, inputs: {commands: ['echo {{ loop.value }}']}}",
    );
    assert_eq!(endless.timeout, None);
    let guard = endless.guard.unwrap().resolve(&values()).unwrap();
    assert_eq!(guard.condition.to_string(), "file `/srv/page` exists");
    assert_eq!((guard.then, guard.otherwise), (Verdict::Execute, Verdict::Skip));
    let repeat = endless.repeat.unwrap().resolve(&values()).unwrap();
    let turns: Vec<String> = repeat.turns().map(|turn| turn.value).collect();
    assert_eq!(turns, ["a", "/srv/page"]);
}

#[test]
fn loop_references_without_a_loop_stay() {
    check(
        "{name: A, action: ExecuteBash, inputs: {commands: ['echo {{ loop.value }}']}}",
        expect![[r#"ExecuteBash(ExecuteBash { commands: ["echo {{ loop.value }}"] })"#]],
    );
}

#[test]
fn errors_point_into_the_document() {
    let step = step("{name: A, action: ExecuteBash, inputs: {commands: ['{{ Missing }}']}}");
    let Err(ResolveError::NoValue { span, .. }) = step.resolve(&values()) else {
        panic!("a value was found");
    };
    assert!(span.end > span.start);
}
