//! Every file below `fixtures/documents` is a case: documents in `good` are
//! taken without a word, those in `bad` are explained as `expected.txt` says.

mod fixtures;

use std::fs;

use document::{Component, Project};
use proptest::prelude::*;

#[test]
fn good_documents_are_taken() {
    for path in fixtures::entries("documents/good") {
        let text = fs::read_to_string(&path).unwrap();
        match Component::parse(&text) {
            Ok(parsed) => {
                let warnings = parsed.warnings.render(&fixtures::file_name(&path), &text);
                assert_eq!(warnings, "");
            }
            Err(problems) => panic!("{}", problems.render(&fixtures::file_name(&path), &text)),
        }
    }
}

#[test]
fn bad_documents_are_explained() {
    for case in fixtures::entries("documents/bad") {
        let text = fs::read_to_string(case.join("input.yaml")).unwrap();
        let problems = match Component::parse(&text) {
            Ok(parsed) => parsed.warnings,
            Err(problems) => problems,
        };
        assert!(!problems.is_empty(), "{} has no problem", case.display());
        fixtures::expect(&case, &problems.render("input.yaml", &text));
    }
}

/// Returns the text of one of the good fixtures of both kinds.
fn good() -> impl Strategy<Value = String> {
    let paths = [fixtures::entries("documents/good"), fixtures::entries("projects/good")].concat();
    let texts = paths.iter().map(|path| fs::read_to_string(path).expect("fixtures can be read"));
    proptest::sample::select(texts.collect::<Vec<_>>())
}

proptest! {
    /// Whatever is done to a document, parsing it ends in a value or problems
    /// that lie in the text, the same every time, and what the schema accepts
    /// can be read.
    #[test]
    fn mutated_documents_are_read_or_explained(
        text in good(),
        at in 0..2000usize,
        cut in 0..12usize,
        noise in "[-:{}\\[\\]'\"\n é*&0-9a-e]{0,4}|null|true|'\\{\\{ Name \\}\\}'",
    ) {
        let start = text.floor_char_boundary(at % (text.len() + 1));
        let end = text.floor_char_boundary((start + cut).min(text.len())).max(start);
        let text = format!("{}{noise}{}", &text[..start], &text[end..]);
        let told = || format!("{:?}", Component::parse(&text));
        prop_assert_eq!(told(), told());
        let component = Component::parse(&text).map_or_else(|problems| problems, |it| it.warnings);
        let project = Project::parse(&text).map_or_else(|problems| problems, |it| it.warnings);
        for problems in [component, project] {
            problems.render("mutated", &text);
            for problem in problems.iter() {
                prop_assert!(text.get(problem.span.start..problem.span.end).is_some());
                prop_assert_ne!(problem.code, "invalid", "{}", problem.message);
            }
        }
    }
}
