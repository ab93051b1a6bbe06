//! The house rules, as ordinary tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The crates, lowest tier first; within a tier those named first are lower.
const TIERS: [&[&str]; 6] = [
    &["name"],
    &["model", "document", "channel", "plan", "engine"],
    &["disk", "seal"],
    &["store", "blob", "cell", "base", "instance", "publish"],
    &["toe", "agent", "factory"],
    &["wire", "server", "api", "cli"],
];

/// What the pure tiers (0 to 2) must not reach.
const IMPURE: [&str; 8] =
    ["tokio", "sqlx", "ureq", "reqwest", "hyper", "jiff", "getrandom", "tempfile"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Returns each crate's direct dependencies, read off its manifest.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let section = manifest.split("\n[").find(|part| part.starts_with("dependencies]")).unwrap();
        let names = section.lines().skip(1).filter_map(|line| line.split(['.', ' ', '=']).next());
        let names = names.filter(|name| !name.is_empty() && !name.starts_with('#'));
        found.insert(name, names.map(str::to_owned).collect());
    }
    found
}

fn rank(name: &str) -> Option<usize> {
    TIERS.concat().iter().position(|known| *known == name)
}

#[test]
fn no_edge_leads_upward() {
    for (name, needs) in dependencies() {
        let own = rank(&name).unwrap_or_else(|| panic!("`{name}` has no tier"));
        for other in needs.iter().filter_map(|need| rank(need)) {
            assert!(other < own, "`{name}` depends on `{}`", TIERS.concat()[other]);
        }
    }
}

#[test]
fn pure_tiers_reach_no_effects() {
    let all = dependencies();
    for name in TIERS[..3].concat() {
        for need in &all[name] {
            assert!(!IMPURE.contains(&need.as_str()), "`{name}` depends on `{need}`");
        }
    }
}

#[test]
fn only_store_names_a_database() {
    for (name, needs) in dependencies() {
        assert!(name == "store" || !needs.contains("sqlx"), "`{name}` depends on sqlx");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//! "), "{} has no `//!`", file.display());
        let lines = text.lines().count();
        let generated = file.components().any(|part| part.as_os_str() == "generated");
        assert!(generated || lines <= 1000, "{} has {lines} lines", file.display());
    }
}

#[test]
fn crate_roots_hold_declarations_only() {
    for file in sources().into_iter().filter(|file| file.ends_with("lib.rs")) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("fn "), "{} has code", file.display());
    }
}

#[test]
fn generated_files_are_fresh() {
    for (path, schema) in [
        ("docs/reference/project.schema.json", document::project_schema()),
        ("docs/reference/component.schema.json", document::component_schema()),
        ("docs/reference/workflow.schema.json", document::workflow_schema()),
    ] {
        let kept = fs::read_to_string(root().join(path)).unwrap_or_default();
        assert_eq!(kept, format!("{schema:#}\n"), "{path} is stale: run `cargo xtask codegen`");
    }
}

#[test]
fn the_model_of_image_builder_is_fresh() {
    for file in xtask::imagebuilder(&root()).unwrap() {
        let kept = fs::read_to_string(root().join(&file.path)).unwrap_or_default();
        assert!(kept == file.text, "{} is stale: run `cargo xtask codegen`", file.path);
    }
}

#[test]
fn the_page_of_operations_is_fresh() {
    let table = fs::read_to_string(root().join("crates/api/coverage.json")).unwrap();
    let page = xtask::coverage(&root(), &table).unwrap();
    let kept = fs::read_to_string(root().join(&page.path)).unwrap_or_default();
    assert!(kept == page.text, "{} is stale: run `cargo xtask codegen`", page.path);
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

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("crates"), root().join("xtask")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    found
}
