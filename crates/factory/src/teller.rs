//! What a build tells while it goes on: to its log, to whoever watches, and to the story of a failure.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use channel::{Event, Stream};

use crate::bound::{self, cut};
use crate::clock::{instant, now_micros};
use crate::log::{Log, clean};
use crate::story::Story;
use crate::{Case, Cause, Failure, Line, LogError, Notice, Observer};

/// Passes on what happens, and remembers what a failure will be told with.
pub(crate) struct Teller<'a> {
    observer: &'a dyn Observer,
    state: Mutex<Told>,
}

struct Told {
    log: Log,
    error: Option<LogError>,
    step: usize,
    label: String,
    story: Story,
    cases: Vec<Case>,
    /// How many there were, those that were not kept among them.
    all_cases: usize,
}

impl Told {
    fn new(log: Log) -> Self {
        Self {
            log,
            error: None,
            step: 0,
            label: String::new(),
            story: Story::default(),
            cases: Vec::new(),
            all_cases: 0,
        }
    }
}

impl<'a> Teller<'a> {
    pub(crate) fn new(observer: &'a dyn Observer, log: Log) -> Self {
        Self { observer, state: Mutex::new(Told::new(log)) }
    }

    pub(crate) fn notice(&self, notice: &Notice<'_>) {
        self.observer.notice(notice);
    }

    pub(crate) fn begin(&self, step: usize, label: &str) {
        {
            let mut told = self.told();
            told.step = step;
            label.clone_into(&mut told.label);
            told.story = Story::default();
            told.log.begin_step();
        }
        self.notice(&Notice::StepStarted { step });
    }

    /// Adds a line of output to the log, shows it, and remembers it for the
    /// story of a failure.
    pub(crate) fn line(&self, place: Option<(&str, &str)>, text: &str) {
        let text = self.write(place, text);
        self.told().story.line(text);
    }

    /// Adds a line to the log and shows it; returns it as it went there.
    fn write(&self, place: Option<(&str, &str)>, text: &str) -> String {
        let mut told = self.told();
        let line = Line {
            at: now_micros(),
            label: told.label.clone(),
            place: place.map(|(phase, step)| (phase.to_owned(), step.to_owned())),
            text: cut(&clean(text), bound::LINE),
        };
        if let Err(error) = told.log.add(&line) {
            told.error.get_or_insert(error);
        }
        drop(told);
        self.notice(&Notice::Line(&line));
        line.text
    }

    /// Tells how far the step is.
    pub(crate) fn progress(&self, done: u64, total: u64) {
        let step = self.told().step;
        self.notice(&Notice::Progress { step, done, total });
    }

    /// Returns the failure that `tell` makes of a component's story and `message`:
    /// [`Story::failure`] or [`Story::cut_short`].
    pub(crate) fn failure(
        &self,
        tell: impl FnOnce(&mut Story, Cause, &str, String) -> Failure,
        cause: Cause,
        component: &str,
        message: &str,
    ) -> Box<Failure> {
        let message = cut(message, bound::MESSAGE);
        Box::new(tell(&mut self.told().story, cause, component, message))
    }

    pub(crate) fn log_error(&self) -> Option<LogError> {
        self.told().error.take()
    }

    pub(crate) fn cases(&self) -> Vec<Case> {
        std::mem::take(&mut self.told().cases)
    }

    /// Returns the results of tests, as the report has them.
    pub(crate) fn tests(&self) -> serde_json::Value {
        let told = self.told();
        let tests: Vec<&Case> = told.cases.iter().filter(|case| case.phase == "test").collect();
        serde_json::json!(tests)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn event(&self, component: &str, event: &Event) {
        let name = |text: &str| cut(text, bound::NAME);
        match event {
            Event::Output { phase, step, stream, line } => {
                // Both streams are one story; which is which is in the place.
                match stream {
                    Stream::Stdout | Stream::Stderr => {
                        self.line(Some((&name(phase), &name(step))), line);
                    }
                }
            }
            Event::StepStarted { phase, step, action, attempt } => {
                let (phase, step) = (name(phase), name(step));
                let again =
                    if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
                self.write(Some((&phase, &step)), &format!("{action}{again}"));
                self.told().story.step_started(&phase, &step, *attempt);
            }
            Event::StepEnded { phase, step, status, exit_code, message, millis, .. } => {
                let (phase, step) = (name(phase), name(step));
                if !message.is_empty() {
                    self.write(Some((&phase, &step)), message);
                }
                self.told().story.step_ended(&phase, &step, *status, *exit_code);
                self.case(Case {
                    component: component.to_owned(),
                    phase,
                    step,
                    status: *status,
                    message: cut(&clean(message), bound::MESSAGE),
                    seconds: *millis as f64 / 1000.0,
                });
            }
            Event::Reboot { .. } => {
                self.write(None, "restarting the instance");
            }
            Event::Ready { .. } | Event::Ended { .. } | Event::Refused { .. } => {}
        }
    }

    /// Keeps a step's result for the report.
    fn case(&self, case: Case) {
        let n = {
            let mut told = self.told();
            told.all_cases += 1;
            if told.cases.len() < bound::CASES {
                told.cases.push(case);
            }
            told.all_cases
        };
        if n == bound::CASES + 1 {
            let text =
                format!("these are more than {} steps: the report has no others", bound::CASES);
            self.write(None, &text);
        }
    }
}

/// What an instance, or the making of a base, reports to.
pub(crate) struct Watch<'a> {
    pub(crate) teller: &'a Teller<'a>,
    pub(crate) cancel: &'a AtomicBool,
    /// When it is cancelled by itself.
    pub(crate) deadline: Option<Instant>,
    /// The component whose events they are.
    pub(crate) component: &'a str,
}

