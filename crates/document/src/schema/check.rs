//! Checks a tree against a schema and reports everything that does not fit.

use std::borrow::Cow;

use super::format::Format;
use super::words::{alternatives, found, quoted};
use super::{Limits, Others, Schema, Shape, Type, nearest};
use crate::reference::references;
use crate::yaml::{Node, Value};
use crate::{Problem, Problems, Span, Spanned};

/// How scalars that a schema wants as one type may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalars {
    /// As that type, as in the API's JSON.
    Strict,
    /// As any type whose text reads as that type, as component documents may.
    Lenient,
}

/// Returns what keeps `node` from being what `shape` says.
pub(crate) fn check(schema: &Schema, shape: &Shape, node: &Node, scalars: Scalars) -> Problems {
    let mut checker = Checker { schema, scalars, problems: Problems::default() };
    let subject = Subject { name: "the document", place: Span::at(node.span.start) };
    checker.check(node, shape, subject, false);
    checker.problems
}

/// What a problem is told of: a member by its name, at its name.
#[derive(Clone, Copy)]
struct Subject<'a> {
    name: &'a str,
    place: Span,
}

struct Checker<'a> {
    schema: &'a Schema,
    scalars: Scalars,
    problems: Problems,
}

impl Checker<'_> {
    fn check(&mut self, node: &Node, shape: &Shape, subject: Subject<'_>, references: bool) {
        let references = shape.references.unwrap_or(references);
        if let Some(reason) = &shape.unsupported {
            let message = format!("{} is not supported yet: {reason}", subject.name);
            self.problems.push(Problem::error("unsupported", subject.place, message));
            return;
        }
        if let Some(reason) = &shape.no_effect {
            let message = format!("{} has no effect here: {reason}", subject.name);
            self.problems.push(Problem::warning("no-effect", subject.place, message));
        }
        if !self.fits_type(node, shape, references) {
            return self.wrong_type(node, shape, subject, references);
        }
        if let Some(name) = &shape.refers_to {
            self.check(node, self.schema.definition(name), subject, references);
        }
        if !shape.one_of.is_empty() {
            self.check_alternatives(node, shape, subject, references);
        }
        match &node.value {
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.check_scalar(node, shape, subject, references);
            }
            Value::Sequence(items) => {
                self.check_count(shape.item_count, items.len(), ["entry", "entries"], subject);
                for item in items {
                    if let Some(shape) = &shape.items {
                        let name = match item.member("name").and_then(Node::text) {
                            Some(name) => format!("entry `{name}` of {}", subject.name),
                            None => format!("an entry of {}", subject.name),
                        };
                        let subject = Subject { name: &name, place: first_line(item) };
                        self.check(item, shape, subject, references);
                    }
                }
            }
            Value::Mapping(members) => self.check_members(members, shape, subject, references),
        }
    }

    /// Returns whether `node` has a type that `shape`, or what it refers to, allows.
    fn fits_type(&self, node: &Node, shape: &Shape, references: bool) -> bool {
        let fits_one = shape.one_of.is_empty()
            || shape.one_of.iter().any(|shape| self.fits_type(node, shape, references));
        let fits_target = shape
            .refers_to
            .as_ref()
            .is_none_or(|name| self.fits_type(node, self.schema.definition(name), references));
        let fits_own = shape.types.is_empty()
            || shape.types.iter().any(|&kind| self.is(node, kind, references));
        fits_own && fits_one && fits_target
    }

    fn is(&self, node: &Node, kind: Type, references: bool) -> bool {
        let open = references && is_open(node);
        let lenient = self.scalars == Scalars::Lenient;
        let reads_as_integer = || node.integer().is_some_and(|text| is_integer(&text));
        match kind {
            Type::Null => node.value == Value::Null,
            Type::Boolean => match &node.value {
                Value::Bool(_) => true,
                Value::String(_) => open || (lenient && node.boolean().is_some()),
                Value::Null | Value::Number(_) | Value::Sequence(_) | Value::Mapping(_) => false,
            },
            Type::Integer => match &node.value {
                Value::Number(_) => reads_as_integer(),
                Value::String(_) => open || (lenient && reads_as_integer()),
                Value::Null | Value::Bool(_) | Value::Sequence(_) | Value::Mapping(_) => false,
            },
            Type::Number => matches!(node.value, Value::Number(_)) || open,
            Type::String => match &node.value {
                Value::String(_) => true,
                Value::Bool(_) | Value::Number(_) => lenient,
                Value::Null | Value::Sequence(_) | Value::Mapping(_) => false,
            },
            Type::Array => matches!(node.value, Value::Sequence(_)),
            Type::Object => matches!(node.value, Value::Mapping(_)),
        }
    }

    fn wrong_type(&mut self, node: &Node, shape: &Shape, subject: Subject<'_>, references: bool) {
        let mut expected = Vec::new();
        self.expected(shape, &mut expected);
        let expected = alternatives(expected);
        let span = if node.value == Value::Null { subject.place } else { first_line(node) };
        let name = subject.name;
        let message = if node.value == Value::Null {
            format!("{name} is empty: expected {expected}")
        } else {
            format!("{name}: expected {expected}, found {}", found(node))
        };
        // What quotes turn into a text must then be the right text, too.
        let format = shape.format.as_ref();
        let misfit = format.and_then(|format| (format.check)(node.text()?).err());
        let help = match (&node.value, expected.as_str()) {
            (Value::String(_), _) if !references && is_open(node) => {
                Some("references have no value here: write the value itself".to_owned())
            }
            (Value::Number(_) | Value::Bool(_), "a text") if misfit.is_some() => misfit,
            (Value::Number(text), "a text") => Some(format!("write it in quotes: \"{text}\"")),
            (Value::Bool(value), "a text") => Some(format!("write it in quotes: \"{value}\"")),
            (Value::String(text), "true or false") => match text.to_ascii_lowercase().as_str() {
                "yes" | "on" | "true" => Some("write true, without quotes".to_owned()),
                "no" | "off" | "false" => Some("write false, without quotes".to_owned()),
                _ => None,
            },
            (Value::Mapping(_) | Value::String(_), "a list") => {
                Some("write `- ` before each entry of a list".to_owned())
            }
            (Value::String(text), "a whole number") if is_integer(text) => {
                Some(format!("write it without quotes: {text}"))
            }
            _ => None,
        };
        let problem = Problem::error("wrong-type", span, message);
        self.problems.push(Problem { help, ..problem });
    }

    /// Collects what `shape` allows, in words; null goes without saying.
    fn expected(&self, shape: &Shape, words: &mut Vec<&'static str>) {
        for kind in &shape.types {
            let word = match kind {
                Type::Null => continue,
                Type::Boolean => "true or false",
                Type::Integer => "a whole number",
                Type::Number => "a number",
                Type::String => "a text",
                Type::Array => "a list",
                Type::Object => "a mapping",
            };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        shape.one_of.iter().for_each(|shape| self.expected(shape, words));
        if let Some(name) = &shape.refers_to {
            self.expected(self.schema.definition(name), words);
        }
    }

    /// Reports the problems of the alternative that `node` comes nearest to.
    fn check_alternatives(
        &mut self,
        node: &Node,
        shape: &Shape,
        subject: Subject<'_>,
        references: bool,
    ) {
        let fitting = shape.one_of.iter().filter(|shape| self.fits_type(node, shape, references));
        let attempts = fitting.map(|shape| {
            let (schema, scalars) = (self.schema, self.scalars);
            let mut checker = Checker { schema, scalars, problems: Problems::default() };
            checker.check(node, shape, subject, references);
            checker.problems
        });
        if let Some(problems) = attempts.min_by_key(Problems::len) {
            self.problems.extend(problems);
        }
    }

    fn check_scalar(&mut self, node: &Node, shape: &Shape, subject: Subject<'_>, references: bool) {
        if references && is_open(node) {
            return;
        }
        let text = match &shape.types[..] {
            [Type::Integer, ..] => node.integer(),
            [Type::Number, ..] => node.quantity(),
            _ => node.text().map(Cow::Borrowed),
        };
        let Some(text) = text.as_deref() else { return };
        if !shape.choices.is_empty() && !shape.choices.iter().any(|choice| choice == text) {
            self.wrong_choice(text, node.span, shape, subject);
        }
        if let Some(Format { name, check }) = &shape.format
            && let Err(message) = check(text)
        {
            self.problems.push(Problem::error(name, first_line(node), message));
        }
        if let Some(pattern) = &shape.pattern
            && !pattern.is_match(text)
        {
            let message =
                format!("{}: `{text}` does not match `{}`", subject.name, pattern.as_str());
            self.problems.push(Problem::error("pattern", first_line(node), message));
        }
        let subject = Subject { place: first_line(node), ..subject };
        if !matches!(node.value, Value::Bool(_)) {
            self.check_count(
                shape.length,
                text.chars().count(),
                ["character", "characters"],
                subject,
            );
        }
        if let Ok(number) = text.parse::<f64>() {
            self.check_range(shape.range, number, text, subject);
        }
    }

    fn wrong_choice(&mut self, text: &str, span: Span, shape: &Shape, subject: Subject<'_>) {
        let choices = shape.choices.iter().map(String::as_str);
        let help = match nearest(text, choices.clone()) {
            Some(name) if shape.choices.len() > 1 => format!("did you mean `{name}`?"),
            Some(_) | None => format!("expected {}", alternatives(quoted(choices))),
        };
        let message = format!("`{text}` is not a value of {}", subject.name);
        self.problems.push(Problem::error("unknown-value", span, message).help(help));
    }

    fn check_members(
        &mut self,
        members: &[(Spanned<String>, Node)],
        shape: &Shape,
        subject: Subject<'_>,
        references: bool,
    ) {
        let has = |name: &str| members.iter().any(|(key, _)| key.value == name);
        self.check_count(shape.member_count, members.len(), ["member", "members"], subject);
        for (key, node) in members {
            if let Some(names) = &shape.member_names {
                let node = Node { span: key.span, value: Value::String(key.value.clone()) };
                let name = format!("a member's name in {}", subject.name);
                self.check(&node, names, Subject { name: &name, place: key.span }, false);
            }
            let name = format!("`{}`", key.value);
            let member = Subject { name: &name, place: key.span };
            match (shape.property(&key.value), &shape.others) {
                (Some(shape), _) => self.check(node, shape, member, references),
                (None, Others::Of(shape)) => self.check(node, shape, member, references),
                (None, Others::None) => self.unknown_member(key, shape, subject),
                (None, Others::Any) => {}
            }
        }
        // A misspelt member is not missing, too.
        let misspelt = misspelt(members, shape);
        for name in shape.required.iter().filter(|name| !has(name)) {
            if misspelt.contains(&name.as_str()) {
                continue;
            }
            let message = format!("{} lacks `{name}`", subject.name);
            self.problems.push(Problem::error("missing-member", subject.place, message));
        }
        for (name, others) in shape.needs.iter().filter(|(name, _)| has(name)) {
            for other in others.iter().filter(|other| !has(other)) {
                let place = member_place(members, name);
                let message = format!("`{name}` needs `{other}` beside it");
                self.problems.push(Problem::error("missing-member", place, message));
            }
        }
        if !shape.exactly_one.iter().any(|name| misspelt.contains(&name.as_str())) {
            self.check_exactly_one(members, &shape.exactly_one, subject);
        }
        for case in &shape.cases {
            let value = members.iter().find(|(key, _)| key.value == case.member);
            if value.is_some_and(|(_, node)| node.text() == Some(&case.value)) {
                self.check_members(members, &case.then, subject, references);
            }
        }
    }

    fn unknown_member(&mut self, key: &Spanned<String>, shape: &Shape, subject: Subject<'_>) {
        let known = shape.properties.iter().map(|(name, _)| name.as_str());
        let help = match nearest(key, known.clone()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("expected {}", alternatives(quoted(known))),
        };
        let message = format!("{} has no member `{}`", subject.name, key.value);
        self.problems.push(Problem::error("unknown-member", key.span, message).help(help));
    }

    fn check_exactly_one(
        &mut self,
        members: &[(Spanned<String>, Node)],
        choices: &[String],
        subject: Subject<'_>,
    ) {
        let given = || members.iter().map(|(key, _)| key).filter(|key| choices.contains(key));
        let expected = || alternatives(quoted(choices.iter().map(String::as_str)));
        match (choices.len(), given().count()) {
            (0, _) | (_, 1) => {}
            (_, 0) => {
                let message = format!("{} lacks one of its alternatives", subject.name);
                let problem = Problem::error("exactly-one", subject.place, message);
                self.problems.push(problem.help(format!("expected {}", expected())));
            }
            (_, _) => {
                let names = quoted(given().map(|key| key.value.as_str())).join(" and ");
                let message = format!("{} has {names}; only one may be there", subject.name);
                let place = given().next_back().map_or(subject.place, |key| key.span);
                self.problems.push(Problem::error("exactly-one", place, message));
            }
        }
    }

    fn check_count(&mut self, limits: Limits, count: usize, what: [&str; 2], subject: Subject<'_>) {
        let (name, count_f64) = (subject.name, count as f64);
        let what = what[usize::from(count != 1)];
        let message = match limits {
            Limits { min: Some(1.0), .. } if count == 0 => format!("{name} is empty"),
            Limits { min: Some(min), .. } if count_f64 < min => {
                format!("{name} has {count} {what}; at least {min} are needed")
            }
            Limits { max: Some(max), .. } if count_f64 > max => {
                format!("{name} has {count} {what}; at most {max} are allowed")
            }
            Limits { .. } => return,
        };
        self.problems.push(Problem::error("size", subject.place, message));
    }

    fn check_range(&mut self, limits: Limits, number: f64, text: &str, subject: Subject<'_>) {
        let message = match limits {
            Limits { min: Some(min), .. } if number < min => format!("{text} is less than {min}"),
            Limits { max: Some(max), .. } if number > max => format!("{text} is more than {max}"),
            Limits { .. } => return,
        };
        let message = format!("{}: {message}", subject.name);
        self.problems.push(Problem::error("range", subject.place, message));
    }
}

/// Returns the known members that unknown ones are probably meant to be.
fn misspelt<'a>(members: &[(Spanned<String>, Node)], shape: &'a Shape) -> Vec<&'a str> {
    let known = || shape.properties.iter().map(|(name, _)| name.as_str());
    let unknown = members.iter().filter(|(key, _)| shape.property(key).is_none());
    match shape.others {
        Others::None => unknown.filter_map(|(key, _)| nearest(key, known())).collect(),
        Others::Any | Others::Of(_) => Vec::new(),
    }
}

/// Returns whether a text's value is only known when its references are.
fn is_open(node: &Node) -> bool {
    matches!(&node.value, Value::String(text) if references(text).next().is_some())
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns where to point for a whole value: collections at their first name.
fn first_line(node: &Node) -> Span {
    match &node.value {
        Value::Mapping(members) => members.first().map_or(node.span, |(key, _)| key.span),
        Value::Sequence(items) => items.first().map_or(node.span, first_line),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => node.span,
    }
}

fn member_place(members: &[(Spanned<String>, Node)], name: &str) -> Span {
    members.iter().find(|(key, _)| key.value == name).map_or(Span::default(), |(key, _)| key.span)
}
