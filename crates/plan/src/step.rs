//! The steps of a run.

use name::Region;

/// What a plan is made from.
#[derive(Debug, Clone)]
pub struct Outline {
    /// What people call the base.
    pub base: String,
    /// The recipe's components, in order.
    pub components: Vec<Component>,
    /// Whether the image is tested.
    pub tests: bool,
    /// Where it is published, in order.
    pub regions: Vec<Region>,
}

/// A component as far as a plan needs it.
#[derive(Debug, Clone)]
pub struct Component {
    /// What people call it.
    pub name: String,
    /// Whether it has a `build` or `validate` phase.
    pub builds: bool,
    /// Whether it has a `test` phase.
    pub tests: bool,
}

/// The steps of a run, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The workflow it belongs to.
    pub workflow: Workflow,
    /// What it does.
    pub action: Action,
    /// What people see; equal in every run of the same recipe.
    pub label: String,
}

/// The default workflows of Image Builder (reference §3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workflow {
    /// Makes the image.
    Build,
    /// Boots and tests it.
    Test,
    /// Publishes it.
    Distribution,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Gets the base at hand.
    PrepareBase,
    /// Runs the build and validate phases of a component, by its place in the recipe.
    BuildComponent(usize),
    /// Makes a disk of what the components left.
    CreateImage,
    /// Boots a machine from a copy-on-write overlay of the disk.
    LaunchTest,
    /// Runs the test phase of a component, by its place in the recipe.
    TestComponent(usize),
    /// Shuts the machine down and checks that the disk is unchanged.
    VerifyImage,
    /// Copies the disk to every region and registers the AMIs of all at once.
    Distribute,
}

impl Plan {
    /// Returns the steps for `outline`.
    pub fn new(outline: &Outline) -> Self {
        let mut steps = Vec::new();
        let mut push = |workflow, action, label: String| {
            steps.push(Step { workflow, action, label });
        };
        push(Workflow::Build, Action::PrepareBase, format!("base {}", outline.base));
        for (n, component) in outline.components.iter().enumerate().filter(|(_, c)| c.builds) {
            let label = format!("build {}", component.name);
            push(Workflow::Build, Action::BuildComponent(n), label);
        }
        push(Workflow::Build, Action::CreateImage, "create image".to_owned());
        if outline.tests {
            push(Workflow::Test, Action::LaunchTest, "boot".to_owned());
            for (n, component) in outline.components.iter().enumerate().filter(|(_, c)| c.tests) {
                let label = format!("test {}", component.name);
                push(Workflow::Test, Action::TestComponent(n), label);
            }
            push(Workflow::Test, Action::VerifyImage, "verify image".to_owned());
        }
        let regions = outline.regions.iter().map(Region::as_str).collect::<Vec<_>>().join(", ");
        push(Workflow::Distribution, Action::Distribute, format!("distribute to {regions}"));
        Self { steps }
    }

    /// Returns the steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl Workflow {
    /// Returns the API's word for it, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Test => "test",
            Self::Distribution => "distribution",
        }
    }
}

impl Action {
    /// Returns the step action's name, as workflow documents spell it where
    /// they have one (reference §3.5).
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::PrepareBase => "PrepareBase",
            Self::BuildComponent(_) | Self::TestComponent(_) => "ExecuteComponents",
            Self::CreateImage => "CreateImage",
            Self::LaunchTest => "LaunchInstance",
            Self::VerifyImage => "TerminateInstance",
            Self::Distribute => "DistributeImage",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(tests: bool) -> Vec<String> {
        let component =
            |name: &str, builds, tests| Component { name: name.to_owned(), builds, tests };
        let outline = Outline {
            base: "debian-server-12".to_owned(),
            components: vec![component("nginx", true, true), component("boot", false, true)],
            tests,
            regions: ["local-1", "local-2"].map(|r| r.parse().expect("is a region")).to_vec(),
        };
        Plan::new(&outline).steps.into_iter().map(|step| step.label).collect()
    }

    #[test]
    fn a_tested_image_is_published_last() {
        assert_eq!(
            labels(true),
            [
                "base debian-server-12",
                "build nginx",
                "create image",
                "boot",
                "test nginx",
                "test boot",
                "verify image",
                "distribute to local-1, local-2",
            ]
        );
    }

    #[test]
    fn tests_can_be_left_out() {
        assert_eq!(labels(false)[2..4], ["create image", "distribute to local-1, local-2"]);
    }
}
