//! What a plain scalar means in YAML 1.2's core schema.
//!
//! YAML 1.1's `yes`, `off` and sexagesimal numbers are texts here.

use super::Value;

/// Returns the value that the unquoted `text` stands for.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text.to_owned()),
        _ => Value::String(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    let digits = |digits: &str, radix| {
        !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix))
    };
    if let Some(octal) = text.strip_prefix("0o") {
        return digits(octal, 8);
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return digits(hex, 16);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_fits =
        exponent.is_none_or(|text| digits(text.strip_prefix(['-', '+']).unwrap_or(text), 10));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = mantissa.chars().all(|c| c.is_ascii_digit() || c == '.');
    let some_digit = digits(whole, 10) || (whole.is_empty() && digits(fraction, 10));
    exponent_fits && all_digits && some_digit && !fraction.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_schema_of_yaml_1_2() {
        for number in ["0", "-19", "+3", "0o14", "0x3A", "0644", "0.", ".5", "-2E+05", "1.10"] {
            assert_eq!(resolve(number), Value::Number(number.to_owned()));
        }
        for text in ["yes", "1.0.0", "-", ".", "+", "e5", "1e", "0x", "1_000", "12:30", "1 2"] {
            assert_eq!(resolve(text), Value::String(text.to_owned()));
        }
        for null in ["", "~", "null"] {
            assert_eq!(resolve(null), Value::Null);
        }
        assert_eq!(resolve("True"), Value::Bool(true));
        assert_eq!(resolve("FALSE"), Value::Bool(false));
    }
}
