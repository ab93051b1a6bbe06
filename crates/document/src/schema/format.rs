//! The formats that schemas name: rules for a single text, in code.

mod inputs;

use std::error::Error;
use std::fmt;
use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;

use model::{ComponentReference, InstanceType, Name, NameTemplate, Tags, Template};
use name::{Account, Digest, Region, Version};

use crate::condition::{compile, is_decimal};
use crate::{Encoding, Mode, ParameterType, S3Address};

/// A rule for the text of a scalar.
#[derive(Clone, Copy)]
pub(super) struct Format {
    /// The name, which is also the code of its problems.
    pub(super) name: &'static str,
    /// Says what is wrong with a text, if anything.
    pub(super) check: fn(&str) -> Result<(), String>,
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Format {
    /// Returns the format `name`; panics if there is none.
    pub(super) fn named(name: &str) -> Self {
        let format = FORMATS.iter().find(|format| format.name == name);
        *format.unwrap_or_else(|| panic!("there is no format `{name}`"))
    }
}

const FORMATS: &[Format] = &[
    Format { name: "int64", check: fits::<i64> },
    Format { name: "uint8", check: fits::<u8> },
    Format { name: "uint16", check: fits::<u16> },
    Format { name: "uint32", check: fits::<u32> },
    Format { name: "uint64", check: fits::<u64> },
    Format { name: "encoding", check: parses::<Encoding> },
    Format { name: "file-mode", check: parses::<Mode> },
    Format { name: "semantic-version", check: version },
    Format { name: "sha256", check: parses::<Digest> },
    Format { name: "region", check: parses::<Region> },
    Format { name: "last-segment-glob", check: inputs::last_segment_glob },
    Format { name: "file-name-glob", check: inputs::file_name_glob },
    Format { name: "web-address", check: web_address },
    Format { name: "s3-address", check: parses::<S3Address> },
    Format { name: "s3-source", check: inputs::s3_source },
    Format { name: "document-address", check: inputs::document_address },
    Format { name: "powershell-script", check: inputs::powershell_script },
    Format { name: "msi-address", check: inputs::msi_address },
    Format { name: "msi-log-options", check: inputs::msi_log_options },
    Format { name: "msi-property", check: inputs::msi_property },
    Format { name: "registry-key", check: inputs::registry_key },
    Format { name: "timeout", check: timeout },
    Format { name: "schema-version", check: schema_version },
    Format { name: "pattern", check: pattern },
    Format { name: "parameter-name", check: parameter_name },
    Format { name: "parameter-type", check: parses::<ParameterType> },
    Format { name: "tag-key", check: tag_key },
    Format { name: "delimiter", check: delimiter },
    Format { name: "ami-name", check: parses::<NameTemplate> },
    Format { name: "build-template", check: parses::<Template> },
    Format { name: "resource-name", check: parses::<Name> },
    Format { name: "instance-type", check: parses::<InstanceType> },
    Format { name: "component-reference", check: parses::<ComponentReference> },
    Format { name: "account", check: parses::<Account> },
    Format { name: "decimal", check: decimal },
];

fn parses<T: FromStr<Err: Error>>(text: &str) -> Result<(), String> {
    text.parse::<T>().map(drop).map_err(|error| {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        message
    })
}

/// Only looks for numbers too large to be kept; smaller ones have a range.
fn fits<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<(), String> {
    let Err(error) = text.parse::<T>() else { return Ok(()) };
    let overflow = [IntErrorKind::PosOverflow, IntErrorKind::NegOverflow].contains(error.kind());
    refuse_unless(!overflow, || format!("{text} is too large a number"))
}

fn version(text: &str) -> Result<(), String> {
    if text.split('.').any(|node| node == "x") {
        return Err(format!("`{text}` is not supported yet: write the version out, as in `1.0.0`"));
    }
    parses::<Version>(text)
}

fn decimal(text: &str) -> Result<(), String> {
    refuse_unless(is_decimal(text), || {
        format!("`{text}` is not a decimal number: expected digits, as in `10` or `-1.5`")
    })
}

fn refuse_unless(fine: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if fine { Ok(()) } else { Err(message()) }
}

fn web_address(text: &str) -> Result<(), String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    refuse_unless(rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')), || {
        format!("`{text}` is not a web address: expected `https://…` or `http://…`")
    })
}

