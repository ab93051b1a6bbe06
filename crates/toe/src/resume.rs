//! Where an execution stands, in the form that outlives a restart.

use channel::Resume;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Record;
use crate::history::History;
use crate::mask::Mask;

/// The most that is handed over, in bytes of JSON. With the document itself it
/// has to fit into one line of the channel.
pub(crate) const SIZE_LIMIT: usize = 2 << 20;

/// Where to go on, and what is known by then.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct State {
    /// The phase, by its place in the document.
    pub(crate) phase: usize,
    /// The step, by its place in the phase.
    pub(crate) step: usize,
    /// How far the step has come; absent if it has not begun.
    pub(crate) progress: Option<Progress>,
    /// How many restarts were asked for.
    pub(crate) restarts: u32,
    /// The first failure that counts.
    pub(crate) failure: Option<String>,
    #[serde(default)]
    pub(crate) counts: Counts,
    pub(crate) history: History,
}

/// How many steps have run, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// All that were not skipped.
    pub(crate) executed: u32,
    pub(crate) failed: u32,
    pub(crate) ignored: u32,
}

/// How far a step has come. That there is one says that its `if` was
/// evaluated, which happens once only (reference §2.4).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Progress {
    /// How many attempts have failed.
    pub(crate) failed_attempts: u32,
    /// How many turns of its loop are done in this attempt.
    pub(crate) turns: usize,
    /// What those turns left.
    pub(crate) outputs: Vec<(String, String)>,
    /// How long it took so far.
    pub(crate) millis: u64,
    /// Where its action stood, if that asked for the restart.
    #[serde(default)]
    pub(crate) action: Option<Box<Nested>>,
}

/// A document that a step executes, and where its execution stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Nested {
    /// The text: the file it came from may not outlive the restart.
    pub(crate) document: String,
    pub(crate) execution_id: String,
    /// What has happened in it so far.
    pub(crate) record: Record,
    pub(crate) state: State,
}

impl State {
    /// Reads what an earlier process left, with the values that `mask` knows.
    pub(crate) fn parse(resume: &Resume, mask: &Mask) -> Result<Self, serde_json::Error> {
        let mut state = Self::deserialize(&resume.0)?;
        state.change_texts(&mut |text| mask.restore(text));
        Ok(state)
    }

    /// Returns the form to hand over, with references in place of secure values.
    ///
    /// Texts that are too long together lose their beginnings, the longest
    /// ones first: what is cut may never be asked for, and a failure now would
    /// lose all the work so far.
    pub(crate) fn into_resume(mut self, mask: &Mask) -> Resume {
        self.change_texts(&mut |text| mask.refer(text));
        let mut limit = SIZE_LIMIT;
        loop {
            let value = serde_json::to_value(&self).unwrap_or(Value::Null);
            if limit == 0 || value.to_string().len() <= SIZE_LIMIT {
                return Resume(value);
            }
            limit /= 2;
            self.keep_ends(limit);
        }
    }

    /// Calls `change` with every text that may hold a secure value. Records
    /// were told, so theirs are masked.
    fn change_texts(&mut self, change: &mut dyn FnMut(&mut String)) {
        self.failure.iter_mut().for_each(&mut *change);
        self.history.change_texts(change);
        let Some(Progress { outputs, action, .. }) = &mut self.progress else { return };
        outputs.iter_mut().for_each(|(_, text)| change(text));
        if let Some(nested) = action {
            change(&mut nested.document);
            nested.state.change_texts(change);
        }
    }

    /// Shortens every text to its last `limit` bytes.
    fn keep_ends(&mut self, limit: usize) {
        self.history.keep_ends(limit);
        if let Some(progress) = &mut self.progress {
            progress.keep_ends(limit);
        }
    }
}

impl Progress {
    /// Says whether it cannot be handed over, however short its texts are
    /// made: nested documents have to stay whole.
    pub(crate) fn is_too_long(&self) -> bool {
        let mut bare = self.clone();
        bare.keep_ends(0);
        serde_json::to_string(&bare).is_ok_and(|json| json.len() > SIZE_LIMIT)
    }

    fn keep_ends(&mut self, limit: usize) {
        self.outputs.iter_mut().for_each(|(_, text)| keep_end(text, limit));
        if let Some(nested) = &mut self.action {
            nested.record.keep_ends(limit);
            nested.state.keep_ends(limit);
        }
    }
}

