//! What a model says about data, as constants: kinds, bounds, patterns, members and where they travel.
//!
//! Holds no rule of its own; `validate` applies these to JSON.

use std::sync::OnceLock;

use regex::Regex;

/// A named shape of a model.
#[derive(Debug)]
pub struct Shape {
    /// The name in the model, as in `CreateComponentRequest`.
    pub name: &'static str,
    /// What values of this shape are.
    pub kind: Kind,
}

/// The kinds of shape, each with its constraints.
#[derive(Debug)]
pub enum Kind {
    /// A string; its length counts characters.
    String {
        /// How long it may be.
        length: Bounds<usize>,
        /// What the whole of it must match.
        pattern: Option<&'static Pattern>,
    },
    /// A string of a closed set.
    Enum(&'static [&'static str]),
    /// A string with a time in UTC, `2026-09-09T19:12:23.418Z`.
    DateTime,
    /// A number of seconds since 1970.
    Timestamp,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer(Bounds<i64>),
    /// Any finite number.
    Double(Bounds<f64>),
    /// A list; its length counts members.
    List {
        /// What each member is.
        member: &'static Shape,
        /// How many there may be.
        length: Bounds<usize>,
    },
    /// An object with free keys; its length counts entries.
    Map {
        /// What each key is.
        key: &'static Shape,
        /// What each value is.
        value: &'static Shape,
        /// How many entries there may be.
        length: Bounds<usize>,
    },
    /// An object with these members and no other.
    Structure(&'static [Member]),
}

/// The least and the greatest of something, where there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds<T> {
    /// The least allowed.
    pub min: Option<T>,
    /// The greatest allowed.
    pub max: Option<T>,
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// The name on the wire, as in `semanticVersion`.
    pub name: &'static str,
    /// What it holds.
    pub shape: &'static Shape,
    /// Whether it must be there.
    pub required: bool,
    /// Where it travels in a request.
    pub location: Location,
}

/// Where a member travels in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// In the JSON object of the body.
    Body,
    /// In the query string, under the member's name.
    Query,
    /// In the path.
    Path,
}

/// A regular expression of a model, which the whole of a string must match.
#[derive(Debug)]
pub struct Pattern {
    /// The expression as the model spells it, for messages.
    pub text: &'static str,
    /// The same in the syntax of `regex`, without anchors at its ends.
    pub regex: &'static str,
    /// What a string must not begin with, also in the syntax of `regex`.
    pub unless: Option<&'static str>,
    compiled: OnceLock<(Regex, Option<Regex>)>,
}

impl Shape {
    /// Returns the members of a structure; none for other kinds.
    pub fn members(&self) -> &'static [Member] {
        if let Kind::Structure(members) = &self.kind { members } else { &[] }
    }

    /// Returns the member called `name`, if this is a structure that has it.
    pub fn member(&self, name: &str) -> Option<&'static Member> {
        self.members().iter().find(|member| member.name == name)
    }
}

impl<T: PartialOrd + Copy> Bounds<T> {
    /// No bounds.
    pub const NONE: Self = Self { min: None, max: None };

    /// Returns whether `value` is less than the least allowed.
    pub fn too_small(&self, value: T) -> bool {
        self.min.is_some_and(|min| value < min)
    }

    /// Returns whether `value` is greater than the greatest allowed.
    pub fn too_large(&self, value: T) -> bool {
        self.max.is_some_and(|max| value > max)
    }
}

impl Member {
    pub(crate) const fn new(name: &'static str, shape: &'static Shape) -> Self {
        Self { name, shape, required: false, location: Location::Body }
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn query(mut self) -> Self {
        self.location = Location::Query;
        self
    }

    pub(crate) const fn path(mut self) -> Self {
        self.location = Location::Path;
        self
    }
}

impl Pattern {
    pub(crate) const fn new(
        text: &'static str,
        regex: &'static str,
        unless: Option<&'static str>,
    ) -> Self {
        Self { text, regex, unless, compiled: OnceLock::new() }
    }

    /// Returns whether the whole of `text` matches.
    pub fn accepts(&self, text: &str) -> bool {
        let (whole, unless) = self.compiled.get_or_init(|| {
            let compile = |regex: &str| {
                Regex::new(regex).expect("compiles because the generator compiled it")
            };
            let unless = self.unless.map(|unless| compile(&format!(r"\A(?:{unless})")));
            (compile(&format!(r"\A(?:{})\z", self.regex)), unless)
        });
        whole.is_match(text) && !unless.as_ref().is_some_and(|unless| unless.is_match(text))
    }
}
