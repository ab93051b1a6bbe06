//! On which systems action modules work (reference §2.6).

use clap::ValueEnum;
use document::{Component, Problem, Problems};

/// A system that documents are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Platform {
    Linux,
    Macos,
    Windows,
}

impl Platform {
    /// Returns the steps of `component` whose module does not work there.
    pub(crate) fn problems(self, component: &Component) -> Problems {
        let mut problems = Problems::default();
        for step in component.phases.iter().flat_map(|phase| &phase.steps) {
            if !self.has(&step.module) {
                let message =
                    format!("step {}: {} does not work on {}", step.name, step.module, self.name());
                problems.push(Problem::error("wrong-platform", step.span, message));
            }
        }
        problems
    }

    fn has(self, module: &str) -> bool {
        let only: &[Self] = match module {
            "ExecutePowerShell" | "InstallMSI" | "UninstallMSI" | "SetRegistry" => &[Self::Windows],
            "ExecuteBash"
            | "CreateSymlink"
            | "SetFileOwner"
            | "SetFolderOwner"
            | "SetFilePermissions"
            | "SetFolderPermissions" => &[Self::Linux, Self::Macos],
            "UpdateOS" => &[Self::Linux, Self::Windows],
            _ => return true,
        };
        only.contains(&self)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Macos => "macOS",
            Self::Windows => "Windows",
        }
    }
}
