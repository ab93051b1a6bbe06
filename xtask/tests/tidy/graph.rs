//! The dependencies as cargo resolves them: packages, their licences, and who needs whom.
//!
//! Not from `cargo metadata`, which lists optional dependencies that nothing turns on, and gives
//! each crate the features that any other asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::root;

/// A package of the graph.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its licence, as an SPDX expression.
    pub(crate) licence: String,
    /// Where it comes from, if not from the default registry: a path or an address.
    pub(crate) source: Option<String>,
    /// The names of the packages that it needs itself.
    pub(crate) needs: BTreeSet<String>,
}

/// Returns what is reached with `arguments` to `cargo tree`, by name. Versions of one package
/// are one.
pub(crate) fn graph(arguments: &[&str]) -> BTreeMap<String, Package> {
    #[expect(clippy::disallowed_methods, reason = "cargo is asked what it resolves")]
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--target", "x86_64-unknown-linux-gnu"])
        .args(["--prefix", "depth", "--format", "\t{p}\t{l}"])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree fails; after `cargo fetch` it may not:\n{told}");
    parse(&String::from_utf8(output.stdout).unwrap())
}

/// Reads lines of a depth, a package as cargo shows it, and its licence. A package that was
/// shown before ends in `(*)` and is shown without what it needs.
fn parse(text: &str) -> BTreeMap<String, Package> {
    let mut found: BTreeMap<String, Package> = BTreeMap::new();
    let mut above: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let mut fields = line.split('\t');
        let depth: usize = fields.next().unwrap().parse().unwrap();
        let shown = fields.next().unwrap();
        let licence = fields.next().unwrap().trim_end_matches(" (*)");
        let name = shown.split(' ').next().unwrap().to_owned();
        let mut notes = shown.split('(').skip(1).filter_map(|note| note.split(')').next());
        above.truncate(depth);
        if let Some(parent) = above.last() {
            found.get_mut(parent).unwrap().needs.insert(name.clone());
        }
        let package = found.entry(name.clone()).or_default();
        package.licence = licence.to_owned();
        package.source = notes.find(|note| *note != "proc-macro").map(str::to_owned);
        above.push(name);
    }
    found
}

#[test]
fn trees_are_read() {
    let found = parse(
        "0\tdisk v0.1.0 (/w/crates/disk)\tApache-2.0\n\
         1\tuuid v1.0.0\tMIT OR Apache-2.0\n\
         2\tderive v2.0.0 (proc-macro)\tMIT\n\
         1\tderive v2.0.0 (proc-macro)\tMIT (*)\n\
         \n\
         0\tother v0.1.0 (https://git.example/other#1234)\tZlib\n",
    );
    let package = |licence: &str, source: Option<&str>, needs: &[&str]| Package {
        licence: licence.to_owned(),
        source: source.map(str::to_owned),
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
    };
    let expected = [
        ("derive", package("MIT", None, &[])),
        ("disk", package("Apache-2.0", Some("/w/crates/disk"), &["derive", "uuid"])),
        ("other", package("Zlib", Some("https://git.example/other#1234"), &[])),
        ("uuid", package("MIT OR Apache-2.0", None, &["derive"])),
    ];
    assert_eq!(found, expected.map(|(name, package)| (name.to_owned(), package)).into());
}
