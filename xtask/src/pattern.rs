//! Patterns of models, which are Java's, in the syntax of the `regex` crate.
//!
//! Every construct is either translated exactly or refused: none is dropped.

use std::iter::Peekable;
use std::str::Chars;

/// A pattern that the whole of a string must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Translation {
    /// The expression without anchors at its ends.
    pub(crate) regex: String,
    /// What a string must not begin with.
    pub(crate) unless: Option<String>,
}

/// A pattern that cannot be expressed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pattern `{pattern}` cannot be expressed: {reason}")]
pub struct PatternError {
    pattern: String,
    reason: String,
}

/// Returns `pattern` in the syntax of `regex`.
///
/// Classes such as `\w` are those of ASCII, as in Java. A negative look-ahead
/// is possible at the very beginning only, where it says what a string must
/// not begin with.
///
/// # Errors
/// Fails on everything else in which the two languages differ.
pub(crate) fn translate(pattern: &str) -> Result<Translation, PatternError> {
    let fail = |reason: String| PatternError { pattern: pattern.to_owned(), reason };
    let mut rest = pattern.strip_prefix('^').unwrap_or(pattern);
    let mut unless = None;
    if let Some(ahead) = rest.strip_prefix("(?!") {
        let end = ahead.find(')').ok_or_else(|| fail("a group has no end".to_owned()))?;
        if ahead[..end].contains(['(', '[', '\\']) {
            return Err(fail("a look-ahead holds more than plain characters".to_owned()));
        }
        if has_top_level_choice(&ahead[end + 1..]) {
            return Err(fail("a look-ahead is part of a choice".to_owned()));
        }
        unless = Some(body(&ahead[..end]).map_err(fail)?);
        rest = &ahead[end + 1..];
    }
    let slashes = rest.strip_suffix('$').map(|open| open.len() - open.trim_end_matches('\\').len());
    if slashes.is_some_and(|slashes| slashes % 2 == 0) {
        rest = &rest[..rest.len() - 1];
    }
    let regex = body(rest).map_err(fail)?;
    for regex in unless.iter().chain([&regex]) {
        regex::Regex::new(regex).map_err(|error| fail(error.to_string()))?;
    }
    Ok(Translation { regex, unless })
}

fn has_top_level_choice(text: &str) -> bool {
    let (mut depth, mut class, mut escaped) = (0_u32, false, false);
    for symbol in text.chars() {
        match symbol {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => depth = depth.saturating_sub(1),
            '|' if !class && depth == 0 => return true,
            _ => {}
        }
    }
    false
}

fn body(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut symbols = text.chars().peekable();
    while let Some(symbol) = symbols.next() {
        match symbol {
            '\\' => escape(&mut symbols, &mut out, false)?,
            '[' => class(&mut symbols, &mut out)?,
            '(' => {
                out.push('(');
                if symbols.next_if_eq(&'?').is_some() {
                    if symbols.next_if_eq(&':').is_none() {
                        return Err("a group is neither plain nor `(?:`".to_owned());
                    }
                    out.push_str("?:");
                }
            }
            '^' | '$' => return Err("an anchor is inside".to_owned()),
            '*' | '+' | '?' | '}' => {
                out.push(symbol);
                if symbols.peek() == Some(&'+') {
                    return Err("a repetition is possessive".to_owned());
                }
            }
            // Java's dot stops at more line ends than the newline.
            '.' => out.push_str(r"[^\n\r\x{85}\x{2028}\x{2029}]"),
            _ => out.push(symbol),
        }
    }
    Ok(out)
}

