//! References and conditions: what reads as a reference shows as it is
//! written, and a condition with noise for operands is judged or refused.
#![no_main]

use std::sync::LazyLock;

use document::{Component, Environment, Reference};
use libfuzzer_sys::fuzz_target;

/// Every reference has the same value.
struct Same<'a>(&'a str);

impl Environment for Same<'_> {
    fn value(&self, _: &Reference) -> Option<String> {
        Some(self.0.to_owned())
    }
}

const DOCUMENT: &str = "schemaVersion: 1
parameters: [{Noise: {type: string}}]
phases:
  - name: build
    steps:
      - {name: A, action: Assert, inputs: {patternMatches: '{{ Noise }}', value: '{{ Noise }}'}}
      - {name: B, action: Assert, inputs: {numberLessThan: '{{ Noise }}', value: 1}}
      - {name: C, action: CreateFile, inputs: [{path: '{{ Noise }}', permissions: '{{ Noise }}'}]}
      - {name: D, action: Reboot, inputs: {delaySeconds: '{{ Noise }}'}}
";

static COMPONENT: LazyLock<Component> =
    LazyLock::new(|| Component::parse(DOCUMENT).expect("the document is a good one").value);

fuzz_target!(|text: &str| {
    if let Ok(reference) = text.parse::<Reference>() {
        assert_eq!(reference.to_string().parse(), Ok(reference));
    }
    for step in &COMPONENT.phases[0].steps {
        // Values may be wrong; only a panic is of interest.
        let _ = step.resolve(&Same(text));
        step.resolve_inputs(&Same(text)).expect("every reference has a value");
    }
    // Noise as an operand that is written into the document.
    let quoted = format!("{text:?}");
    let document = DOCUMENT.replace("'{{ Noise }}'", &quoted);
    let _ = Component::parse(&document);
});
