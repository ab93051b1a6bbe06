//! The direction of dependencies: down, and from the pure tiers to nothing that has effects.

use std::collections::BTreeSet;

use crate::graph::graph;
use crate::root;

/// The crates, lowest tier first; within a tier those named first are lower.
const TIERS: [&[&str]; 6] = [
    &["name"],
    &["model", "document", "channel", "plan", "engine"],
    &["disk", "seal"],
    &["store", "blob", "cell", "base", "instance", "publish"],
    &["toe", "agent", "factory"],
    &["wire", "server", "api", "cli"],
];

/// What is not shipped, and needed by nothing.
const TOOLS: [&str; 2] = ["xtask", "bench"];

/// What the pure tiers (0 to 2) must not reach, however far down: packages that run tasks, talk
/// to networks or databases, draw random numbers, read clocks or call the system.
const EFFECTS: [&str; 30] = [
    "async-io",
    "async-std",
    "chrono",
    "fastrand",
    "getrandom",
    "h2",
    "hickory-proto",
    "http",
    "hyper",
    "hyper-util",
    "jiff",
    "libc",
    "libsqlite3-sys",
    "mio",
    "nix",
    "rand",
    "rand_core",
    "reqwest",
    "rusqlite",
    "rustix",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "sqlx-core",
    "tempfile",
    "time",
    "tokio",
    "ureq",
    "windows-sys",
];

fn rank(name: &str) -> Option<usize> {
    TIERS.concat().iter().position(|known| *known == name)
}

/// Returns the names of our crates.
fn ours() -> BTreeSet<String> {
    let folders = std::fs::read_dir(root().join("crates")).unwrap();
    folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_crate_has_one_tier() {
    let tiers = TIERS.concat();
    let placed: BTreeSet<String> = tiers.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(placed, ours());
    assert_eq!(placed.len(), tiers.len(), "a crate is in two tiers");
}

#[test]
fn no_edge_leads_upward() {
    let all = graph(&["--workspace", "--edges", "normal,build"]);
    for name in ours() {
        let own = rank(&name);
        for other in &all[&name].needs {
            assert!(!TOOLS.contains(&other.as_str()), "`{name}` depends on `{other}`");
            assert!(rank(other).is_none_or(|other| Some(other) < own), "`{name}` -> `{other}`");
        }
    }
}

#[test]
fn pure_tiers_reach_no_effects() {
    for name in TIERS[..3].concat() {
        // By itself: in a build of everything it gets the features that others ask for.
        let reached = graph(&["--package", name, "--edges", "normal,no-proc-macro"]);
        let wrong: Vec<_> =
            EFFECTS.iter().filter(|effect| reached.contains_key(**effect)).collect();
        assert!(wrong.is_empty(), "`{name}` reaches {wrong:?}");
    }
}

#[test]
fn only_store_names_a_database() {
    for (name, package) in graph(&["--workspace", "--edges", "normal,build"]) {
        let is_ours = rank(&name).is_some() || TOOLS.contains(&name.as_str());
        let names = is_ours && package.needs.contains("sqlx");
        assert_eq!(names, name == "store", "`{name}` depends on sqlx");
    }
}