/// Cuts off the beginning of `text` so that `limit` bytes stay, or a little less.
pub(crate) fn keep_end(text: &mut String, limit: usize) {
    let start = text.len().saturating_sub(limit);
    text.drain(..text.ceil_char_boundary(start));
}

#[cfg(test)]
mod tests {
    use channel::{Event, Status, Stored};
    use document::Component;
    use serde_json::json;

    use super::*;
    use crate::action::DETAILED_OUTPUT;

    #[test]
    fn states_come_back() {
        let mut state = State { phase: 1, step: 2, restarts: 3, ..State::default() };
        state.progress = Some(Progress { failed_attempts: 1, turns: 4, ..Progress::default() });
        state.history.record("build", "One", vec![("stdout".into(), "x".into())], Value::Null);
        let mask = Mask::default();
        assert_eq!(State::parse(&state.clone().into_resume(&mask), &mask).unwrap(), state);
        assert!(State::parse(&Resume(Value::Null), &mask).is_err());
    }

    #[test]
    fn no_secure_value_is_kept() {
        let value = "hunter2".to_owned();
        let stored = Stored { name: "/p".into(), value, secure: true };
        let mask = Mask::of(&[stored]);
        let outputs = || vec![("stdout".to_owned(), "it is hunter2".to_owned())];
        let failure = Some("no hunter2".to_owned());
        let mut state = State { failure, ..State::default() };
        state.history.record("build", "One", outputs(), json!({"commands": ["hunter2"]}));
        let nested = Nested {
            document: "# hunter2".into(),
            execution_id: "id".into(),
            record: Record::new("id", 0),
            state: state.clone(),
        };
        let action = Some(Box::new(nested));
        state.progress = Some(Progress { action, outputs: outputs(), ..Progress::default() });
        let resume = state.clone().into_resume(&mask);
        let json = resume.0.to_string();
        assert!(!json.contains("hunter2"), "{json}");
        assert_eq!(State::parse(&resume, &mask).unwrap(), state);
    }

    #[test]
    fn too_much_text_loses_its_beginning() {
        let long = || format!("{}end", "\0".repeat(SIZE_LIMIT / 8));
        let outputs = || vec![("stdout".to_owned(), long())];
        let mut state = State::default();
        for step in ["One", "Two"] {
            state.history.record("build", step, outputs(), json!([{"content": long()}]));
        }
        let mut record = Record::new("id", 0);
        let text =
            "schemaVersion: 1.0\nphases: [{name: build, steps: [{name: A, action: Reboot}]}]";
        let document = Component::parse(text).unwrap().value;
        record.begin("a.yaml", &document, 0);
        let ended = Event::StepEnded {
            phase: "build".into(),
            step: "A".into(),
            status: Status::Success,
            exit_code: None,
            message: String::new(),
            millis: 0,
            inputs: json!({"x": long()}),
            outputs: json!({"y": long(), DETAILED_OUTPUT: [{"z": long()}]}),
        };
        record.take(&document, &ended, 0);
        let (document, inner) = (text.to_owned(), state.clone());
        let nested = Nested { document, execution_id: "id".into(), record, state: inner };
        let action = Some(Box::new(nested));
        state.progress = Some(Progress { action, outputs: outputs(), ..Progress::default() });
        let resume = state.into_resume(&Mask::default());
        assert!(resume.0.to_string().len() <= SIZE_LIMIT);
        let progress = State::parse(&resume, &Mask::default()).unwrap().progress.unwrap();
        assert!(progress.outputs[0].1.ends_with("\0end"));
        let Nested { document, record, state, .. } = *progress.action.unwrap();
        assert_eq!(document, text);
        let kept = state.history.output("build", "Two", "stdout").unwrap();
        assert!(kept.ends_with("\0end"));
        let record = serde_json::to_value(record).unwrap();
        let step = &record["documents"][0]["phases"][0]["steps"][0];
        let inputs: Value = serde_json::from_str(step["inputs"].as_str().unwrap()).unwrap();
        for text in [&inputs[0]["x"], &step["detailedOutput"][0]["z"]] {
            assert!(text.as_str().unwrap().ends_with("\0end"), "{text:?}");
        }
    }
}
