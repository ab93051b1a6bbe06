//! The systems that documents can be checked for.

use clap::ValueEnum;
use document::{Component, Problems};

/// A system that documents are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Platform {
    Linux,
    Macos,
    Windows,
}

impl Platform {
    /// Returns the steps and inputs of `component` that do not work there.
    pub(crate) fn problems(self, component: &Component) -> Problems {
        component.problems_on(match self {
            Self::Linux => document::Platform::Linux,
            Self::Macos => document::Platform::MacOs,
            Self::Windows => document::Platform::Windows,
        })
    }
}
