//! YAML (and so JSON) text as a tree that knows where everything stands.
//!
//! Scalars follow YAML 1.2's core schema, and `<<` merges; numbers keep their
//! spelling, so that `1.10` and `0644` stay what was written. Nothing is known
//! here of what a document should say.

mod scalar;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use crate::number::{plain, whole};
use crate::{Problem, Problems, Span, Spanned};

use scalar::resolve;

/// The longest text that is looked at, in bytes; well above any service quota.
const TEXT_LIMIT: usize = 1 << 20;

/// The deepest nesting that is taken.
const DEPTH_LIMIT: usize = 64;

/// What a tree may weigh with its aliases expanded, in nodes and text bytes.
///
/// A document within [`TEXT_LIMIT`] cannot come near it without aliases.
const WEIGHT_LIMIT: usize = 4 << 20;

/// The member whose own members belong to the mapping that it is in: YAML 1.1
/// has that, and go-yaml, which reads documents for AWS's runner.
const MERGE: &str = "<<";

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(Spanned<String>, Node)>),
}

impl Node {
    /// Returns the member `name`, if this is a mapping that has it.
    pub(crate) fn member(&self, name: &str) -> Option<&Node> {
        self.members().iter().find(|(key, _)| key.value == name).map(|(_, node)| node)
    }

    /// Returns the members, none if this is no mapping.
    pub(crate) fn members(&self) -> &[(Spanned<String>, Node)] {
        if let Value::Mapping(members) = &self.value { members } else { &[] }
    }

    /// Returns the elements, none if this is no sequence.
    pub(crate) fn items(&self) -> &[Node] {
        if let Value::Sequence(items) = &self.value { items } else { &[] }
    }

    /// Calls `visit` with every text in the tree and where it stands, in order.
    pub(crate) fn visit_texts<'a>(&'a self, visit: &mut impl FnMut(&'a str, Span)) {
        if let Value::String(text) = &self.value {
            visit(text, self.span);
        }
        self.items().iter().for_each(|item| item.visit_texts(visit));
        self.members().iter().for_each(|(_, node)| node.visit_texts(visit));
    }

    /// Returns the text of a scalar as it was meant; `None` for null and collections.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Number(text) | Value::String(text) => Some(text),
            Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// Returns what a scalar says where true or false is meant.
    ///
    /// Those of YAML 1.1 count there, too, as they do in go-yaml; a `yes` can
    /// mean nothing else.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => Some(true),
            "false" | "no" | "off" | "n" => Some(false),
            _ => None,
        }
    }

    /// Returns the text of a scalar where a number is meant, numbers in plain
    /// decimal digits.
    pub(crate) fn quantity(&self) -> Option<Cow<'_, str>> {
        if let Value::Number(text) = &self.value {
            return Some(plain(text));
        }
        self.text().map(Cow::Borrowed)
    }

    /// Returns the text of a scalar where a whole number is meant, numbers in
    /// plain decimal digits.
    pub(crate) fn integer(&self) -> Option<Cow<'_, str>> {
        if let Value::Number(text) = &self.value {
            return Some(whole(text));
        }
        self.text().map(Cow::Borrowed)
    }
}

/// Parses a text that holds one document and has no problems.
#[cfg(test)]
pub(crate) fn parse(text: &str) -> Result<Node, Problems> {
    match read(text) {
        (Some(node), problems) if problems.is_empty() => Ok(node),
        (_, problems) => Err(problems),
    }
}

/// Reads a text that should hold one document: its tree, as far as it can be
/// made out, and what is wrong with the text.
///
/// A member that is given twice counts once, and a tag that means nothing not
/// at all; after worse there is no tree.
pub(crate) fn read(text: &str) -> (Option<Node>, Problems) {
    if text.len() > TEXT_LIMIT {
        let message = format!("the text has {} bytes; {TEXT_LIMIT} is the limit", text.len());
        return (None, Problem::error("too-large", Span::at(0), message).into());
    }
    let mut builder = Builder::new(text);
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let taken = match event {
            Ok((event, span)) => {
                builder.take(event, Span::new(builder.byte(&span.start), builder.byte(&span.end)))
            }
            Err(error) => {
                let span = Span::at(builder.byte(error.marker()));
                Err(Problem::error("yaml", span, format!("this is not YAML: {}", error.info())))
            }
        };
        if let Err(problem) = taken {
            builder.problems.push(problem);
            return (None, builder.problems);
        }
    }
    let nothing = Node { span: Span::at(0), value: Value::Null };
    (Some(builder.root.unwrap_or(nothing)), builder.problems)
}

/// A collection whose end has not been seen.
struct Open {
    anchor: usize,
    start: usize,
    weight: usize,
    kind: Kind,
}

enum Kind {
    Sequence(Vec<Node>),
    Mapping {
        members: Vec<(Spanned<String>, Node)>,
        seen: HashSet<String>,
        key: Option<Spanned<String>>,
    },
}

