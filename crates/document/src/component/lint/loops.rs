//! Rules for loops: unique names, and numbers that come to an end.

use std::collections::HashSet;

use crate::component::outline::{Outline, Phase, Step, key};
use crate::yaml::{Node, Value};
use crate::{Problem, Problems};

/// Reports loops that share a name or never end, and those without a turn.
pub(super) fn lint(outline: &Outline<'_>, problems: &mut Problems) {
    for phase in &outline.phases {
        unique_names(phase, problems);
        for step in &phase.steps {
            let Some(repeat) = step.part("loop") else { continue };
            if let Some(Count { start, end, stride }) = Count::of(repeat)
                && (stride == 0 || (stride > 0 && start > end) || (stride < 0 && start < end))
            {
                let span = repeat.member("for").and_then(|count| count.member("updateBy"));
                let span = span.map_or(repeat.span, |node| node.span);
                let message = format!("counting from {start} by {stride} never comes to {end}");
                problems.push(Problem::error("endless-loop", span, message));
            }
            let is_empty =
                |node: &Node| matches!(&node.value, Value::Sequence(items) if items.is_empty());
            if repeat.member("forEach").is_some_and(is_empty) {
                let span = key(repeat, "forEach").unwrap_or(repeat.span);
                let message = "a loop over an empty list does nothing";
                problems.push(Problem::warning("no-effect", span, message));
            }
        }
    }
}

fn unique_names(phase: &Phase<'_>, problems: &mut Problems) {
    let mut seen = HashSet::new();
    let loops = phase.steps.iter().filter_map(|step| step.part("loop"));
    for name in loops.filter_map(|repeat| repeat.member("name")) {
        let Some(text) = name.text() else { continue };
        if !seen.insert(text) {
            let message = format!("loop `{text}` is there twice in phase `{}`", phase.name.value);
            problems.push(Problem::error("duplicate-loop", name.span, message));
        }
    }
}

/// The numbers of a `for`.
struct Count {
    start: i64,
    end: i64,
    stride: i64,
}

impl Count {
    fn of(repeat: &Node) -> Option<Self> {
        let count = repeat.member("for")?;
        let number = |name: &str| count.member(name)?.integer()?.parse().ok();
        Some(Self { start: number("start")?, end: number("end")?, stride: number("updateBy")? })
    }
}

/// Returns how often the step's action is carried out in one attempt, if that
/// can be told.
pub(super) fn turns(step: &Step<'_>) -> Option<u64> {
    let Some(repeat) = step.part("loop") else { return Some(1) };
    if let Some(Value::Sequence(items)) = repeat.member("forEach").map(|node| &node.value) {
        return u64::try_from(items.len()).ok();
    }
    let Count { start, end, stride } = Count::of(repeat)?;
    let way = i128::from(end) - i128::from(start);
    let strides = way.checked_div(stride.into()).filter(|strides| *strides >= 0)?;
    u64::try_from(strides + 1).ok()
}
