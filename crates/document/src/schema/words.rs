//! How problems speak of values and choices.

use crate::yaml::{Node, Value};

/// Returns what a value is, and which if that is short.
pub(super) fn found(node: &Node) -> String {
    match &node.value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(text) => format!("the number {text}"),
        Value::String(text) if text.chars().count() > 40 || text.contains('\n') => {
            "a text".to_owned()
        }
        Value::String(text) => format!("the text `{text}`"),
        Value::Sequence(_) => "a list".to_owned(),
        Value::Mapping(_) => "a mapping".to_owned(),
    }
}

/// Returns names as they are shown.
pub(super) fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.map(|name| format!("`{name}`")).collect()
}

/// Joins words as in "a, b or c".
pub(super) fn alternatives<T: AsRef<str>>(words: Vec<T>) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        [word] => (*word).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