fn escape(symbols: &mut Peekable<Chars>, out: &mut String, in_class: bool) -> Result<(), String> {
    let symbol = symbols.next().ok_or("it ends in a backslash")?;
    let members = match symbol {
        'w' => "0-9A-Z_a-z",
        'd' => "0-9",
        's' => r"\t\n\x0B\f\r ",
        'x' => {
            let digits: String = symbols.by_ref().take(2).collect();
            if digits.len() != 2 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err("`\\x` is not followed by two digits".to_owned());
            }
            out.push_str(&format!(r"\x{digits}"));
            return Ok(());
        }
        '/' => {
            out.push('/');
            return Ok(());
        }
        't' | 'n' | 'r' | 'f' => "",
        other if other.is_ascii_punctuation() => "",
        other => return Err(format!("`\\{other}` is unknown")),
    };
    match (members, in_class) {
        ("", _) => out.extend(['\\', symbol]),
        (members, true) => out.push_str(members),
        (members, false) => out.push_str(&format!("[{members}]")),
    }
    Ok(())
}

fn class(symbols: &mut Peekable<Chars>, out: &mut String) -> Result<(), String> {
    out.push('[');
    if symbols.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut before = None;
    while let Some(symbol) = symbols.next() {
        match symbol {
            ']' if before.is_some() => {
                out.push(']');
                return Ok(());
            }
            ']' | '[' => return Err("a class holds a bare bracket".to_owned()),
            '&' | '~' | '-' if before == Some(symbol) => {
                return Err(format!("a class holds `{symbol}{symbol}`"));
            }
            '\\' => escape(symbols, out, true)?,
            _ => out.push(symbol),
        }
        before = Some(symbol);
    }
    Err("a class has no end".to_owned())
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[track_caller]
    fn check(pattern: &str, regex: &str, unless: Option<&str>) {
        let found = translate(pattern).unwrap();
        assert_eq!((found.regex.as_str(), found.unless.as_deref()), (regex, unless));
    }

    #[test]
    fn what_both_languages_share_stays() {
        check("^[0-9]{12}$", "[0-9]{12}", None);
        check("[^\\x00]+", "[^\\x00]+", None);
        check("^a(?:b|(c))*$", "a(?:b|(c))*", None);
        check("^String|Integer$", "String|Integer", None);
        check("[-_A-Za-z-0-9]", "[-_A-Za-z-0-9]", None);
        check(r"^a\$", r"a\$", None);
        check(r"^a\\$", r"a\\", None);
    }

    #[test]
    fn classes_are_those_of_ascii() {
        check(r"^[\w+=,.@-]+$", "[0-9A-Z_a-z+=,.@-]+", None);
        check(r"\w\d", "[0-9A-Z_a-z][0-9]", None);
        check(r"[a\s]", r"[a\t\n\x0B\f\r ]", None);
        check(r"(?:\/.)*", r"(?:/[^\n\r\x{85}\x{2028}\x{2029}])*", None);
    }

    #[test]
    fn a_leading_look_ahead_becomes_what_a_string_must_not_begin_with() {
        check("^(?!aws:)[a-z:]*$", "[a-z:]*", Some("aws:"));
    }

    #[test]
    fn what_cannot_be_expressed_is_refused() {
        for (pattern, reason) in [
            ("a(?=b)", "a group is neither plain nor `(?:`"),
            ("a(?!b)", "a group is neither plain nor `(?:`"),
            ("(?<=a)b", "a group is neither plain nor `(?:`"),
            ("(?i)a", "a group is neither plain nor `(?:`"),
            ("(?!a(b))c", "a look-ahead holds more than plain characters"),
            ("(?!a)b|c", "a look-ahead is part of a choice"),
            ("(?!a", "a group has no end"),
            ("a^b", "an anchor is inside"),
            ("a++", "a repetition is possessive"),
            (r"(a)\1", "`\\1` is unknown"),
            (r"\p{L}", "`\\p` is unknown"),
            (r"\bword", "`\\b` is unknown"),
            ("[a&&b]", "a class holds `&&`"),
            ("[a[b]]", "a class holds a bare bracket"),
            ("[a", "a class has no end"),
            (r"\x1", "`\\x` is not followed by two digits"),
            ("a\\", "it ends in a backslash"),
        ] {
            assert_eq!(translate(pattern).unwrap_err().reason, reason, "{pattern}");
        }
        assert!(translate("a)").is_err());
    }
}
