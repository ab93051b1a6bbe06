//! What may enter the dependency tree, by `deny.toml`. cargo-deny, where it is installed, checks
//! advisories as well.

use std::fs;

use crate::graph::graph;
use crate::root;

/// Every kind of dependency: what builds and tests us is trusted as well.
const ALL: [&str; 3] = ["--workspace", "--edges", "normal,build,dev"];

/// Returns the lines of a list in `deny.toml` that begins with `key = [`.
fn list(key: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("deny.toml")).unwrap();
    let lines = text.lines().skip_while(|line| *line != format!("{key} = ["));
    let held = lines.skip(1).take_while(|line| *line != "]");
    let held: Vec<String> = held.map(|line| line.trim().to_owned()).collect();
    assert!(!held.is_empty(), "deny.toml has no list `{key}`");
    held.into_iter().filter(|line| !line.starts_with('#')).collect()
}

/// Returns the texts between quotation marks.
fn quoted(line: &str) -> Vec<&str> {
    line.split('"').skip(1).step_by(2).collect()
}

#[test]
fn every_licence_is_allowed() {
    let list = list("allow");
    let allowed: Vec<&str> = list.iter().flat_map(|line| quoted(line)).collect();
    let mut wrong = Vec::new();
    for (name, package) in graph(&ALL) {
        if package.source.is_none() && !permits(&package.licence, &allowed) {
            wrong.push(format!("{name}: {}", package.licence));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_banned_package_is_needed() {
    let all = graph(&ALL);
    for line in list("deny") {
        let names = quoted(&line);
        let (banned, wrappers) = names.split_first().unwrap();
        for (name, package) in &all {
            let may = wrappers.contains(&name.as_str());
            assert!(may || !package.needs.contains(*banned), "`{name}` depends on `{banned}`");
        }
    }
}

#[test]
fn everything_comes_from_the_registry_or_is_ours() {
    let root = root();
    for (name, package) in graph(&ALL) {
        let Some(source) = package.source else { continue };
        assert!(root.join(&source).starts_with(&root), "`{name}` comes from {source}");
        assert!(!source.contains("://"), "`{name}` comes from {source}");
    }
}

/// Returns whether an SPDX expression is met by allowed licences alone. The old spelling of
/// `OR`, a slash, is one.
fn permits(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let met = any(&mut words, allowed);
    assert!(words.next().is_none(), "`{expression}` is no SPDX expression");
    met
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words<'_>, allowed: &[&str]) -> bool {
    let mut met = every(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        met |= every(words, allowed);
    }
    met
}

fn every(words: &mut Words<'_>, allowed: &[&str]) -> bool {
    let mut met = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Words<'_>, allowed: &[&str]) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let met = any(words, allowed);
        assert_eq!(words.next(), Some(")"));
        return met;
    }
    let licence = words.next().unwrap_or_default().to_owned();
    match words.next_if_eq(&"WITH").and_then(|_| words.next()) {
        Some(exception) => allowed.contains(&format!("{licence} WITH {exception}").as_str()),
        None => allowed.contains(&licence.as_str()),
    }
}

#[test]
fn expressions_are_judged_as_spdx_says() {
    let allowed = ["MIT", "ISC"];
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("MIT AND ISC", true),
        ("GPL-3.0 AND MIT OR ISC", true),
        ("GPL-3.0 AND (MIT OR ISC)", false),
        ("(GPL-3.0 OR MIT) AND ISC", true),
        ("MIT WITH LLVM-exception", false),
        ("MIT WITH LLVM-exception OR ISC", true),
    ] {
        assert_eq!(permits(expression, &allowed), met, "{expression}");
    }
}
