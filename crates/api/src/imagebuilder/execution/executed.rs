//! What a run did, does and will do, step by step: its records, and its plan for what is to come.

use model::ImageState;
use serde::Deserialize;
use store::image::Image;
use store::step::Step;
use store::{StepState, Workflow};
use wire::imagebuilder::{
    WorkflowExecutionMetadata, WorkflowExecutionStatus, WorkflowStepExecutionStatus,
    WorkflowStepMetadata, WorkflowType,
};

use crate::imagebuilder::date::date;
use crate::imagebuilder::execution_id::{Named, id};
use crate::imagebuilder::tag::some;

/// The most characters that a message has on the wire.
const MESSAGE: usize = 500;

/// A run's steps, those to come among them.
pub(super) struct Executed {
    pub(super) image: Image,
    pub(super) steps: Vec<Shown>,
}

/// A step as it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub(super) ordinal: u16,
    pub(super) workflow: Workflow,
    /// In which attempt, from 1.
    pub(super) attempt: u16,
    action: String,
    label: String,
    status: WorkflowStepExecutionStatus,
    message: String,
    started_at: Option<i64>,
    ended_at: Option<i64>,
}

/// A step of a run's plan, as the store keeps it.
#[derive(Deserialize)]
struct Planned {
    workflow: String,
    action: String,
    label: String,
    #[serde(default = "first")]
    attempt: u16,
}

/// Returns the attempt of steps that are of no retry.
fn first() -> u16 {
    1
}

impl Executed {
    /// Returns a run's steps: as they are recorded, else as they are planned.
    pub(super) fn new(image: Image, recorded: &[Step]) -> Self {
        let steps = shown(&image, recorded);
        Self { image, steps }
    }

    /// Returns the steps of a workflow's execution; none if the attempt has no such workflow.
    pub(super) fn of(&self, workflow: Workflow, attempt: u16) -> impl Iterator<Item = &Shown> {
        self.steps.iter().filter(move |step| (step.workflow, step.attempt) == (workflow, attempt))
    }

    /// Returns the executions that are listed: those that began and, while the image is being made,
    /// those to come.
    pub(super) fn listed(&self) -> impl Iterator<Item = WorkflowExecutionMetadata> {
        let all = [Workflow::Build, Workflow::Test, Workflow::Distribution];
        let every = (1..=self.attempts())
            .flat_map(move |attempt| all.into_iter().map(move |workflow| (workflow, attempt)));
        every.filter_map(|(workflow, attempt)| {
            let is_over = self.was_retried(attempt) || !self.image.state.is_in_progress();
            let began = self.of(workflow, attempt).any(|step| step.started_at.is_some());
            self.tell(workflow, attempt).filter(|_| began || !is_over)
        })
    }

    /// Returns how often the image was tried to be made.
    fn attempts(&self) -> u16 {
        self.steps.last().map_or(1, |step| step.attempt)
    }

    fn was_retried(&self, attempt: u16) -> bool {
        attempt < self.attempts()
    }

    /// Returns a workflow's execution, or `None` if the attempt has no such workflow. One that an
    /// attempt ended before stays what its id names, so that whoever was told of it finds it.
    pub(super) fn tell(
        &self,
        workflow: Workflow,
        attempt: u16,
    ) -> Option<WorkflowExecutionMetadata> {
        let steps: Vec<&Shown> = self.of(workflow, attempt).collect();
        let count = |status: WorkflowStepExecutionStatus| {
            let count = steps.iter().filter(|step| step.status == status).count();
            i32::try_from(count).ok()
        };
        let status = status(steps.iter().map(|step| step.status))?;
        let is_over =
            !matches!(status, WorkflowExecutionStatus::Pending | WorkflowExecutionStatus::Running);
        let failed = steps.iter().find(|step| step.status == WorkflowStepExecutionStatus::Failed);
        let ended_at = steps.iter().filter_map(|step| step.ended_at).max();
        Some(WorkflowExecutionMetadata {
            workflow_build_version_arn: Some(self.workflow_arn(workflow)),
            workflow_execution_id: Some(id(self.image.run, Named::Workflow(workflow, attempt))),
            r#type: Some(match workflow {
                Workflow::Build => WorkflowType::Build,
                Workflow::Test => WorkflowType::Test,
                Workflow::Distribution => WorkflowType::Distribution,
            }),
            status: Some(status),
            message: failed.and_then(|step| message(&step.message)),
            total_step_count: i32::try_from(steps.len()).ok(),
            total_steps_succeeded: count(WorkflowStepExecutionStatus::Completed),
            total_steps_failed: count(WorkflowStepExecutionStatus::Failed),
            total_steps_skipped: count(WorkflowStepExecutionStatus::Skipped),
            start_time: steps.iter().filter_map(|step| step.started_at).min().map(date),
            end_time: ended_at.filter(|_| is_over).map(date),
            parallel_group: None,
            retried: self.was_retried(attempt).then_some(true),
        })
    }

    /// Returns a step as it stands.
    pub(super) fn tell_step(&self, step: &Shown) -> WorkflowStepMetadata {
        WorkflowStepMetadata {
            step_execution_id: Some(id(self.image.run, Named::Step(step.ordinal))),
            name: Some(name(&step.label)),
            description: Some(step.label.chars().take(MESSAGE).collect()),
            action: Some(step.action.clone()),
            status: Some(step.status),
            message: message(&step.message),
            start_time: step.started_at.map(date),
            end_time: step.ended_at.map(date),
            ..WorkflowStepMetadata::default()
        }
    }

    /// Returns the ARN of the managed workflow (reference §3.7) that a run carried out.
    pub(super) fn workflow_arn(&self, workflow: Workflow) -> String {
        let name = match workflow {
            Workflow::Build => "build-image",
            Workflow::Test => "test-image",
            Workflow::Distribution => "distribute-image",
        };
        let (region, kind) = (&self.image.region, workflow.as_str());
        format!("arn:aws:imagebuilder:{region}:aws:workflow/{kind}/{name}/1.0.0/1")
    }
}

