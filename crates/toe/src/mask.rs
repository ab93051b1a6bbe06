//! Keeps secure values out of what is reported.
//!
//! Wherever a value occurs, eight asterisks stand instead; of a value of
//! several lines, each line that is not empty is a value. One shorter than
//! four characters would tear words apart and give itself away by that: it is
//! masked only where no letter, digit or `_` is beside it. What a command
//! makes of a value, as in base64, cannot be known.

use std::ops::Range;
use std::sync::Arc;

use channel::{Event, Stored};
use serde_json::Value;

/// What stands for a value.
const MASK: &str = "********";

/// The length from which a value is masked within words, in characters.
const LONG: usize = 4;

/// The values that are not to be seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mask(Arc<[Secret]>);

struct Secret {
    bytes: Vec<u8>,
    /// Whether it is masked only between other characters than those of words.
    stands_alone: bool,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

impl Mask {
    /// Hides the secure ones of `stored`.
    pub(crate) fn of(stored: &[Stored]) -> Self {
        let secure = stored.iter().filter(|stored| stored.secure);
        let lines = secure.flat_map(|stored| stored.value.split(['\n', '\r']));
        let mut lines: Vec<&str> = lines.filter(|line| !line.trim().is_empty()).collect();
        lines.sort_unstable();
        lines.dedup();
        let secrets = lines.iter().map(|line| Secret {
            bytes: line.as_bytes().to_vec(),
            stands_alone: line.chars().count() < LONG,
        });
        Self(secrets.collect())
    }

    /// Returns how many bytes beyond a place have to be known to tell whether
    /// a value begins before it.
    pub(crate) fn reach(&self) -> usize {
        self.0.iter().map(|secret| secret.bytes.len()).max().unwrap_or(0)
    }

    /// Returns where values are in `text`, in order and apart from each other.
    pub(crate) fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> =
            self.0.iter().flat_map(|secret| secret.find(text)).collect();
        found.sort_unstable_by_key(|range| (range.start, range.end));
        found.dedup_by(|later, earlier| {
            let meets = later.start < earlier.end;
            if meets {
                earlier.end = earlier.end.max(later.end);
            }
            meets
        });
        found
    }

    /// Returns `text` with its values masked.
    pub(crate) fn bytes(&self, text: &[u8]) -> Vec<u8> {
        let (mut masked, mut done) = (Vec::with_capacity(text.len()), 0);
        for range in self.find(text) {
            masked.extend_from_slice(&text[done..range.start]);
            masked.extend_from_slice(MASK.as_bytes());
            done = range.end;
        }
        masked.extend_from_slice(&text[done..]);
        masked
    }

    /// Masks the values in `text`.
    pub(crate) fn text(&self, text: &mut String) {
        if !self.0.is_empty() && !self.find(text.as_bytes()).is_empty() {
            *text = String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned();
        }
    }

    /// Masks the values in every text of `json`.
    pub(crate) fn json(&self, json: &mut Value) {
        match json {
            Value::String(text) => self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(members) => members.values_mut().for_each(|value| self.json(value)),
            // A value that reads as a number may have become one.
            Value::Bool(_) | Value::Number(_) => {
                let mut text = json.to_string();
                self.text(&mut text);
                if text.contains(MASK) {
                    *json = Value::String(text);
                }
            }
            Value::Null => {}
        }
    }

    /// Masks the values in what `event` tells.
    pub(crate) fn event(&self, event: &mut Event) {
        match event {
            Event::Output { line, .. } => self.text(line),
            Event::StepEnded { message, inputs, outputs, .. } => {
                self.text(message);
                self.json(inputs);
                self.json(outputs);
            }
            Event::Ended { message, .. } | Event::Refused { message } => self.text(message),
            // What a restarted execution goes on with is for `toe` alone.
            Event::Ready { .. } | Event::StepStarted { .. } | Event::Reboot { .. } => {}
        }
    }
}

impl Secret {
    fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let length = self.bytes.len();
        let starts = text.windows(length).enumerate().filter(|(_, window)| *window == self.bytes);
        let ranges = starts.map(|(start, _)| start..start + length);
        let is_word = |byte: Option<&u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80)
        };
        ranges
            .filter(|range| {
                let before = range.start.checked_sub(1).and_then(|at| text.get(at));
                !self.stands_alone || !(is_word(before) || is_word(text.get(range.end)))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn mask(values: &[&str]) -> Mask {
        let stored = values.iter().map(|value| Stored {
            name: "/x".to_owned(),
            value: (*value).to_owned(),
            secure: true,
        });
        Mask::of(&stored.collect::<Vec<_>>())
    }

    #[track_caller]
    fn check(values: &[&str], text: &str, expected: &str) {
        let mut masked = text.to_owned();
        mask(values).text(&mut masked);
        assert_eq!(masked, expected);
    }

    #[test]
    fn values_are_masked_wherever_they_are() {
        check(&["hunter2"], "a hunter2, xhunter2x", "a ********, x********x");
        check(&[], "a hunter2", "a hunter2");
        check(&["pässe"], "épässeé", "é********é");
    }

    #[test]
    fn values_that_meet_leave_nothing() {
        check(&["abcdef", "defghi"], "xabcdefghix", "x********x");
        check(&["aaaa"], "aaaaaaa", "********");
        check(&["abcd", "bc"], "abcd bc", "******** ********");
        check(&["abcd"], "abcdabcd", "****************");
    }

    #[test]
    fn lines_of_a_value_are_values() {
        let key = "-----BEGIN KEY-----\nMIIE\n\nabcd\r\n";
        check(&[key], "x MIIE", "x ********");
        check(&[key], key, "********\n********\n\n********\r\n");
    }

    #[test]
    fn short_values_are_masked_as_words() {
        check(&["on"], "on: one, won, (on) on_ on", "********: one, won, (********) on_ ********");
        check(&["1"], "10 1", "10 ********");
        check(&["é"], "é né", "******** né");
        check(&[" ", ""], "a b", "a b");
    }

    #[test]
    fn values_are_masked_in_json() {
        let mut json = json!({"a": ["x 12345", 12345, true, null], "12345": {"b": 1}});
        mask(&["12345"]).json(&mut json);
        assert_eq!(json, json!({"a": ["x ********", "********", true, null], "12345": {"b": 1}}));
    }

    #[test]
    fn only_secure_values_are_masked() {
        let plain = Stored { name: "/x".to_owned(), value: "visible".to_owned(), secure: false };
        assert_eq!(Mask::of(&[plain]).reach(), 0);
    }

    proptest! {
        #[test]
        fn no_long_value_is_left(values in proptest::collection::vec("[ab]{4,6}", 1..4), text in "[ab ]{0,40}") {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let mut masked = text;
            mask(&values).text(&mut masked);
            for value in values {
                prop_assert!(!masked.contains(value));
            }
        }
    }
}
