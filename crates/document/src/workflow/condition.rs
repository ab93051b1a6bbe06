//! The form of conditions in workflows (reference §3.4).

use super::path::Scope;
use crate::yaml::Node;
use crate::{Problem, Problems};

/// The operators that compare `value` with what stands beside them.
const COMPARISONS: [&str; 7] = [
    "booleanEquals",
    "numberEquals",
    "numberGreaterThan",
    "numberGreaterThanEquals",
    "numberLessThan",
    "numberLessThanEquals",
    "stringEquals",
];

/// How deep conditions may be nested.
const DEPTH: usize = 4;

/// Reports what is wrong with a condition.
pub(super) fn check(node: &Node, scope: &Scope<'_>, problems: &mut Problems) {
    check_at(node, 1, scope, problems);
}

fn check_at(node: &Node, depth: usize, scope: &Scope<'_>, problems: &mut Problems) {
    let mut refuse = |message: String| {
        problems.push(Problem::error("condition-form", node.span, message));
    };
    if depth > DEPTH {
        return refuse(format!("conditions are nested at most {DEPTH} deep"));
    }
    let others = node.members().iter().filter(|(key, _)| key.value != "value");
    let [(operator, operand)] = others.collect::<Vec<_>>()[..] else {
        return refuse("a condition has exactly one operator".to_owned());
    };
    let value = node.member("value");
    match operator.value.as_str() {
        "and" | "or" => {
            if !(1..=10).contains(&operand.items().len()) {
                refuse(format!("`{}` takes a list of 1 to 10 conditions", operator.value));
            }
            operand.items().iter().for_each(|one| check_at(one, depth + 1, scope, problems));
        }
        "not" => check_at(operand, depth + 1, scope, problems),
        name if COMPARISONS.contains(&name) => {
            let Some(value) = value else {
                return refuse(format!("`{name}` needs a `value` beside it"));
            };
            for node in [operand, value] {
                match node.text() {
                    None => problems.push(Problem::error(
                        "condition-form",
                        node.span,
                        format!("`{name}` compares single values"),
                    )),
                    Some(text) if text.starts_with("$.") => {
                        scope.check(text, node.span, problems);
                    }
                    Some(text) => operand_fits(name, text, node, problems),
                }
            }
        }
        name => {
            let known = COMPARISONS.join(", ");
            let message = format!("there is no operator `{name}`");
            let problem = Problem::error("condition-form", operator.span, message);
            problems.push(problem.help(format!("there are and, or, not, {known}")));
        }
    }
}

fn operand_fits(operator: &str, text: &str, node: &Node, problems: &mut Problems) {
    let fits = match operator {
        "booleanEquals" => ["true", "false"].contains(&text),
        "stringEquals" => true,
        _ => text.parse::<f64>().is_ok_and(f64::is_finite),
    };
    if !fits {
        let message = format!("`{operator}` cannot compare `{text}`");
        problems.push(Problem::error("condition-form", node.span, message));
    }
}
