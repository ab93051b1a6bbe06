//! Conditions that are judged, and how they show.

use super::*;
use crate::decode::decode;
use crate::yaml;

/// A machine with `sh`, the file `/etc/os-release` and the folder `/etc`.
struct Machine;

impl Probe for Machine {
    fn binary_exists(&self, name: &str) -> bool {
        name == "sh"
    }

    fn file_exists(&self, path: &str) -> bool {
        path == "/etc/os-release"
    }

    fn folder_exists(&self, path: &str) -> bool {
        path == "/etc"
    }

    fn file_digest(&self, path: &str, algorithm: Algorithm) -> Option<String> {
        (path == "/etc/os-release").then(|| format!("{algorithm}AB"))
    }
}

#[track_caller]
fn check(expected: bool, conditions: &[&str]) {
    for text in conditions {
        let condition: Condition = decode(&yaml::parse(text).unwrap()).unwrap();
        assert_eq!(condition.evaluate(&Machine).unwrap(), expected, "{text}");
    }
}

#[test]
fn texts_compare_without_case() {
    check(
        true,
        &[
            "{stringIsEmpty: ''}",
            "{stringIsWhitespace: ' \t'}",
            "{stringEquals: abc, value: ABC}",
            "{stringEquals: 1.0, value: '1.0'}",
            "{stringLessThan: b, value: A}",
            "{stringlessThan: b, value: A}",
            "{stringLessThan: a, value: '9'}",
            "{stringLessThanEquals: b, value: b}",
            "{stringGreaterThan: a, value: B}",
            "{stringGreaterThanEquals: a, value: a}",
            "{patternMatches: '^[a-z]+$', value: ThisIsValue}",
        ],
    );
    check(
        false,
        &[
            "{stringIsEmpty: x}",
            "{stringIsWhitespace: ''}",
            "{stringEquals: abc, value: 'abc '}",
            "{stringLessThan: b, value: b}",
            "{patternMatches: '^[a-z]+$', value: a1}",
            "{patternMatches: '^\\d$', value: ٣}",
        ],
    );
}

#[test]
fn numbers_compare_by_value() {
    check(
        true,
        &[
            "{numberLessThan: 2, value: 1}",
            "{numberEquals: 1.0, value: '1'}",
            "{numberGreaterThan: 9, value: 10}",
            "{numberLessThanEquals: -1, value: -1}",
            "{numberGreaterThanEquals: 123456789012345678901234567890, value: 123456789012345678901234567890.1}",
        ],
    );
    check(false, &["{numberEquals: 1, value: one}", "{numberLessThan: x, value: 1}"]);
}

#[test]
fn machines_are_probed() {
    check(
        true,
        &[
            "{binaryExists: sh}",
            "{fileExists: /etc/os-release}",
            "{folderExists: /etc}",
            "{fileMD5Equals: md5ab, path: /etc/os-release}",
            "{fileSHA256Equals: SHA256AB, path: /etc/os-release}",
        ],
    );
    check(
        false,
        &[
            "{binaryExists: zsh}",
            "{fileExists: /etc}",
            "{fileSHA1Equals: x, path: /etc/os-release}",
            "{fileSHA512Equals: SHA512AB, path: /missing}",
        ],
    );
}

#[test]
fn logic_combines() {
    check(
        true,
        &[
            "{and: [{folderExists: /etc}, {not: {folderExists: /x}}]}",
            "{or: [{folderExists: /x}, {folderExists: /etc}]}",
            "{not: [{folderExists: /x}]}",
            // A bad pattern that is not reached is not looked at.
            "{or: [{folderExists: /etc}, {patternMatches: '(', value: x}]}",
        ],
    );
    check(false, &["{and: [{folderExists: /x}, {patternMatches: '(', value: x}]}"]);
}

#[test]
fn constants_decide_where_machines_do_not_matter() {
    for (text, expected) in [
        ("{stringEquals: a, value: A}", Some(true)),
        ("{numberLessThan: 1, value: 2}", Some(false)),
        ("{fileExists: /x}", None),
        ("{and: [{fileExists: /x}, {stringIsEmpty: x}]}", Some(false)),
        ("{and: [{fileExists: /x}, {stringIsEmpty: ''}]}", None),
        ("{or: [{fileExists: /x}, {stringIsEmpty: ''}]}", Some(true)),
        ("{not: {or: [{stringIsEmpty: x}, {stringIsEmpty: y}]}}", Some(true)),
        ("{patternMatches: '(', value: x}", None),
    ] {
        let condition: Condition = decode(&yaml::parse(text).unwrap()).unwrap();
        assert_eq!(condition.constant(), expected, "{text}");
    }
}

#[test]
fn conditions_are_told_in_words() {
    let text = "{and: [{numberLessThan: 2, value: 3}, {not: {fileExists: /x}}]}";
    let condition: Condition = decode(&yaml::parse(text).unwrap()).unwrap();
    assert_eq!(condition.to_string(), "(`3` is less than `2`) and (not (file `/x` exists))");
}
