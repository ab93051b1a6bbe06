//! Whether a JSON value has a shape, and everything that is wrong with it where it has not.

use std::fmt::{Display, Write};

use serde_json::{Map, Value};

use crate::problem::Problems;
use crate::shape::{Bounds, Kind, Member, Shape};
use crate::timestamp::Timestamp;

/// How much of a name a client made up is repeated to it.
const REPEATED: usize = 64;

/// Returns everything in which `value`, sent by a client, differs from `shape`.
///
/// A member that is `null` counts as absent. A member the model lacks is a
/// problem: ignoring what a newer client asks for would be to pretend.
pub fn check_input(shape: &Shape, value: &Value) -> Problems {
    let mut problems = Problems::default();
    add_problems(shape, value, &mut problems);
    problems
}

/// Adds what [`check_input`] returns to the problems that are known already.
pub(crate) fn add_problems(shape: &Shape, value: &Value, problems: &mut Problems) {
    let mut check = Check { path: String::new(), problems, null_is_absent: true };
    check.value(shape, value);
}

/// Returns everything in which `value`, an answer, differs from `shape`.
///
/// A member without a value must be left out, as AWS does.
pub fn check_output(shape: &Shape, value: &Value) -> Problems {
    let mut problems = Problems::default();
    let mut check = Check { path: String::new(), problems: &mut problems, null_is_absent: false };
    check.value(shape, value);
    problems
}

struct Check<'a> {
    path: String,
    problems: &'a mut Problems,
    null_is_absent: bool,
}

impl Check<'_> {
    fn refuse(&mut self, rule: impl Display) {
        self.problems.push(&self.path, rule);
    }

    fn at(&mut self, step: impl Display, inner: impl FnOnce(&mut Self)) {
        let len = self.path.len();
        write!(self.path, "{step}").expect("never fails because it writes to a string");
        inner(self);
        self.path.truncate(len);
    }

    fn value(&mut self, shape: &Shape, value: &Value) {
        match &shape.kind {
            Kind::String { length, pattern } => {
                let Some(text) = value.as_str() else { return self.refuse("must be a string") };
                if self.length(length, text.chars().count())
                    && let Some(pattern) = pattern
                    && !pattern.accepts(text)
                {
                    self.refuse(format_args!("must match pattern {}", pattern.text));
                }
            }
            Kind::Enum(values) => self.word(values, value),
            Kind::DateTime => {
                if !value.as_str().is_some_and(is_date_time) {
                    self.refuse("must be a time in UTC such as 2026-09-09T19:12:23.418Z");
                }
            }
            Kind::Timestamp => match value.as_f64().map(Timestamp::from_seconds) {
                None => self.refuse("must be a number of seconds since 1970"),
                Some(Err(_)) => self.refuse("must be a time between the years 1970 and 9999"),
                Some(Ok(_)) => {}
            },
            Kind::Boolean => {
                if !value.is_boolean() {
                    self.refuse("must be true or false");
                }
            }
            Kind::Integer(bounds) => match value.as_i64() {
                None => self.refuse("must be a whole number of at most 64 bits"),
                Some(number) => self.number(bounds, number),
            },
            Kind::Double(bounds) => match value.as_f64() {
                None => self.refuse("must be a number"),
                Some(number) => self.number(bounds, number),
            },
            Kind::List { member, length } => {
                let Some(items) = value.as_array() else { return self.refuse("must be a list") };
                if self.length(length, items.len()) {
                    for (index, item) in items.iter().enumerate() {
                        self.at(format_args!("[{index}]"), |check| check.value(member, item));
                    }
                }
            }
            Kind::Map { key, value: inner, length } => {
                let Some(entries) = value.as_object() else { return self.refuse("must be a map") };
                if self.length(length, entries.len()) {
                    self.entries(key, inner, entries);
                }
            }
            Kind::Structure(members) => match value.as_object() {
                None => self.refuse("must be an object"),
                Some(object) => self.structure(shape, members, object),
            },
        }
    }

    fn word(&mut self, values: &[&str], value: &Value) {
        match value.as_str() {
            None => self.refuse("must be a string"),
            Some(text) if values.contains(&text) => {}
            Some(_) => {
                self.refuse(format_args!("must satisfy enum value set: [{}]", values.join(", ")));
            }
        }
    }

    fn entries(&mut self, key: &Shape, inner: &Shape, entries: &Map<String, Value>) {
        for (name, item) in entries {
            let told: String = name.chars().take(REPEATED).collect();
            self.at(format_args!("[{told:?}]"), |check| {
                for problem in check_input(key, &Value::String(name.clone())).told() {
                    check.refuse(format_args!("has a key that {}", problem.rule));
                }
                check.value(inner, item);
            });
        }
    }

    fn structure(&mut self, shape: &Shape, members: &[Member], object: &Map<String, Value>) {
        let dot = if self.path.is_empty() { "" } else { "." };
        for member in members {
            let held = object.get(member.name);
            let held = held.filter(|value| !(self.null_is_absent && value.is_null()));
            self.at(format_args!("{dot}{}", member.name), |check| match held {
                Some(value) => check.value(member.shape, value),
                None if member.required => check.refuse("must not be null"),
                None => {}
            });
        }
        for name in object.keys().filter(|name| shape.member(name).is_none()) {
            let told: String = name.chars().take(REPEATED).collect();
            self.at(format_args!("{dot}{told}"), |check| {
                check.refuse(format_args!("is not a member of {}", shape.name));
            });
        }
    }

    /// Judges a length; `false` spares the judgement of what is inside.
    fn length(&mut self, bounds: &Bounds<usize>, length: usize) -> bool {
        match *bounds {
            Bounds { min: Some(min), .. } if bounds.too_small(length) => {
                self.refuse(format_args!("must have length greater than or equal to {min}"));
            }
            Bounds { max: Some(max), .. } if bounds.too_large(length) => {
                self.refuse(format_args!("must have length less than or equal to {max}"));
            }
            Bounds { .. } => return true,
        }
        false
    }

    fn number<T: PartialOrd + Copy + Display>(&mut self, bounds: &Bounds<T>, number: T) {
        match *bounds {
            Bounds { min: Some(min), .. } if bounds.too_small(number) => {
                self.refuse(format_args!("must have value greater than or equal to {min}"));
            }
            Bounds { max: Some(max), .. } if bounds.too_large(number) => {
                self.refuse(format_args!("must have value less than or equal to {max}"));
            }
            Bounds { .. } => {}
        }
    }
}

