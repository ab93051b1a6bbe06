//! What the steps that have run were given and left, for later steps to refer to.

use document::StepValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::excerpt::shorten;
use crate::mask::change_texts;
use crate::resume::keep_end;

/// The steps that have run, in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct History(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    phase: String,
    step: String,
    outputs: Vec<(String, String)>,
    inputs: Value,
}

impl History {
    pub(crate) fn record(
        &mut self,
        phase: &str,
        step: &str,
        outputs: Vec<(String, String)>,
        inputs: Value,
    ) {
        self.0.push(Entry { phase: phase.to_owned(), step: step.to_owned(), outputs, inputs });
    }

    pub(crate) fn output(&self, phase: &str, step: &str, name: &str) -> Option<&str> {
        let (_, text) = self.entry(phase, step)?.outputs.iter().find(|(key, _)| key == name)?;
        Some(text)
    }

    /// Returns the input that `wanted` names, as text.
    pub(crate) fn input(&self, wanted: &StepValue) -> Option<String> {
        wanted.find_in(&self.entry(&wanted.phase, &wanted.step)?.inputs)
    }

    /// Shortens every text to its last `limit` bytes.
    pub(crate) fn keep_ends(&mut self, limit: usize) {
        for Entry { outputs, inputs, .. } in &mut self.0 {
            outputs.iter_mut().for_each(|(_, text)| keep_end(text, limit));
            shorten(inputs, limit);
        }
    }

    /// Calls `change` with every text.
    pub(crate) fn change_texts(&mut self, change: &mut dyn FnMut(&mut String)) {
        for Entry { outputs, inputs, .. } in &mut self.0 {
            outputs.iter_mut().for_each(|(_, text)| change(text));
            change_texts(inputs, change);
        }
    }

    fn entry(&self, phase: &str, step: &str) -> Option<&Entry> {
        self.0.iter().rfind(|entry| entry.phase == phase && entry.step == step)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn inputs_are_found_by_index_and_name() {
        let mut history = History::default();
        let list = json!([{"path": "/a"}, {"path": "/b", "overwrite": false}]);
        history.record("build", "Files", Vec::new(), list);
        let map = json!({"commands": ["one", "two"], "deep": {"er": 3}});
        history.record("build", "Bash", Vec::new(), map);
        let check = |step: &str, index, name: &str, expected: Option<&str>| {
            let (phase, step, name) = ("build".to_owned(), step.to_owned(), name.to_owned());
            let found = history.input(&StepValue { phase, step, index, name });
            assert_eq!(found.as_deref(), expected);
        };
        check("Files", None, "path", None);
        check("Files", Some(0), "path", Some("/a"));
        check("Files", Some(1), "path", Some("/b"));
        check("Files", Some(1), "overwrite", Some("false"));
        check("Files", Some(2), "path", None);
        check("Bash", None, "commands[1]", Some("two"));
        check("Bash", Some(0), "commands[0]", Some("one"));
        check("Bash", None, "deep.er", Some("3"));
        check("Bash", None, "commands", Some(r#"["one","two"]"#));
        check("Bash", None, "commands[x]", None);
        check("Bash", Some(1), "commands[0]", None);
        check("None", None, "path", None);
    }
}
