//! Regular expressions as AWS's runner has them: RE2, in Go's spelling.
//!
//! The expressions are rewritten for the `regex` crate where the two read the
//! same characters differently; what RE2 refuses may be taken here.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// Compiles an RE2 expression that matches whatever the letters' case.
pub(crate) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&rewrite(pattern)).case_insensitive(true).build()
}

fn rewrite(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => escape(&mut chars, &mut out),
            '[' => class(&mut chars, &mut out),
            // A brace that does not begin a count is itself.
            '{' if !begins_count(chars.clone()) => out.push_str("\\{"),
            c => out.push(c),
        }
    }
    out
}

/// Rewrites what follows a backslash outside of classes.
fn escape(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    match chars.next() {
        Some('b') => out.push_str("(?-u:\\b)"),
        Some('B') => out.push_str("(?-u:\\B)"),
        Some('Q') => quote(chars, out),
        Some('E') => {}
        // Word boundaries there, plain characters in RE2.
        Some(c @ ('<' | '>')) => out.push(c),
        Some(c) => set(c, out),
        None => out.push('\\'),
    }
}

/// Rewrites `\d`, `\w` and `\s`, which in RE2 know ASCII only.
fn set(c: char, out: &mut String) {
    out.push_str(match c {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        's' => "[\\t\\n\\f\\r ]",
        'S' => "[^\\t\\n\\f\\r ]",
        c => {
            out.push('\\');
            out.push(c);
            return;
        }
    });
}

/// Takes everything up to `\E` as it is.
fn quote(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.peek() == Some(&'E') {
            chars.next();
            break;
        }
        text.push(c);
    }
    out.push_str(&regex::escape(&text));
}

/// Rewrites a class, in which RE2 knows neither classes nor set operations.
fn class(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    // A bracket that comes first is itself.
    if chars.next_if_eq(&']').is_some() {
        out.push_str("\\]");
    }
    while let Some(c) = chars.next() {
        match c {
            ']' => {
                out.push(']');
                return;
            }
            '[' if chars.peek() == Some(&':') => {
                out.push('[');
                for c in chars.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' | '&' | '~' => {
                out.push('\\');
                out.push(c);
            }
            // Of two dashes the one that is not between two others is itself.
            '-' if out.ends_with(['[', '^']) => out.push_str("\\-"),
            '-' if chars.next_if_eq(&'-').is_some() => out.push_str("-\\-"),
            '\\' => match chars.next() {
                Some(c) => set(c, out),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
}

/// Returns whether `chars` go on as in `{2}`, `{2,}` or `{2,3}`.
fn begins_count(chars: Peekable<Chars<'_>>) -> bool {
    let inner: String = chars.take_while(|c| *c != '}').collect();
    let (least, most) = inner.split_once(',').unwrap_or((&inner, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        for (pattern, good, bad) in [
            ("^[a-z]+$", "ThisIsValue", "a1"),
            (r"^\d+$", "12", "٣"),
            (r"^\w$", "_", "é"),
            (r"^[\d\-x]$", "-", "y"),
            (r"^[^\D]$", "5", "x"),
            (r"^[[:alpha:]_]+$", "a_B", "1"),
            ("^[[a]$", "[", "b"),
            ("^[]a]$", "]", "b"),
            ("^[^]a]$", "b", "]"),
            ("^[a&&b]$", "&", "c"),
            ("^[+--]$", ",", "a"),
            ("^[--/]$", ".", ","),
            ("^[a-]$", "-", "b"),
            (r"^\Qa.b\E$", "a.b", "axb"),
            (r"^a\Q+", "a+", "aa"),
            (r"^\<$", "<", ""),
            ("^{a}$", "{a}", "a"),
            ("^a{2}$", "aa", "a{2}"),
            (r"\bb\b", "a b", "ab"),
            ("^.$", "é", "\n"),
        ] {
            let regex = compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert!(regex.is_match(good), "{pattern} does not match {good:?}");
            assert!(!regex.is_match(bad), "{pattern} matches {bad:?}");
        }
        for broken in ["(", "a)", "[a", "*", "[b-a]", "\\", r"\y"] {
            assert!(compile(broken).is_err(), "{broken}");
        }
    }

    proptest! {
        #[test]
        fn texts_match_their_quotation(text in "\\PC{0,12}") {
            prop_assume!(!text.contains("\\E"));
            let pattern = format!("^\\Q{text}\\E$");
            prop_assert!(compile(&pattern).unwrap().is_match(&text));
        }

        #[test]
        fn no_pattern_panics(pattern in "[\\[\\]{}^$\\\\a-c0-2,:&~()*+?QEdwb-]{0,16}") {
            let _ = compile(&pattern);
        }
    }
}
