//! Shortens the values of a step that are told or kept, so that a step that
//! wrote much fits into one line of the channel and into a log of many steps.

use serde_json::Value;

/// The most that is kept of one text, in bytes: its end.
const TEXT_LIMIT: usize = 64 << 10;

/// The most that is told of all inputs or all outputs, in bytes of JSON.
const SIZE_LIMIT: usize = 512 << 10;

/// Stands where the beginning of a text was cut off.
const CUT: &str = "[…] ";

/// Returns `value` with long texts cut down to their ends.
pub(crate) fn excerpt(mut value: Value) -> Value {
    let mut limit = TEXT_LIMIT;
    shorten(&mut value, limit);
    while value.to_string().len() > SIZE_LIMIT && limit > 0 {
        limit /= 2;
        shorten(&mut value, limit);
    }
    value
}

/// Cuts every text in `value` down to its last `limit` bytes.
pub(crate) fn shorten(value: &mut Value, limit: usize) {
    match value {
        Value::String(text) if text.len() > limit + CUT.len() => {
            let start = text.ceil_char_boundary(text.len() - limit);
            *text = format!("{CUT}{}", &text[start..]);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| shorten(item, limit)),
        Value::Object(members) => members.values_mut().for_each(|member| shorten(member, limit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_end_of_a_long_text_is_told() {
        let short = json!({"commands": ["echo", 3, null]});
        assert_eq!(excerpt(short.clone()), short);
        let long = json!([{"stdout": "è".repeat(TEXT_LIMIT)}]);
        let told = excerpt(long);
        let told = told[0]["stdout"].as_str().unwrap();
        assert_eq!(told.len(), TEXT_LIMIT + CUT.len());
        assert!(told.starts_with("[…] è"));
    }

    #[test]
    fn many_texts_are_bounded_together() {
        // Each byte takes six in JSON.
        let many = Value::Array(vec!["\u{1}".repeat(TEXT_LIMIT).into(); 100]);
        assert!(excerpt(many).to_string().len() <= SIZE_LIMIT);
    }
}
