//! An error and what caused it, in one line.

use std::error::Error;

/// Returns the messages of `error` and its sources, outermost first.
///
/// A source that the message before it already ends with is left out.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let message = source.to_string();
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        next = source.source();
    }
    text
}
