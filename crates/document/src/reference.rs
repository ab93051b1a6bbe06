//! `{{ … }}`: references in texts, and the texts around them.
//!
//! What a reference stands for is the environment's to say; braces around
//! anything that has not the form of a reference stay as they are, since
//! scripts and templates of other tools use them too.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde_json::Value as Json;

/// What stands between two braces (reference §2.2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// A parameter or constant: `{{ Name }}`.
    Name(String),
    /// An input of a step: `{{ phase.step.inputs[0].name }}`.
    Input(StepValue),
    /// An output of a step: `{{ phase.step.outputs.stdout }}`.
    Output(StepValue),
    /// The state of a loop: `{{ loop.index }}`, `{{ <name>.value }}`.
    Loop {
        /// The loop's name; `None` for the step's own, `loop`.
        name: Option<String>,
        /// Which of its values.
        part: LoopPart,
    },
    /// A parameter of the Systems Manager: `{{ aws:ssm:/path }}`.
    Stored(String),
    /// The stored parameter named by another value: `{{ aws:ssm:resolve(Name) }}`.
    StoredUnder(String),
}

/// What begins the name of a stored parameter in a reference.
pub(crate) const STORED: &str = "aws:ssm:";

/// A value of a step: `phase.step.outputs[index].name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepValue {
    /// The phase's name.
    pub phase: String,
    /// The step's name.
    pub step: String,
    /// Which entry of the step's list, from 0.
    pub index: Option<usize>,
    /// The value's name; `commands[1]` and `a.b` reach further in.
    pub name: String,
}

/// What a loop offers to its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LoopPart {
    /// How many turns came before.
    Index,
    /// The number of `for`, the element of `forEach`.
    Value,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Input(value) => {
                let StepValue { phase, step, name, .. } = value;
                write!(f, "{phase}.{step}.inputs{}.{name}", value.subscript())
            }
            Self::Output(value) => {
                let StepValue { phase, step, name, .. } = value;
                write!(f, "{phase}.{step}.outputs{}.{name}", value.subscript())
            }
            Self::Loop { name, part } => {
                let name = name.as_deref().unwrap_or("loop");
                let part = match part {
                    LoopPart::Index => "index",
                    LoopPart::Value => "value",
                };
                write!(f, "{name}.{part}")
            }
            Self::Stored(name) => write!(f, "aws:ssm:{name}"),
            Self::StoredUnder(name) => write!(f, "aws:ssm:resolve({name})"),
        }
    }
}

impl StepValue {
    /// Returns the value as it stands in a step's `inputs`, if it is there.
    ///
    /// Without an index the only entry of a list is meant. Lists and mappings
    /// come as JSON, as the runner writes them.
    pub fn find_in(&self, inputs: &Json) -> Option<String> {
        let entry = match (self.index, inputs) {
            (Some(index), Json::Array(entries)) => entries.get(index)?,
            (None, Json::Array(entries)) => entries.first().filter(|_| entries.len() == 1)?,
            (Some(0) | None, entry) => entry,
            (Some(_), _) => return None,
        };
        let found = path(&self.name).try_fold(entry, |value, key| match value {
            Json::Array(items) => items.get(key.parse::<usize>().ok()?),
            value => value.get(key),
        })?;
        Some(found.as_str().map_or_else(|| found.to_string(), str::to_owned))
    }

    fn subscript(&self) -> String {
        self.index.map_or_else(String::new, |index| format!("[{index}]"))
    }
}

/// Splits `commands[1].x` into its keys.
fn path(name: &str) -> impl Iterator<Item = &str> {
    name.split(['.', '[']).map(|key| key.trim_end_matches(']'))
}

/// A text between braces has not the form of a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` has not the form of a reference")]
pub struct ParseReferenceError(String);

