//! Trees of good, broken and hostile texts, and where their nodes stand.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;

/// Writes a tree in one line, with each scalar's kind by its quotes.
fn show(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(text) => text.clone(),
        Value::String(text) => format!("{text:?}"),
        Value::Sequence(items) => {
            format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", "))
        }
        Value::Mapping(members) => {
            let show =
                |(key, node): &(Spanned<String>, Node)| format!("{}: {}", key.value, show(node));
            format!("{{{}}}", members.iter().map(show).collect::<Vec<_>>().join(", "))
        }
    }
}

#[track_caller]
fn check(text: &str, expected: &str) {
    match parse(text) {
        Ok(node) => assert_eq!(show(&node), expected),
        Err(problems) => panic!("{}", problems.render("test", text)),
    }
}

#[track_caller]
fn refuse(text: &str, code: &str) {
    let problems = parse(text).expect_err("must be refused");
    assert!(problems.iter().any(|problem| problem.code == code), "{problems:?}");
}

#[test]
fn yaml_and_json_read_alike() {
    check("", "null");
    check("a: 1\nb: [x, 'y', \"z\"]", r#"{a: 1, b: ["x", "y", "z"]}"#);
    check("{\"a\": 1, \"b\": [\"x\", null, true]}", r#"{a: 1, b: ["x", null, true]}"#);
    check("a: |\n  one\n  two\nb: >-\n  one\n  two\n", r#"{a: "one\ntwo\n", b: "one two"}"#);
    check("- !!str 5\n- !!int 5\n- '5'\n", r#"["5", 5, "5"]"#);
    check("b: 1\na: 2\n", "{b: 1, a: 2}");
    check("a: &x {b: 1}\nc: *x\n", "{a: {b: 1}, c: {b: 1}}");
}

#[test]
fn files_of_windows_read_like_others() {
    check("a: |\r\n  one\r\n  two\r\nb: [x,\r\n  y]\r\n", r#"{a: "one\ntwo\n", b: ["x", "y"]}"#);
    check("\u{feff}a: 1\n", "{a: 1}");
    check("---\na: 1\n...\n", "{a: 1}");
    check("%YAML 1.1\n---\na: 'x\r\n  y'\n", r#"{a: "x y"}"#);
}

#[test]
fn merge_keys_bring_what_is_not_there() {
    let base = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\n";
    let check_merged = |merged: &str, expected: &str| {
        let text = format!("{base}z: {merged}\n");
        check(&text, &format!("{{x: {{a: 1, b: 2}}, y: {{b: 3, c: 4}}, z: {expected}}}"));
    };
    check_merged("{<<: *x, c: 5}", "{c: 5, a: 1, b: 2}");
    check_merged("{b: 5, <<: *x}", "{b: 5, a: 1}");
    check_merged("{<<: [*y, *x]}", "{b: 3, c: 4, a: 1}");
    check_merged("{<<: {d: 6}, a: 5}", "{a: 5, d: 6}");
    check_merged("{<<: []}", "{}");
    refuse("{<<: 1}", "merge");
    refuse("{<<: [{a: 1}, 2]}", "merge");
    refuse("{<<: {a: 1}, <<: {b: 1}}", "duplicate-member");
}

#[test]
fn broken_and_hostile_texts_are_refused() {
    refuse("a: [1", "yaml");
    refuse("a: 1\na: 2\n", "duplicate-member");
    refuse("a: 1\n---\nb: 2\n", "several-documents");
    refuse("a: !Ref b\n", "unknown-tag");
    refuse("a: {{ Name }}\n", "member-name");
    refuse("a: &a [*a]\n", "recursive-alias");
    refuse(&"[".repeat(100), "too-deep");
    refuse(&" ".repeat(TEXT_LIMIT + 1), "too-large");
    let mut laughs = "a0: &a0 lol\n".to_owned();
    for level in 1..20 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        laughs += &format!("a{level}: &a{level} [{before}]\n");
    }
    refuse(&laughs, "too-large");
}

/// Checks that spans nest, stay in the text and hold what was written.
fn spans_are_right(node: &Node, text: &str) {
    let written = text.get(node.span.start..node.span.end).expect("spans cut characters");
    if let Value::Number(number) = &node.value {
        assert_eq!(number, written);
    }
    for (key, value) in node.members() {
        assert!(text[key.span.start..key.span.end].contains(&key.value), "{key:?} in {text}");
        spans_are_right(value, text);
    }
    node.items().iter().for_each(|item| spans_are_right(item, text));
}

#[test]
fn spans_count_bytes() {
    let text = "é: 12\nlist: [ü, 3.0]\n";
    let node = parse(text).unwrap();
    spans_are_right(&node, text);
    let list = node.member("list").unwrap();
    assert_eq!(&text[list.items()[0].span.start..list.items()[0].span.end], "ü");
}

/// Checks that what is written at each node's place reads as that node.
///
/// Tags and aliases stand elsewhere or nowhere, and `+` keeps line ends
/// that lie beyond the place: texts with them are not looked at.
fn places_read_again(node: &Node, text: &str) {
    let before = &text[..node.span.start];
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    let written = &text[node.span.start..node.span.end];
    let again = parse(&format!("{}{written}\n", " ".repeat(column)));
    let again = again.unwrap_or_else(|_| panic!("{written:?} does not read again"));
    assert_eq!(show(&again), show(node), "{written:?}");
    node.members().iter().for_each(|(_, node)| places_read_again(node, text));
    node.items().iter().for_each(|item| places_read_again(item, text));
}

fn may_read_again(text: &str) -> bool {
    !text.contains(['&', '*', '!', '+', '%', '?', '\t', '\r'])
}

#[test]
fn places_of_documents_read_again() {
    let good = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/documents/good");
    for entry in fs::read_dir(good).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let node = parse(&text).unwrap();
        spans_are_right(&node, &text);
        if may_read_again(&text) {
            places_read_again(&node, &text);
        }
    }
}

/// A document with everything YAML has, for mutation.
const SEED: &str =
    "a: &x 1\n\"b\": [x, {c: 'é'}, *x]\nd: |\n  text {{ y }}\ne:\n- f: >-\n   g\n- !!str 1\n";

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,80}|[-:?!&*|>{}\\[\\],'\"# \t\n a-c0-1]{0,80}") {
        if let Ok(node) = parse(&text) {
            prop_assert!(node.span.end <= text.len());
        }
    }

    #[test]
    fn places_read_again_whatever_is_written(
        items in proptest::collection::vec("[a-cé]{1,3}|'[a-c #:\n]{0,5}'|\"[a-cé\\n ]{0,4}\"|-?[0-9.]{1,4}|true|~", 1..6),
        indent in 1..4usize,
    ) {
        let indent = " ".repeat(indent);
        let block: String =
            items.iter().map(|item| format!("{indent}- x: {item}\n{indent}  y: [{item}, {{z: {item}}}]\n")).collect();
        let text = format!("a: {}\nb:\n{block}", items[0]);
        if let Ok(node) = parse(&text) {
            spans_are_right(&node, &text);
            places_read_again(&node, &text);
        }
    }

    #[test]
    fn mutated_documents_do_not_panic(at in 0..SEED.len(), noise in "[-:{}\\[\\]'\"\n é*&]{1,3}") {
        let at = SEED.floor_char_boundary(at);
        let text = format!("{}{noise}{}", &SEED[..at], &SEED[at..]);
        if let Err(problems) = parse(&text) {
            problems.render("test", &text);
            for problem in problems.iter() {
                prop_assert!(text.get(problem.span.start..problem.span.end).is_some());
            }
        }
    }
}