struct Builder<'a> {
    text: &'a str,
    /// Byte offsets of characters; empty where they are the same.
    offsets: Vec<usize>,
    open: Vec<Open>,
    /// Finished nodes that have an anchor, with their weight.
    anchors: HashMap<usize, (Node, usize)>,
    weight: usize,
    root: Option<Node>,
    problems: Problems,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        let offsets = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(offset, _)| offset).collect()
        };
        let (open, anchors) = (Vec::new(), HashMap::new());
        Self { text, offsets, open, anchors, weight: 0, root: None, problems: Problems::default() }
    }

    fn byte(&self, marker: &Marker) -> usize {
        if self.offsets.is_empty() {
            return marker.index().min(self.text.len());
        }
        self.offsets.get(marker.index()).copied().unwrap_or(self.text.len())
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) if self.root.is_some() => {
                let message = "a second document starts here; only one is expected";
                Err(Problem::error("several-documents", span, message))
            }
            Event::DocumentStart(_) => Ok(()),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::Scalar(text, style, anchor, tag) => {
                let span = self.trimmed(span);
                let plain = style == ScalarStyle::Plain && !self.is_text(tag.as_deref(), span);
                let value = if plain { resolve(&text) } else { Value::String(text.into_owned()) };
                let node = Node { span, value };
                let weight = 1 + node.text().map_or(0, str::len);
                self.add(node, weight, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.is_text(tag.as_deref(), span);
                self.open(anchor, span, Kind::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.is_text(tag.as_deref(), span);
                let (members, seen) = (Vec::new(), HashSet::new());
                self.open(anchor, span, Kind::Mapping { members, seen, key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
        }
    }

    /// Returns whether a tag says `!!str`; other tags than the core's are problems.
    fn is_text(&mut self, tag: Option<&Tag>, span: Span) -> bool {
        const CORE: [&str; 7] = ["str", "int", "float", "bool", "null", "seq", "map"];
        let Some(tag) = tag else { return false };
        if !(tag.is_yaml_core_schema() && CORE.contains(&tag.suffix.as_str())) {
            let message = format!("the tag `{tag}` means nothing here");
            self.problems.push(Problem::error("unknown-tag", span, message));
        }
        tag.suffix == "str"
    }

    fn trimmed(&self, span: Span) -> Span {
        let written = self.text.get(span.start..span.end).unwrap_or_default();
        Span::new(span.start, span.start + written.trim_end().len())
    }

    fn open(&mut self, anchor: usize, span: Span, kind: Kind) -> Result<(), Problem> {
        if self.open.len() == DEPTH_LIMIT {
            let message = format!("nested deeper than {DEPTH_LIMIT} levels");
            return Err(Problem::error("too-deep", span, message));
        }
        self.open.push(Open { anchor, start: span.start, weight: 1, kind });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), Problem> {
        let Some(Open { anchor, start, weight, kind }) = self.open.pop() else {
            return Err(Problem::error("yaml", span, "a collection ends that never began"));
        };
        let value = match kind {
            Kind::Sequence(items) => Value::Sequence(items),
            Kind::Mapping { members, seen, .. } if seen.contains(MERGE) => {
                Value::Mapping(self.merge(members, seen))
            }
            Kind::Mapping { members, .. } => Value::Mapping(members),
        };
        let span = self.trimmed(Span::new(start, span.end.max(start)));
        self.add(Node { span, value }, weight, anchor)
    }

    /// Puts the members of what `<<` holds after those that are there, which
    /// count before them.
    fn merge(
        &mut self,
        members: Vec<(Spanned<String>, Node)>,
        mut seen: HashSet<String>,
    ) -> Vec<(Spanned<String>, Node)> {
        let (merges, mut members): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|(key, _)| key.value == MERGE);
        for (_, node) in merges {
            let list = match node.value {
                Value::Sequence(items) => items,
                value => vec![Node { span: node.span, value }],
            };
            for node in list {
                let Value::Mapping(more) = node.value else {
                    let message = "`<<` holds something that has no members";
                    let problem = Problem::error("merge", node.span, message);
                    self.problems.push(problem.help("expected a mapping or a list of mappings"));
                    continue;
                };
                let new = |(key, _): &(Spanned<String>, Node)| seen.insert(key.value.clone());
                members.extend(more.into_iter().filter(new));
            }
        }
        members
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Problem> {
        let Some((node, weight)) = self.anchors.get(&anchor) else {
            return Err(Problem::error("recursive-alias", span, "an alias stands for itself"));
        };
        if self.weight + weight > WEIGHT_LIMIT {
            let message = "aliases make the document larger than it may be";
            return Err(Problem::error("too-large", span, message));
        }
        let (node, weight) = (Node { span, value: node.value.clone() }, *weight);
        self.add(node, weight, 0)
    }

    fn add(&mut self, node: Node, weight: usize, anchor: usize) -> Result<(), Problem> {
        self.weight += weight;
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), weight));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.weight += weight;
        match &mut open.kind {
            Kind::Sequence(items) => items.push(node),
            Kind::Mapping { members, seen, key } => {
                let Some(key) = key.take() else {
                    *key = Some(as_key(node)?);
                    return Ok(());
                };
                if seen.insert(key.value.clone()) {
                    members.push((key, node));
                } else {
                    let message = format!("`{}` is given twice", key.value);
                    self.problems.push(Problem::error("duplicate-member", key.span, message));
                }
            }
        }
        Ok(())
    }
}

fn as_key(node: Node) -> Result<Spanned<String>, Problem> {
    match node.value {
        Value::Null => Ok(Spanned::new("null".to_owned(), node.span)),
        Value::Bool(value) => Ok(Spanned::new(value.to_string(), node.span)),
        Value::Number(text) | Value::String(text) => Ok(Spanned::new(text, node.span)),
        Value::Sequence(_) | Value::Mapping(_) => {
            Err(Problem::error("member-name", node.span, "a member's name must be a text")
                .help("quote values that begin with `{` or `[`, as `\"{{ … }}\"`"))
        }
    }
}

#[cfg(test)]
mod tests;
