//! Every invariant of `ARCHITECTURE.md` names what holds it, and that exists.

use std::fs;

use crate::files::sources;
use crate::root;

/// What holds an invariant.
#[derive(Debug, PartialEq, Eq)]
enum Held<'a> {
    /// The house rules.
    Tidy,
    /// A file, or a module below a crate's `src`.
    File(&'a str),
    /// A target of the Makefile.
    Target(&'a str),
    /// A test in a crate, or in a module of it: `disk/gpt`.
    Test(&'a str, &'a str),
}

/// Returns what a cell of the table names: parts with a semicolon between them, where a part is
/// words with names in backticks, after whose tests they are.
fn held(cell: &str) -> Result<Vec<Held<'_>>, String> {
    let mut found = Vec::new();
    for part in cell.split(';').map(str::trim) {
        let (owner, rest) = match part.split_once(": ") {
            Some(("end to end", rest)) => (Some("cli"), rest),
            Some((owner, rest)) => (Some(owner.trim_matches('`')), rest),
            None => (None, part),
        };
        for name in rest.split('`').skip(1).step_by(2) {
            found.push(match (owner, name.strip_prefix("make ")) {
                (None, Some(target)) => Held::Target(target),
                (None, None) if name == "tidy" => Held::Tidy,
                (None, None) if name.contains('.') => Held::File(name),
                (None, None) => return Err(format!("`{name}` is in no crate")),
                (Some(owner), _) => Held::Test(owner, name),
            });
        }
    }
    if found.is_empty() { Err(format!("nothing holds it: {cell}")) } else { Ok(found) }
}

#[test]
fn cells_name_what_holds_an_invariant() {
    assert_eq!(
        held("`tidy`; `disk/gpt`: `a_b`, `c`; end to end: all, `d` among them"),
        Ok(vec![
            Held::Tidy,
            Held::Test("disk/gpt", "a_b"),
            Held::Test("disk/gpt", "c"),
            Held::Test("cli", "d"),
        ])
    );
    assert_eq!(
        held("`make fuzz`; `clippy.toml` for clocks"),
        Ok(vec![Held::Target("fuzz"), Held::File("clippy.toml")])
    );
    assert_eq!(held("`a_test`"), Err("`a_test` is in no crate".to_owned()));
    assert_eq!(held("great care"), Err("nothing holds it: great care".to_owned()));
}

#[test]
fn what_holds_an_invariant_exists_once() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rows = text.lines().skip_while(|line| *line != "| invariant | held by |").skip(2);
    let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
    assert!(!rows.is_empty(), "the table of invariants is gone");
    let mut wrong = Vec::new();
    for row in rows {
        let cell = row.trim_matches('|').split('|').next_back().unwrap().trim();
        match held(cell) {
            Ok(all) => wrong.extend(all.iter().filter_map(missing)),
            Err(problem) => wrong.push(problem),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Returns what is wrong with `held`, if something is.
fn missing(held: &Held<'_>) -> Option<String> {
    match held {
        Held::Tidy => None,
        Held::File(path) => {
            let (owner, rest) = path.split_once('/').unwrap_or_default();
            let module = root().join("crates").join(owner).join("src").join(rest);
            let exists = root().join(path).exists() || (!owner.is_empty() && module.exists());
            (!exists).then(|| format!("there is no file `{path}`"))
        }
        Held::Target(target) => {
            let text = fs::read_to_string(root().join("Makefile")).unwrap();
            let exists = text.lines().any(|line| line.starts_with(&format!("{target}:")));
            (!exists).then(|| format!("there is no `make {target}`"))
        }
        Held::Test(owner, name) => {
            let count = tests(owner, name);
            (count != 1).then(|| format!("`{owner}` has {count} tests `{name}`"))
        }
    }
}

/// Returns how many tests of that name a crate has, or a module of it.
fn tests(owner: &str, name: &str) -> usize {
    let (folder, module) = match owner.split_once('/') {
        Some((owner, module)) => (format!("crates/{owner}/src"), Some(module)),
        None => (format!("crates/{owner}"), None),
    };
    if !root().join(&folder).is_dir() {
        return 0;
    }
    let head = format!("fn {name}(");
    // As a harness of our own names what it runs.
    let listed = format!("(\"{name}\", ");
    let mut count = 0;
    for file in sources(&[&folder]) {
        let within = file.with_extension("");
        let within = within.strip_prefix(root().join(&folder)).unwrap();
        if module.is_some_and(|module| !within.starts_with(module)) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        let is_test = |at: usize| {
            let above = lines[..at].iter().rev();
            let mut above =
                above.take_while(|line| line.starts_with("#[") || line.starts_with("//"));
            above.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
        };
        count += lines
            .iter()
            .enumerate()
            .filter(|(at, line)| {
                let is_function = line.trim_start_matches("async ").starts_with(&head);
                is_function && is_test(*at) || line.starts_with(&listed)
            })
            .count();
    }
    count
}
