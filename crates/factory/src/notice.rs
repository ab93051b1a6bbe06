//! What a build tells whoever watches it.

use std::time::Duration;

use crate::{Failure, Line};

/// Watches a build.
pub trait Observer: Send + Sync {
    /// Takes note of something, as soon as it happens.
    fn notice(&self, notice: &Notice<'_>);
}

/// Something that happened.
#[derive(Debug)]
pub enum Notice<'a> {
    /// The run is recorded and begins.
    Begun {
        /// The image build version's ARN.
        image: &'a str,
        /// The run's id.
        run: &'a str,
        /// What will happen, in order.
        steps: &'a [PlannedStep],
    },
    /// A step begins.
    StepStarted {
        /// Its place in the plan, from 0.
        step: usize,
    },
    /// A line for the log.
    Line(&'a Line),
    /// A step is this far.
    Progress {
        /// Its place in the plan.
        step: usize,
        /// Bytes dealt with.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// A step ended.
    StepEnded {
        /// Its place in the plan.
        step: usize,
        /// How long it took.
        took: Duration,
        /// What came of it in a few words; empty if there is nothing to say.
        outcome: &'a str,
        /// Why it failed, if it did.
        failure: Option<&'a Failure>,
    },
}

/// A step that is to come.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStep {
    /// What people see.
    pub label: String,
    /// How long it usually takes, from the second build on.
    pub estimate: Option<Duration>,
}
