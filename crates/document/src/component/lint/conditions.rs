//! Rules for conditions: members that mean nothing, digests no file can have.

use crate::component::outline::Outline;
use crate::condition::{Beside, beside};
use crate::reference::references;
use crate::yaml::Node;
use crate::{Problem, Problems};

/// Judges the conditions of every `if` and `Assert`.
pub(super) fn lint(outline: &Outline<'_>, problems: &mut Problems) {
    for step in outline.phases.iter().flat_map(|phase| &phase.steps) {
        if let Some(guard) = step.part("if") {
            check(guard, problems);
        }
        if let Some(inputs) = step.part("inputs").filter(|_| step.module.value == "Assert") {
            check(inputs, problems);
        }
    }
}

/// Judges a condition and those in it, or a list of conditions.
fn check(node: &Node, problems: &mut Problems) {
    node.items().iter().for_each(|item| check(item, problems));
    for (key, operand) in node.members() {
        let Some(beside) = beside(&key.value) else { continue };
        let taken = match beside {
            Beside::Conditions => {
                check(operand, problems);
                None
            }
            Beside::Nothing => None,
            Beside::Value => Some("value"),
            Beside::Path { digits } => {
                let text = operand.text().unwrap_or_default();
                let is_digest = text.len() == digits && text.bytes().all(|c| c.is_ascii_hexdigit());
                if !is_digest && references(text).next().is_none() && !text.is_empty() {
                    let message = format!("`{text}` is not a digest: no file has it");
                    let problem = Problem::warning("never-true", operand.span, message);
                    problems.push(problem.help(format!("write its {digits} hexadecimal digits")));
                }
                Some("path")
            }
        };
        for (other, _) in node.members() {
            let is_operand = ["value", "path"].contains(&other.value.as_str());
            if is_operand && taken != Some(other.value.as_str()) {
                let message = format!("`{}` has no effect beside `{}`", other.value, key.value);
                problems.push(Problem::warning("no-effect", other.span, message));
            }
        }
    }
}