impl FromStr for Reference {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseReferenceError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Reference> {
    if let Some(stored) = text.strip_prefix(STORED) {
        let inner = stored.strip_prefix("resolve(").and_then(|rest| rest.strip_suffix(')'));
        return match inner.map(str::trim) {
            Some(name) => is_stored_name(name).then(|| Reference::StoredUnder(name.to_owned())),
            None => is_stored_name(stored).then(|| Reference::Stored(stored.to_owned())),
        };
    }
    let parts: Vec<&str> = text.splitn(4, '.').collect();
    match parts[..] {
        [name] => is_name(name).then(|| Reference::Name(name.to_owned())),
        [name, "index"] if is_name(name) => Some(of_loop(name, LoopPart::Index)),
        [name, "value"] if is_name(name) => Some(of_loop(name, LoopPart::Value)),
        [phase, step, list, name] if is_title(phase) && is_title(step) => {
            let (list, index) = match list.split_once('[') {
                Some((list, index)) => (list, Some(index.strip_suffix(']')?.parse().ok()?)),
                None => (list, None),
            };
            let tail = |c: char| c.is_ascii_alphanumeric() || "_-.[]".contains(c);
            if name.is_empty() || !name.chars().all(tail) {
                return None;
            }
            let (phase, step, name) = (phase.to_owned(), step.to_owned(), name.to_owned());
            let value = StepValue { phase, step, index, name };
            match list {
                "inputs" => Some(Reference::Input(value)),
                "outputs" => Some(Reference::Output(value)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn of_loop(name: &str, part: LoopPart) -> Reference {
    Reference::Loop { name: (name != "loop").then(|| name.to_owned()), part }
}

fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    !text.is_empty() && text.chars().all(allowed)
}

/// Phases and steps may have spaces in their names.
fn is_title(text: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "_- ".contains(c);
    !text.is_empty() && text.trim() == text && text.chars().all(allowed)
}

fn is_stored_name(text: &str) -> bool {
    // Secrets, below /aws/reference/secretsmanager/, have `+=@` in their names, too.
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-/:+=@".contains(c);
    !text.is_empty() && text.chars().all(allowed)
}

/// Returns what stands between braces in `text`: where, braces included, and what.
pub(crate) fn braces(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let end = at + text[at..].find("}}")?;
            // Of nested braces the inner ones count: `{{{ Name }}}`.
            let start = text[at..end].rfind("{{").map(|start| at + start);
            at = end + 2;
            if let Some(start) = start {
                return Some((start..at, text[start + 2..end].trim()));
            }
        }
    })
}

/// Returns the references in `text` and where each stands, braces included.
pub(crate) fn references(text: &str) -> impl Iterator<Item = (Range<usize>, Reference)> {
    braces(text).filter_map(|(range, inner)| Some((range, inner.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        let found = references(text).map(|(range, reference)| {
            assert!(text[range].starts_with("{{"));
            format!("{reference:?}\n")
        });
        expected.assert_eq(&found.collect::<String>());
    }

    #[test]
    fn every_form_is_known() {
        check(
            "a {{ Name }} {{Other-1}}",
            expect![[r#"
            Name("Name")
            Name("Other-1")
        "#]],
        );
        check(
            "{{ loop.index }} {{ outer.value }}",
            expect![[r#"
            Loop { name: None, part: Index }
            Loop { name: Some("outer"), part: Value }
        "#]],
        );
        check(
            "{{ build.Get it.outputs.stdout }} {{ build.S.inputs[1].a.b[0] }}",
            expect![[r#"
            Output(StepValue { phase: "build", step: "Get it", index: None, name: "stdout" })
            Input(StepValue { phase: "build", step: "S", index: Some(1), name: "a.b[0]" })
        "#]],
        );
        check(
            "{{ aws:ssm:/a/b }} {{ aws:ssm:resolve( Name ) }}",
            expect![[r#"
            Stored("/a/b")
            StoredUnder("Name")
        "#]],
        );
    }

    #[test]
    fn other_tools_braces_are_left_alone() {
        check("docker ps --format '{{.Names}}' {{ a b }} {{}} {{ x | y }} }} {{", expect![""]);
        check("{{ build.Step.output.stdout }} {{ build.Step.inputs[x].a }}", expect![""]);
        check(
            "{{{ Name }}} {{ open {{ Other }}",
            expect![[r#"
            Name("Name")
            Name("Other")
        "#]],
        );
    }

    #[test]
    fn inputs_are_found_by_path() {
        let find = |reference: &str, inputs: &str| {
            let Ok(Reference::Input(value)) = reference.parse() else { panic!("{reference}") };
            value.find_in(&serde_json::from_str(inputs).unwrap())
        };
        let list = r#"[{"path": "/a"}, {"path": "/b", "overwrite": true}]"#;
        assert_eq!(find("p.s.inputs[1].path", list).as_deref(), Some("/b"));
        assert_eq!(find("p.s.inputs[1].overwrite", list).as_deref(), Some("true"));
        assert_eq!(find("p.s.inputs.path", list), None);
        assert_eq!(find("p.s.inputs.path", r#"[{"path": "/a"}]"#).as_deref(), Some("/a"));
        let map = r#"{"commands": ["x", "y"]}"#;
        assert_eq!(find("p.s.inputs.commands[1]", map).as_deref(), Some("y"));
        assert_eq!(find("p.s.inputs.commands", map).as_deref(), Some(r#"["x","y"]"#));
        assert_eq!(find("p.s.inputs.nothing", map), None);
    }

    proptest! {
        #[test]
        fn references_show_as_they_are_written(text in "[a-z.\\[\\]0-9]{1,30}|aws:ssm:\\PC{0,9}|\\PC{0,30}") {
            for (range, reference) in references(&format!("{{{{{text}}}}}")) {
                prop_assert!(range.end <= text.len() + 4);
                prop_assert_eq!(reference.to_string().parse(), Ok(reference));
            }
        }
    }
}
