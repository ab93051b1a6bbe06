//! The formats of what action modules are given: patterns, addresses and
//! the names of Windows.

use crate::DocumentAddress;
use crate::address::object;

use super::{parses, refuse_unless, web_address};

pub(super) fn last_segment_glob(text: &str) -> Result<(), String> {
    let folder = text.trim_end_matches('/').rsplit_once('/').map_or("", |(folder, _)| folder);
    refuse_unless(!folder.contains('*'), || {
        format!("`*` in `{text}` stands before the last `/`, where it is not expanded")
    })
}

pub(super) fn file_name_glob(text: &str) -> Result<(), String> {
    refuse_unless(!text.is_empty() && !text.contains('/'), || {
        format!("`{text}` is not a pattern for names of files: expected one without `/`")
    })
}

/// Accepts an object, or all objects below a prefix.
pub(super) fn s3_source(text: &str) -> Result<(), String> {
    let address = object(text).map_err(|error| error.to_string())?;
    let prefix = match address.key.as_str() {
        "*" => "",
        key => key.strip_suffix("/*").unwrap_or(key),
    };
    refuse_unless(!prefix.contains('*'), || {
        format!("`*` in `{text}` is not expanded: it may only stand at the end, after a `/`")
    })
}

pub(super) fn document_address(text: &str) -> Result<(), String> {
    parses::<DocumentAddress>(text)
}

pub(super) fn powershell_script(text: &str) -> Result<(), String> {
    let is_script = text.len() > 4 && text.to_ascii_lowercase().ends_with(".ps1");
    refuse_unless(is_script, || format!("`{text}` is not a PowerShell script: expected `….ps1`"))
}

pub(super) fn msi_address(text: &str) -> Result<(), String> {
    if text.starts_with("s3://") {
        return object(text).map(drop).map_err(|error| error.to_string());
    }
    if !text.contains("://") {
        return Ok(());
    }
    let fine = text.starts_with("https://") && web_address(text).is_ok();
    refuse_unless(fine, || {
        format!("`{text}` is not where a package can be: expected a path, `s3://…` or `https://…`")
    })
}

/// Accepts the letters that msiexec's `/L` takes.
pub(super) fn msi_log_options(text: &str) -> Result<(), String> {
    let known = |c: char| "iwearucmopvx+!*".contains(c.to_ascii_lowercase());
    refuse_unless(!text.is_empty() && text.chars().all(known), || {
        format!("`{text}` are not options of msiexec's log: expected letters of `iwearucmopvx+!*`")
    })
}

/// Refuses the properties that would undo what the module itself decides.
pub(super) fn msi_property(text: &str) -> Result<(), String> {
    let protected = ["REBOOT", "REINSTALL", "REINSTALLMODE"];
    if protected.iter().any(|name| text.eq_ignore_ascii_case(name)) {
        return Err(format!("property `{text}` is set by the module and cannot be overridden"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
    let starts_well = |c: char| c.is_ascii_alphabetic() || c == '_';
    refuse_unless(text.starts_with(starts_well) && text.chars().all(allowed), || {
        format!("`{text}` is not a property's name: expected letters, digits, `_` or `.`")
    })
}

/// The roots of the registry, short and long.
const HIVES: [(&str, &str); 5] = [
    ("HKCR", "HKEY_CLASSES_ROOT"),
    ("HKU", "HKEY_USERS"),
    ("HKLM", "HKEY_LOCAL_MACHINE"),
    ("HKCC", "HKEY_CURRENT_CONFIG"),
    // Not in AWS's list, but in its examples.
    ("HKCU", "HKEY_CURRENT_USER"),
];

/// Accepts `HKLM:\…`, `HKLM\…` and `HKEY_LOCAL_MACHINE\…`.
pub(super) fn registry_key(text: &str) -> Result<(), String> {
    let (root, key) = text.split_once('\\').unwrap_or((text, ""));
    let root = root.strip_suffix(':').unwrap_or(root);
    let is_root = HIVES
        .iter()
        .any(|(short, long)| root.eq_ignore_ascii_case(short) || root.eq_ignore_ascii_case(long));
    refuse_unless(is_root && !key.is_empty(), || {
        format!(
            "`{text}` is not a key of the registry: expected a path below one of {}",
            HIVES.map(|(short, _)| short).join(", ")
        )
    })
}
