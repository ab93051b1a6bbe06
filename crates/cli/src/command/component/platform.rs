//! How systems that documents are written for are called on the command line.

use clap::ValueEnum;

/// A system that documents are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Platform {
    Linux,
    Macos,
    Windows,
}

impl From<Platform> for document::Platform {
    fn from(platform: Platform) -> Self {
        match platform {
            Platform::Linux => Self::Linux,
            Platform::Macos => Self::MacOs,
            Platform::Windows => Self::Windows,
        }
    }
}
