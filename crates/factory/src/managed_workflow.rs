//! The workflows that Goldsmith ships: what every build does, as documents in the binary.

use document::WorkflowStage;
use name::Version;

/// A managed workflow.
#[derive(Debug, Clone, Copy)]
pub struct ManagedWorkflow {
    /// Its name, as in ARNs.
    pub name: &'static str,
    /// Its version's nodes.
    version: &'static str,
    /// What it is for.
    pub stage: WorkflowStage,
    /// The document.
    pub text: &'static str,
}

impl ManagedWorkflow {
    /// Returns its version.
    pub fn version(&self) -> Version {
        self.version.parse().expect("shipped versions are three numbers, as a test shows")
    }
}

macro_rules! shipped {
    ($($stage:ident $name:literal $version:literal),* $(,)?) => {
        &[$(ManagedWorkflow {
            name: $name,
            version: $version,
            stage: WorkflowStage::$stage,
            text: include_str!(concat!("../../../workflows/", $name, "/", $version, ".yaml")),
        }),*]
    };
}

const SHIPPED: &[ManagedWorkflow] = shipped![
    Build "build-image" "1.0.0",
    Test "test-image" "1.0.0",
    Distribution "distribute-image" "1.0.0",
];

/// Returns every managed workflow, in the order in which they run.
pub fn managed_workflows() -> &'static [ManagedWorkflow] {
    SHIPPED
}

#[cfg(test)]
mod tests {
    use document::Workflow;
    use plan::Action;

    use super::*;

    #[test]
    fn every_shipped_workflow_is_valid() {
        for managed in SHIPPED {
            assert!(managed.version().nodes() >= [1, 0, 0]);
            let parsed = Workflow::parse(managed.text, managed.stage).unwrap_or_else(|problems| {
                panic!("{}", problems.render(managed.name, managed.text))
            });
            assert!(parsed.warnings.is_empty(), "{}", managed.name);
        }
    }

    #[test]
    fn shipped_workflows_are_what_runs_do() {
        let told = SHIPPED
            .iter()
            .flat_map(|managed| Workflow::parse(managed.text, managed.stage).unwrap().value.steps);
        let told: Vec<_> = told.map(|step| step.action).collect();
        let done = [
            Action::BuildComponent(0),
            Action::CreateImage,
            Action::LaunchTest,
            Action::TestComponent(0),
            Action::VerifyImage,
            Action::Distribute,
        ];
        // A run has no instance of its own to build on: it prepares a base.
        assert_eq!(told[0], "LaunchInstance");
        assert_eq!(told[1..], done.map(|action| action.as_str().to_owned()));
    }
}
