//! Keeps secure values out of what is reported, and out of what is kept while
//! the machine restarts.
//!
//! Wherever a value occurs, eight asterisks stand instead; of a value of
//! several lines, each line that is not empty is a value. One shorter than
//! four characters would tear words apart and give itself away by that: it is
//! masked only where no letter, digit or `_` is beside it. What a command
//! makes of a value, as in base64, cannot be known.
//!
//! In what is kept, a reference stands in place of a value, which is put back
//! when the execution goes on.

use std::cmp::Reverse;
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use channel::{Event, Stored};
use serde_json::Value;

/// What stands for a value.
const MASK: &str = "********";

/// Around a reference: private characters, which texts seldom have.
const OPEN: char = '\u{f0000}';
const CLOSE: char = '\u{f0001}';

/// The length from which a value is masked within words, in characters.
const LONG: usize = 4;

/// The values that are not to be seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mask(Arc<[Secret]>);

struct Secret {
    text: String,
    /// The stored parameter's name, and which line of its value this is.
    name: String,
    line: usize,
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
        let lines = secure.flat_map(|Stored { name, value, .. }| {
            let lines = value.split(['\n', '\r']).enumerate();
            lines.map(move |(line, text)| (text, name, line))
        });
        let mut lines: Vec<_> = lines.filter(|(text, ..)| !text.trim().is_empty()).collect();
        lines.sort_unstable();
        lines.dedup_by_key(|(text, ..)| *text);
        let secrets = lines.into_iter().map(|(text, name, line)| Secret {
            text: text.to_owned(),
            name: name.clone(),
            line,
            stands_alone: text.chars().count() < LONG,
        });
        Self(secrets.collect())
    }

    /// Returns how many bytes beyond a place have to be known to tell whether
    /// a value begins before it.
    pub(crate) fn reach(&self) -> usize {
        self.0.iter().map(|secret| secret.text.len()).max().unwrap_or(0)
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
        change_texts(json, &mut |text| self.text(text));
    }

    /// Puts references in place of the values in `text`.
    ///
    /// If its beginning is cut off then, what is left of a reference is no value.
    pub(crate) fn refer(&self, text: &mut String) {
        let found = self.0.iter().flat_map(|secret| {
            let ranges = secret.find(text.as_bytes()).into_iter();
            ranges.map(move |range| (range.start, Reverse(range.end), secret))
        });
        let mut found: Vec<_> = found.collect();
        found.sort_unstable_by_key(|(start, end, _)| (*start, *end));
        let literal = |text: &str| text.replace(OPEN, &format!("{OPEN}{CLOSE}"));
        let (mut kept, mut done) = (String::with_capacity(text.len()), 0);
        for (start, Reverse(end), Secret { name, line, .. }) in found {
            if end <= done {
                continue;
            }
            kept.push_str(&literal(&text[done..start.max(done)]));
            // Where two values meet, the second gives what the first lacks.
            let from = done.saturating_sub(start);
            write!(kept, "{OPEN}{from}:{line}:{name}{CLOSE}")
                .expect("writing succeeds because it is to a string");
            done = end;
        }
        kept.push_str(&literal(&text[done..]));
        *text = kept;
    }

    /// Undoes [`Self::refer`]. A value that has changed meanwhile is the new one.
    pub(crate) fn restore(&self, text: &mut String) {
        let mut parts = text.split(OPEN);
        let mut restored = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (reference, rest) = part.split_once(CLOSE).unwrap_or_default();
            match reference {
                "" => restored.push(OPEN),
                reference => restored.push_str(self.referred_to(reference).unwrap_or(MASK)),
            }
            restored.push_str(rest);
        }
        *text = restored;
    }

    fn referred_to(&self, reference: &str) -> Option<&str> {
        let (from, rest) = reference.split_once(':')?;
        let (line, name) = rest.split_once(':')?;
        let (from, line): (usize, usize) = (from.parse().ok()?, line.parse().ok()?);
        let secret = self.0.iter().find(|secret| secret.name == name && secret.line == line)?;
        secret.text.get(from..)
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
            // What a restarted execution goes on with has references instead.
            Event::Ready { .. } | Event::StepStarted { .. } | Event::Reboot { .. } => {}
        }
    }
}

/// Calls `change` with every text of `json`.
pub(crate) fn change_texts(json: &mut Value, change: &mut dyn FnMut(&mut String)) {
    match json {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| change_texts(item, change)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| change_texts(member, change));
        }
        // A value that reads as a number may have become one.
        Value::Bool(_) | Value::Number(_) => {
            let before = json.to_string();
            let mut text = before.clone();
            change(&mut text);
            if text != before {
                *json = Value::String(text);
            }
        }
        Value::Null => {}
    }
}

impl Secret {
    fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let bytes = self.text.as_bytes();
        let length = bytes.len();
        let starts = text.windows(length).enumerate().filter(move |(_, window)| *window == bytes);
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
        let stored = values.iter().enumerate().map(|(n, value)| Stored {
            name: format!("/{n}"),
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

    #[test]
    fn what_is_kept_refers_to_values() {
        let mask = mask(&["hunter2\nzwei", "hunter2zwei"]);
        let before = format!("{OPEN}a hunter2zwei hunter2{CLOSE}");
        let mut text = before.clone();
        mask.refer(&mut text);
        assert_eq!(
            text,
            "\u{f0000}\u{f0001}a \u{f0000}0:0:/1\u{f0001} \u{f0000}0:0:/0\u{f0001}\u{f0001}"
        );
        mask.restore(&mut text);
        assert_eq!(text, before);
    }

    proptest! {
        #[test]
        fn what_is_kept_comes_back_and_holds_no_long_value(
            values in proptest::collection::vec("[abé]{1,6}", 1..4),
            before in "[abé \u{f0000}\u{f0001}]{0,40}",
        ) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let (mask, mut text) = (mask(&values), before.clone());
            mask.refer(&mut text);
            for value in values.iter().filter(|value| value.chars().count() >= LONG) {
                prop_assert!(!text.contains(value));
            }
            mask.restore(&mut text);
            prop_assert_eq!(text, before);
        }

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