fn timeout(text: &str) -> Result<(), String> {
    let fine = text.parse().is_ok_and(|seconds: i64| seconds == -1 || seconds > 0);
    refuse_unless(fine, || {
        format!("`{text}` is not a timeout: expected seconds from 1, or -1 for no limit")
    })
}

fn schema_version(text: &str) -> Result<(), String> {
    refuse_unless(matches!(text, "1" | "1.0"), || {
        format!("`{text}` is not a schema version: only 1.0 exists")
    })
}

fn pattern(text: &str) -> Result<(), String> {
    compile(text).map(drop).map_err(|error| {
        // The last line says what; the others draw where, over several lines.
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default();
        format!("`{text}` is not a regular expression: {}", reason.trim_start_matches("error: "))
    })
}

fn parameter_name(text: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    refuse_unless((3..=128).contains(&text.len()) && text.chars().all(allowed), || {
        format!("`{text}` is not a parameter's name: expected 3 to 128 letters, digits, `-` or `_`")
    })
}

fn tag_key(text: &str) -> Result<(), String> {
    Tags::check_name(text).map_err(|error| error.to_string())
}

fn delimiter(text: &str) -> Result<(), String> {
    let known = [".", ",", ";", ":", "\n", "\t", " ", "-", "_"];
    refuse_unless(known.contains(&text), || {
        format!("{text:?} is not a delimiter: expected one of . , ; : - _ newline, tab or space")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, good: &[&str], bad: &[&str]) {
        let format = Format::named(name);
        for text in good {
            assert_eq!((format.check)(text), Ok(()));
        }
        for text in bad {
            assert!((format.check)(text).is_err(), "{name}: {text}");
        }
    }

    #[test]
    fn formats_tell_good_from_bad() {
        check("timeout", &["-1", "1", "7200"], &["0", "-2", "1.5", ""]);
        check("last-segment-glob", &["/a/*.rpm", "*", "/a/b"], &["/*/a", "a*/b/"]);
        check("file-name-glob", &["*.log", "a"], &["", "a/*"]);
        check(
            "s3-source",
            &["s3://bucket/k", "s3://bucket/*", "s3://bucket/a/*"],
            &["s3://bucket"],
        );
        check("s3-source", &[], &["s3://bucket/a*", "s3://bucket/*/b", "s3://bucket/a*/*"]);
        check("s3-address", &["s3://bucket", "s3://bucket/k"], &["bucket", "s3://"]);
        check("document-address", &["a.yaml", "s3://bucket/k"], &["s3://bucket", "arn:aws:x"]);
        check("powershell-script", &["C:\\a.PS1"], &["a.bat", ".ps1"]);
        check("msi-address", &["C:\\a.msi", "https://a.example/a.msi"], &["http://a/a.msi"]);
        check("msi-address", &["s3://bucket/a.msi"], &["s3://bucket", "https://"]);
        check("msi-log-options", &["*VX", "i!"], &["", "q"]);
        check("msi-property", &["INSTALLDIR", "_a.b"], &["Reboot", "REINSTALLMODE", "1a", "a b"]);
        check("registry-key", &["HKLM:\\SOFTWARE\\A", "hkey_users\\a"], &["HKLM:", "C:\\a", ""]);
        check("web-address", &["https://a.example/x"], &["ftp://a", "https://", "http:///x", "x"]);
        check("schema-version", &["1", "1.0"], &["1.1", "2"]);
        check("pattern", &["^[a-z]+$"], &["(", "a{2"]);
        check("tag-key", &["Name", "a:b/c"], &["", "aws:x", "a*b"]);
        check("delimiter", &[",", "\n"], &["", ",,", "|"]);
        check("decimal", &["1", "-0.50", "+7"], &["one", "1e3", ".5", "0x1", "inf"]);
        check("parameter-type", &["string", "StringList"], &["number", ""]);
        check("uint32", &["0", "4294967295"], &["4294967296"]);
        check("semantic-version", &["1.0.0"], &["1.0", "1.0.x"]);
    }
}