/// Returns the steps of a run: as they are recorded, else as they are planned.
fn shown(image: &Image, recorded: &[Step]) -> Vec<Shown> {
    let planned: Vec<Planned> = Vec::deserialize(&image.plan).unwrap_or_default();
    let attempts = planned.last().map_or(1, |step| step.attempt);
    let unbegun = |attempt| match image.state {
        _ if attempt < attempts => WorkflowStepExecutionStatus::Skipped,
        ImageState::Cancelled => WorkflowStepExecutionStatus::Cancelled,
        state if state.is_in_progress() => WorkflowStepExecutionStatus::Pending,
        _ => WorkflowStepExecutionStatus::Skipped,
    };
    let attempt_of = |ordinal: u32| {
        let planned = (ordinal as usize).checked_sub(1).and_then(|place| planned.get(place));
        planned.map_or(1, |step| step.attempt)
    };
    let mut steps: Vec<Shown> = recorded
        .iter()
        .map(|step| Shown {
            ordinal: u16::try_from(step.ordinal).unwrap_or(u16::MAX),
            workflow: step.workflow,
            attempt: attempt_of(step.ordinal),
            action: step.action.clone(),
            label: step.label.clone(),
            status: step_status(step.state),
            message: step.message.clone(),
            started_at: Some(step.started_at),
            ended_at: step.ended_at,
        })
        .collect();
    for (ordinal, planned) in (1_u16..).zip(planned) {
        if steps.iter().any(|step| step.ordinal == ordinal) {
            continue;
        }
        let Ok(workflow) = planned.workflow.parse() else { continue };
        steps.push(Shown {
            ordinal,
            workflow,
            attempt: planned.attempt,
            action: planned.action,
            label: planned.label,
            status: unbegun(planned.attempt),
            message: String::new(),
            started_at: None,
            ended_at: None,
        });
    }
    steps.sort_by_key(|step| step.ordinal);
    steps
}

fn step_status(state: StepState) -> WorkflowStepExecutionStatus {
    match state {
        StepState::Running => WorkflowStepExecutionStatus::Running,
        StepState::Completed => WorkflowStepExecutionStatus::Completed,
        StepState::Failed => WorkflowStepExecutionStatus::Failed,
        StepState::Skipped => WorkflowStepExecutionStatus::Skipped,
        StepState::Cancelled => WorkflowStepExecutionStatus::Cancelled,
    }
}

/// Returns how a workflow stands whose steps stand so, or `None` if it has none.
fn status(
    steps: impl Iterator<Item = WorkflowStepExecutionStatus>,
) -> Option<WorkflowExecutionStatus> {
    use WorkflowExecutionStatus as Whole;
    use WorkflowStepExecutionStatus as Part;
    let steps: Vec<Part> = steps.collect();
    let has = |wanted: Part| steps.contains(&wanted);
    let whole = if steps.is_empty() {
        return None;
    } else if has(Part::Failed) {
        Whole::Failed
    } else if has(Part::Cancelled) {
        Whole::Cancelled
    } else if has(Part::Running) || has(Part::Pending) && has(Part::Completed) {
        Whole::Running
    } else if has(Part::Pending) {
        Whole::Pending
    } else if has(Part::Completed) {
        Whole::Completed
    } else {
        Whole::Skipped
    };
    Some(whole)
}

fn message(text: &str) -> Option<String> {
    some(text.chars().take(MESSAGE).collect())
}

/// Returns a label as the name of a step: letters, digits, `-` and `_`, a letter first.
fn name(label: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = label.chars().map(allowed).take(100).collect();
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if begins && name.len() > 1 { name } else { format!("step-{name}").chars().take(100).collect() }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
    use proptest::sample::select;

    use super::*;

    #[test]
    fn labels_become_names() {
        assert_eq!(name("build nginx"), "build-nginx");
        assert_eq!(name("distribute to local-1, local-2"), "distribute-to-local-1--local-2");
        assert_eq!(name("9"), "step-9");
        assert_eq!(name(&"x".repeat(300)).len(), 100);
    }

    proptest! {
        /// A workflow is over when each of its steps is, and fails when one does.
        #[test]
        fn workflows_stand_as_their_steps_do(
            steps in vec(select(WorkflowStepExecutionStatus::ALL.to_vec()), 1..6),
        ) {
            let status = status(steps.iter().copied()).unwrap();
            let has = |wanted: WorkflowStepExecutionStatus| steps.contains(&wanted);
            let failed = has(WorkflowStepExecutionStatus::Failed);
            prop_assert_eq!(status == WorkflowExecutionStatus::Failed, failed);
            if status == WorkflowExecutionStatus::Completed {
                prop_assert!(!has(WorkflowStepExecutionStatus::Pending));
                prop_assert!(!has(WorkflowStepExecutionStatus::Running));
            }
        }

        /// Whatever a label is, the model takes the name.
        #[test]
        fn names_fit_the_model(label in ".{0,120}") {
            let name = name(&label);
            prop_assert!((2..=100).contains(&name.len()), "{}", name);
            prop_assert!(name.starts_with(|c: char| c.is_ascii_alphabetic()));
        }
    }
}
