//! How an image is tested before it is published.

/// An image tests configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tests {
    /// Whether the test stage runs.
    pub enabled: bool,
    /// How long the test stage may take, in minutes.
    pub timeout_minutes: u32,
}

impl Default for Tests {
    fn default() -> Self {
        Self { enabled: true, timeout_minutes: 720 }
    }
}
