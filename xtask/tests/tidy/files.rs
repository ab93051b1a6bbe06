//! What every file of ours has and has not.

use std::fs;
use std::path::{Path, PathBuf};

use crate::root;

#[test]
fn every_file_says_what_it_is_for() {
    for file in sources(&["crates", "xtask", "bench", "fuzz/fuzz_targets"]) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//! "), "{} has no `//!`", file.display());
        let lines = text.lines().count();
        let generated = file.components().any(|part| part.as_os_str() == "generated");
        assert!(generated || lines <= 1000, "{} has {lines} lines", file.display());
    }
}

#[test]
fn crate_roots_hold_declarations_only() {
    for file in sources(&["crates", "xtask"]).into_iter().filter(|file| file.ends_with("lib.rs")) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("fn "), "{} has code", file.display());
    }
}

/// Nothing compiles them, so they would rot: what an item is for is shown by its tests.
#[test]
fn no_comment_holds_code() {
    for file in sources(&["crates", "xtask", "bench"]) {
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(code_blocks(&text), Vec::<usize>::new(), "{} holds code", file.display());
    }
}

/// Returns the lines on which documentation begins what rustdoc would compile: a fence that
/// names no other language, or an indented block.
fn code_blocks(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let (mut fenced, mut blank) = (false, true);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let Some(words) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            (fenced, blank) = (false, true);
            continue;
        };
        let words = words.strip_prefix(' ').unwrap_or(words);
        if let Some(language) = words.trim_start().strip_prefix("```") {
            if !fenced && matches!(language.split(',').next(), Some("" | "rust")) {
                found.push(number + 1);
            }
            fenced = !fenced;
        } else if !fenced && blank && words.starts_with("    ") {
            found.push(number + 1);
        }
        blank = words.is_empty();
    }
    found
}

#[test]
fn code_in_comments_is_found() {
    for (text, lines) in [
        ("/// Words.\nfn a() {}\n", vec![]),
        ("/// Words:\n///\n/// ```\n/// let a = 1;\n/// ```\n", vec![3]),
        ("    //! ```rust,no_run\n    //! a();\n    //! ```\n", vec![1]),
        ("/// ```text\n/// a\n/// ```\n/// more\n", vec![]),
        ("/// Words:\n///\n///     let a = 1;\n", vec![3]),
        ("/// - a list\n///     that goes on\n", vec![]),
        ("// ```\n// no documentation\n", vec![]),
    ] {
        assert_eq!(code_blocks(text), lines, "{text}");
    }
}

#[test]
fn what_is_cited_is_among_the_sources() {
    let known = fs::read_to_string(root().join("docs/reference/sources.md")).unwrap();
    for file in sources(&["crates", "xtask", "bench"]) {
        let text = fs::read_to_string(&file).unwrap();
        for cited in text.split("reference §").skip(1) {
            let end = cited.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(cited.len());
            let section = cited[..end].trim_end_matches('.');
            let row = format!("| §{section} |");
            assert!(known.contains(&row), "{} cites §{section}", file.display());
        }
    }
}

#[test]
fn every_decision_is_in_the_index() {
    let folder = root().join("docs/decisions");
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || index.contains(&name), "{name} is not in the index");
    }
}

/// Returns the Rust files below `folders` of the repository.
pub(crate) fn sources(folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in folders {
        gather(&root().join(folder), &mut found);
    }
    found
}

fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            gather(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}
