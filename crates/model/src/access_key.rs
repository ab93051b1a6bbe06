//! Access keys: whether they open anything.

/// Whether requests may be signed with a key (IAM, UpdateAccessKey).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStatus {
    /// They may.
    Active,
    /// They are refused, as if there were no such key.
    Inactive,
}

impl KeyStatus {
    /// Every status.
    pub const ALL: [Self; 2] = [Self::Active, Self::Inactive];

    /// Returns IAM's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
        }
    }
}
