//! Where the packages of bases come from.

/// An archive of packages that takes the place of Debian's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// The address of releases and their updates.
    pub archive: String,
    /// The address of security fixes; bases have none without it.
    pub security: Option<String>,
}