impl instance::Watch for Watch<'_> {
    fn event(&self, event: &Event) {
        self.teller.event(self.component, event);
    }

    fn cancelled(&self) -> bool {
        let late = self.deadline.is_some_and(|deadline| instant() >= deadline);
        late || self.cancel.load(Ordering::Acquire)
    }
}

impl base::Watch for Watch<'_> {
    fn line(&self, line: &str) {
        self.teller.line(None, line);
    }

    fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use channel::Status;

    use super::*;
    use crate::read_log;

    struct Nobody;

    impl Observer for Nobody {
        fn notice(&self, _: &Notice<'_>) {}
    }

    #[test]
    fn results_of_tests_are_kept_as_the_report_has_them() {
        let data = tempfile::tempdir().unwrap();
        let teller = Teller::new(&Nobody, Log::create(data.path(), "r").unwrap());
        for (phase, status) in [("build", Status::Success), ("test", Status::Failed)] {
            let ended = Event::StepEnded {
                phase: phase.to_owned(),
                step: "Try".to_owned(),
                status,
                exit_code: Some(4),
                message: "exit code 4".to_owned(),
                millis: 1500,
                inputs: serde_json::Value::Null,
                outputs: serde_json::Value::Null,
            };
            teller.event("web", &ended);
        }
        let test = serde_json::json!({
            "component": "web",
            "phase": "test",
            "step": "Try",
            "status": "failed",
            "message": "exit code 4",
            "seconds": 1.5,
        });
        assert_eq!(teller.tests(), serde_json::json!([test]));
    }

    /// What a program may write that has got hold of the agent's pipe.
    #[test]
    fn an_instance_cannot_fill_the_factorys_memory() {
        let data = tempfile::tempdir().unwrap();
        let teller = Teller::new(&Nobody, Log::create(data.path(), "r").unwrap());
        teller.begin(0, "build web");
        let huge = "é".repeat(1 << 15);
        let started = Event::StepStarted {
            phase: huge.clone(),
            step: huge.clone(),
            action: huge.clone(),
            attempt: 1,
        };
        teller.event("web", &started);
        for _ in 0..30 {
            let output = Event::Output {
                phase: huge.clone(),
                step: huge.clone(),
                stream: Stream::Stdout,
                line: huge.clone(),
            };
            teller.event("web", &output);
        }
        let ended = |text: &str| Event::StepEnded {
            phase: text.to_owned(),
            step: text.to_owned(),
            status: Status::Failed,
            exit_code: None,
            message: text.to_owned(),
            millis: 1,
            inputs: serde_json::Value::Null,
            outputs: serde_json::Value::Null,
        };
        teller.event("web", &ended(&huge));
        let failure = teller.failure(Story::failure, Cause::Component, "web", &huge);
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        assert!(length(&failure.phase) <= bound::NAME && length(&failure.step) <= bound::NAME);
        assert!(failure.message.len() <= bound::MESSAGE, "{}", failure.message.len());
        assert_eq!(failure.last_lines.len(), 20);
        assert!(failure.last_lines.iter().all(|line| line.len() <= bound::LINE));

        for _ in 0..bound::CASES + 5 {
            teller.event("web", &ended("short"));
        }
        let cases = teller.cases();
        assert_eq!(cases.len(), bound::CASES);
        assert!(cases[0].message.ends_with("… (cut)") && cases[0].message.len() <= bound::MESSAGE);
        let told = "these are more than 10000 steps: the report has no others";
        let lines = read_log(data.path(), "r").unwrap();
        assert_eq!(lines.filter(|line| line.text == told).count(), 1);
        let log = fs::metadata(data.path().join("logs/r/log.jsonl")).unwrap().len();
        assert!(log < 4 << 20, "{log}");
    }
}
