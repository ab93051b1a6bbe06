//! What numbers of YAML come to, spelled as they may be: with exponents, or to
//! other bases.
//!
//! Follows go-yaml, which reads a document for AWS's runner: `010` and `0o10`
//! are 8, and `1e3` is a whole number. YAML 1.2 alone would make `010` 10.

use std::borrow::Cow;

/// The most places that an exponent moves the point by: beyond them are no
/// numbers of 64 bits.
const PLACES_LIMIT: usize = 308;

/// Returns a number in plain decimal digits; what is so already, and what is no
/// number, as it is.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { "-" } else { "" };
    let whole = to_other_base(unsigned).map(|value| format!("{sign}{value}"));
    let moved = || moved(unsigned).map(|digits| format!("{sign}{digits}"));
    whole.or_else(moved).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Returns a whole number in plain decimal digits; what is none, as
/// [`plain`] does.
pub(crate) fn whole(text: &str) -> Cow<'_, str> {
    let text = plain(text);
    let whole = text.split_once('.').filter(|(_, fraction)| fraction.bytes().all(|it| it == b'0'));
    match whole.map(|(whole, _)| whole.to_owned()) {
        Some(whole) => Cow::Owned(whole),
        None => text,
    }
}

/// Reads hexadecimal, octal and binary digits; `None` for anything else.
fn to_other_base(unsigned: &str) -> Option<u64> {
    let digits = unsigned.strip_prefix('0')?;
    let (radix, digits) = match digits.as_bytes().first()? {
        b'x' | b'X' => (16, &digits[1..]),
        b'o' | b'O' => (8, &digits[1..]),
        b'b' | b'B' => (2, &digits[1..]),
        _ => (8, digits),
    };
    // The standard library would take another sign.
    digits.bytes().all(|digit| digit.is_ascii_alphanumeric()).then_some(())?;
    u64::from_str_radix(digits, radix).ok()
}

/// Moves the point of a decimal number to where its exponent wants it, with a
/// digit before it; `None` if there is nothing to do, or too much.
fn moved(unsigned: &str) -> Option<String> {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<isize>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    if exponent == 0 && !whole.is_empty() && (!fraction.is_empty() || !mantissa.contains('.')) {
        return (unsigned != mantissa).then(|| mantissa.to_owned());
    }
    let places = exponent.unsigned_abs();
    if places > PLACES_LIMIT {
        return None;
    }
    let zeros = "0".repeat(places + 1);
    // With zeros on both sides the point is somewhere within the digits.
    let point = (zeros.len() + whole.len()).checked_add_signed(exponent)?;
    let padded = format!("{zeros}{digits}{zeros}");
    let (whole, fraction) = padded.split_at(point);
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_come_to_what_go_makes_of_them() {
        for (text, expected) in [
            ("0", "0"),
            ("10", "10"),
            ("-19", "-19"),
            ("+3", "+3"),
            ("1.10", "1.10"),
            ("1e3", "1000"),
            ("1E+3", "1000"),
            ("-2.5e1", "-25"),
            ("12.345e2", "1234.5"),
            ("1200e-2", "12"),
            ("1e-3", "0.001"),
            ("0e5", "0"),
            ("1.5e0", "1.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("0.", "0"),
            ("0x1F", "31"),
            ("-0x10", "-16"),
            ("0o17", "15"),
            ("0b101", "5"),
            ("010", "8"),
            ("-010", "-8"),
            ("09", "09"),
            ("0.5", "0.5"),
            ("00", "0"),
            ("1e309", "1e309"),
            ("1e99999999999999999999", "1e99999999999999999999"),
            ("0x", "0x"),
            ("0x+1", "0x+1"),
            ("", ""),
            ("-", "-"),
            (".", "."),
            ("e5", "e5"),
            ("text", "text"),
            ("1.0.0", "1.0.0"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn a_fraction_of_nothing_is_none() {
        for (text, expected) in
            [("10", "10"), ("10.0", "10"), ("1.50e1", "15"), ("1.5", "1.5"), ("-3.", "-3")]
        {
            assert_eq!(whole(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-+0-9xobeE._a-fé]{0,12}") {
            plain(&text);
            whole(&text);
        }

        #[test]
        fn exponents_count(digits in 0..100_000_000_u64, places in 0..9_u32) {
            let expected = (digits * 10_u64.pow(places)).to_string();
            // A leading zero would be another base's.
            let (up, down) = (format!("{digits}e{places}"), format!("{expected}e-{places}"));
            prop_assert_eq!(plain(&up), expected);
            prop_assert_eq!(plain(&down), digits.to_string());
        }
    }
}
