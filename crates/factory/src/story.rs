//! What the failure of a component will be told with: phase, step, exit code and last lines.
//!
//! A failure is that of the step that failed first, or of the one at work when
//! all of it ended: the instance went, or the time was up.

use std::collections::VecDeque;

use channel::Status;

use crate::{Cause, Failure};

/// How many lines a failure is told with.
const LINES: usize = 20;

/// What has happened in a step of a run so far.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// The steps at work, each within the one before it.
    running: Vec<Place>,
    last_lines: VecDeque<String>,
    failed: Option<Failed>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    phase: String,
    step: String,
}

#[derive(Debug)]
struct Failed {
    place: Place,
    exit_code: Option<i32>,
    last_lines: Vec<String>,
}

impl Place {
    /// Says whether a step belongs to a document that this one executes: its
    /// name begins with this one's then.
    fn holds(&self, phase: &str, step: &str) -> bool {
        let inner = step.strip_prefix(&self.step);
        self.phase == phase && inner.is_some_and(|inner| inner.starts_with('/'))
    }
}

impl Story {
    /// Takes a line of output.
    pub(crate) fn line(&mut self, text: String) {
        if self.last_lines.len() == LINES {
            self.last_lines.pop_front();
        }
        self.last_lines.push_back(text);
    }

    /// Takes note that a step is at work.
    pub(crate) fn step_started(&mut self, phase: &str, step: &str, attempt: u32) {
        self.running.retain(|outer| outer.holds(phase, step));
        self.running.push(Place { phase: phase.to_owned(), step: step.to_owned() });
        if attempt == 1 {
            // The last lines of a failure are the failing step's.
            self.last_lines.clear();
        }
    }

    /// Takes note that a step ended.
    pub(crate) fn step_ended(
        &mut self,
        phase: &str,
        step: &str,
        status: Status,
        exit_code: Option<i32>,
    ) {
        self.running.retain(|outer| outer.holds(phase, step));
        let place = Place { phase: phase.to_owned(), step: step.to_owned() };
        match status {
            Status::Failed => {
                let last_lines = &self.last_lines;
                // Those that follow after an `onFailure: Continue` say nothing of it.
                self.failed.get_or_insert_with(|| Failed {
                    place,
                    exit_code,
                    last_lines: last_lines.iter().cloned().collect(),
                });
            }
            Status::Success | Status::IgnoredFailure | Status::Skipped => {
                // What failed within it does not count.
                self.failed.take_if(|failed| place.holds(&failed.place.phase, &failed.place.step));
            }
        }
    }

    /// Returns the failure of a component that came to its end, with `message`.
    pub(crate) fn failure(&mut self, cause: Cause, component: &str, message: String) -> Failure {
        match self.failed.take() {
            Some(Failed { place: Place { phase, step }, exit_code, last_lines }) => Failure {
                cause,
                component: Some(component.to_owned()),
                phase: Some(phase),
                step: Some(step),
                exit_code,
                message,
                last_lines,
            },
            None => Failure {
                component: Some(component.to_owned()),
                last_lines: self.last_lines.iter().cloned().collect(),
                ..*Failure::plain(cause, message)
            },
        }
    }

    /// Returns the failure of a component that was cut short, for the reason in `message`.
    pub(crate) fn cut_short(&mut self, cause: Cause, component: &str, message: String) -> Failure {
        let Some(Place { phase, step }) = self.running.pop() else {
            return self.failure(cause, component, message);
        };
        Failure {
            cause,
            component: Some(component.to_owned()),
            message: format!("phase {phase}: step {step}: {message}"),
            phase: Some(phase),
            step: Some(step),
            exit_code: None,
            last_lines: self.last_lines.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens, in the order of a table's row.
    enum Told {
        Started(&'static str),
        Line(&'static str),
        Ended(&'static str, Status),
    }

    use Told::{Ended, Line, Started};

    fn story(told: &[Told]) -> Story {
        let mut story = Story::default();
        for told in told {
            match told {
                Started(step) => story.step_started("build", step, 1),
                Line(text) => story.line((*text).to_owned()),
                Ended(step, status) => story.step_ended("build", step, *status, Some(7)),
            }
        }
        story
    }

    /// The component came to its end: this step is blamed, with these lines.
    #[track_caller]
    fn check(told: &[Told], step: Option<&str>, lines: &[&str]) {
        let failure = story(told).failure(Cause::Component, "web", "it failed".to_owned());
        assert_eq!((failure.step.as_deref(), failure.exit_code), (step, step.map(|_| 7)));
        assert_eq!(failure.last_lines, lines);
        assert_eq!(failure.message, "it failed");
    }

    /// It was cut short: this step was at work.
    #[track_caller]
    fn check_cut_short(told: &[Told], message: &str, lines: &[&str]) {
        let failure = story(told).cut_short(Cause::Test, "web", "the machine is gone".to_owned());
        assert_eq!(failure.message, message);
        assert_eq!(failure.phase.is_some(), failure.step.is_some());
        assert_eq!(failure.last_lines, lines);
        assert_eq!(failure.exit_code, None);
    }

    #[test]
    fn the_first_step_that_failed_is_blamed_with_its_own_lines() {
        use Status::{Failed, IgnoredFailure, Success};
        check(&[Started("A"), Line("a"), Ended("A", Failed)], Some("A"), &["a"]);
        // It said that the others go on.
        let goes_on = [Started("A"), Line("a"), Ended("A", Failed), Started("B"), Line("b")];
        check(&goes_on, Some("A"), &["a"]);
        check(
            &[Started("A"), Line("a"), Ended("A", Success), Started("B"), Ended("B", Failed)],
            Some("B"),
            &[],
        );
        let nested = [Started("A"), Started("A/build/X"), Line("x"), Ended("A/build/X", Failed)];
        check(&nested, Some("A/build/X"), &["x"]);
        // What failed within a step that is forgiven is forgiven.
        check(
            &[
                Started("A"),
                Started("A/build/X"),
                Ended("A/build/X", Failed),
                Ended("A", IgnoredFailure),
                Started("B"),
                Line("b"),
                Ended("B", Failed),
            ],
            Some("B"),
            &["b"],
        );
        check(&[Line("no agent")], None, &["no agent"]);
    }

    #[test]
    fn the_step_at_work_is_blamed_where_all_of_it_ended() {
        use Status::{Failed, Success};
        let at_a = "phase build: step A: the machine is gone";
        check_cut_short(&[Started("A"), Line("a")], at_a, &["a"]);
        // A machine that restarts comes to a step a second time.
        check_cut_short(&[Started("A"), Started("A"), Line("a")], at_a, &["a"]);
        let failed_before = [Started("0"), Line("0"), Ended("0", Failed), Started("A"), Line("a")];
        check_cut_short(&failed_before, at_a, &["a"]);
        let nested = [Started("A"), Started("A/build/X"), Ended("A/build/X", Success), Line("a")];
        check_cut_short(&nested, at_a, &["a"]);
        check_cut_short(&[], "the machine is gone", &[]);
    }

    #[test]
    fn the_last_twenty_lines_are_kept() {
        let mut story = Story::default();
        (1..=30).for_each(|n| story.line(n.to_string()));
        let lines = story.failure(Cause::Component, "web", String::new()).last_lines;
        assert_eq!((lines.len(), lines[0].as_str(), lines[19].as_str()), (20, "11", "30"));
    }
}