/// Returns whether `text` is spelt like `2026-09-09T19:12:23.418Z`, with each
/// number in its range.
fn is_date_time(text: &str) -> bool {
    const FORM: &str = "dddd-dd-ddTdd:dd:dd.dddZ";
    let spelt = text.len() == FORM.len()
        && text.bytes().zip(FORM.bytes()).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        });
    let within = |at: usize, least: &str, most: &str| (least..=most).contains(&&text[at..at + 2]);
    spelt
        && within(5, "01", "12")
        && within(8, "01", "31")
        && within(11, "00", "23")
        && within(14, "00", "59")
        && within(17, "00", "59")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{check_input, check_output, is_date_time};
    use crate::shape::{Bounds, Kind, Member, Pattern, Shape};

    static TEXT_PATTERN: Pattern = Pattern::new("^(?!aws:)[a-z:]+$", "[a-z:]+", Some("aws:"));
    static TEXT: Shape = Shape {
        name: "Text",
        kind: Kind::String {
            length: Bounds { min: Some(2), max: Some(5) },
            pattern: Some(&TEXT_PATTERN),
        },
    };
    static WORD: Shape = Shape { name: "Word", kind: Kind::Enum(&["One", "two"]) };
    static TIME: Shape = Shape { name: "Time", kind: Kind::DateTime };
    static STAMP: Shape = Shape { name: "Stamp", kind: Kind::Timestamp };
    static FLAG: Shape = Shape { name: "Flag", kind: Kind::Boolean };
    static COUNT: Shape =
        Shape { name: "Count", kind: Kind::Integer(Bounds { min: Some(1), max: Some(3) }) };
    static SCORE: Shape =
        Shape { name: "Score", kind: Kind::Double(Bounds { min: Some(0.0), max: None }) };
    static LIST: Shape = Shape {
        name: "List",
        kind: Kind::List { member: &TEXT, length: Bounds { min: Some(1), max: Some(2) } },
    };
    static MAP: Shape = Shape {
        name: "Map",
        kind: Kind::Map { key: &TEXT, value: &COUNT, length: Bounds { min: None, max: Some(1) } },
    };
    static THING: Shape = Shape {
        name: "Thing",
        kind: Kind::Structure(&[
            Member::new("text", &TEXT).required(),
            Member::new("inner", &LIST),
        ]),
    };

    /// Expects each of `rules`, a path and what is broken there.
    #[track_caller]
    fn check(shape: &'static Shape, value: Value, rules: &[(&str, &str)]) {
        for problems in [check_input(shape, &value), check_output(shape, &value)] {
            let found: Vec<_> =
                problems.told().iter().map(|p| (p.path.as_str(), p.rule.as_str())).collect();
            assert_eq!(found, rules, "{value}");
        }
    }

    #[test]
    fn strings_have_a_length_in_characters_and_a_pattern() {
        let pattern = "must match pattern ^(?!aws:)[a-z:]+$";
        check(&TEXT, json!("ab"), &[]);
        check(&TEXT, json!("a"), &[("", "must have length greater than or equal to 2")]);
        check(&TEXT, json!("é"), &[("", "must have length greater than or equal to 2")]);
        check(&TEXT, json!("abcdef"), &[("", "must have length less than or equal to 5")]);
        check(&TEXT, json!("éééé"), &[("", pattern)]);
        check(&TEXT, json!("ab\n"), &[("", pattern)]);
        check(&TEXT, json!("aws:x"), &[("", pattern)]);
        check(&TEXT, json!("xaws:"), &[]);
        check(&TEXT, json!(1), &[("", "must be a string")]);
        check(&WORD, json!("One"), &[]);
        check(&WORD, json!("one"), &[("", "must satisfy enum value set: [One, two]")]);
    }

    #[test]
    fn numbers_have_a_kind_and_a_range() {
        check(&COUNT, json!(3), &[]);
        check(&COUNT, json!(0), &[("", "must have value greater than or equal to 1")]);
        check(&COUNT, json!(4), &[("", "must have value less than or equal to 3")]);
        check(&COUNT, json!(1.5), &[("", "must be a whole number of at most 64 bits")]);
        check(&COUNT, json!(u64::MAX), &[("", "must be a whole number of at most 64 bits")]);
        check(&SCORE, json!(1.5), &[]);
        check(&SCORE, json!(-0.5), &[("", "must have value greater than or equal to 0")]);
        check(&SCORE, json!("1"), &[("", "must be a number")]);
        check(&FLAG, json!("true"), &[("", "must be true or false")]);
        check(&STAMP, json!(1.5), &[]);
        check(&STAMP, json!(-1), &[("", "must be a time between the years 1970 and 9999")]);
        check(&STAMP, json!("now"), &[("", "must be a number of seconds since 1970")]);
        check(&TIME, json!("2026-09-09T19:12:23.418Z"), &[]);
    }

    #[test]
    fn lists_and_maps_are_judged_inside() {
        let range = "must have value less than or equal to 3";
        check(&LIST, json!([]), &[("", "must have length greater than or equal to 1")]);
        check(&LIST, json!(["ab", "ab", 1]), &[("", "must have length less than or equal to 2")]);
        check(&LIST, json!(["ab", null]), &[("[1]", "must be a string")]);
        check(&LIST, json!({}), &[("", "must be a list")]);
        check(&MAP, json!({"ab": 4}), &[("[\"ab\"]", range)]);
        check(
            &MAP,
            json!({"a": 4}),
            &[
                ("[\"a\"]", "has a key that must have length greater than or equal to 2"),
                ("[\"a\"]", range),
            ],
        );
        check(&MAP, json!({"ab": 1, "cd": 1}), &[("", "must have length less than or equal to 1")]);
        check(&MAP, json!([]), &[("", "must be a map")]);
    }

    #[test]
    fn structures_have_their_members_and_no_other() {
        check(&THING, json!({"text": "ab"}), &[]);
        check(
            &THING,
            json!({"inner": ["a", 1], "more": 1}),
            &[
                ("text", "must not be null"),
                ("inner[0]", "must have length greater than or equal to 2"),
                ("inner[1]", "must be a string"),
                ("more", "is not a member of Thing"),
            ],
        );
        check(&THING, json!("x"), &[("", "must be an object")]);
    }

    #[test]
    fn only_clients_may_spell_out_that_a_member_is_absent() {
        let value = json!({"text": "ab", "inner": null});
        assert_eq!(check_input(&THING, &value).told(), []);
        assert_eq!(check_output(&THING, &value).told()[0].rule, "must be a list");
    }

    #[test]
    fn names_a_client_made_up_are_repeated_in_part() {
        let long = "x".repeat(100_000);
        for problem in check_input(&THING, &json!({"text": "ab", &long: 1})).told() {
            assert_eq!(problem.path.len(), 64);
        }
        for problem in check_input(&MAP, &json!({long: 1})).told() {
            assert_eq!(problem.path.len(), 68);
        }
    }

    #[test]
    fn of_many_problems_the_first_are_kept() {
        let members = (0..10_000).map(|at| (format!("m{at:04}"), json!(1)));
        let many = Value::Object(members.collect());
        let problems = check_input(&THING, &many);
        assert_eq!(problems.told().len(), 20);
        let text = problems.to_string();
        assert!(text.ends_with("m0018 is not a member of Thing; and 9981 more"), "{text}");
    }

    #[test]
    fn times_have_one_form() {
        assert!(is_date_time("2026-12-31T23:59:59.999Z"));
        for text in [
            "2026-13-01T00:00:00.000Z",
            "2026-00-01T00:00:00.000Z",
            "2026-01-32T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "2026-01-01T00:60:00.000Z",
            "2026-01-01T00:00:60.000Z",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.000+00:00",
            "2026-01-01 00:00:00.000Z",
            "2026-01-01T00:00:00.00éZ",
            "",
        ] {
            assert!(!is_date_time(text), "{text}");
        }
    }
}
