//! What a change makes of tags, those of resources and of images alike.

use std::collections::BTreeMap;

use model::{Tags, TagsError};

/// A change of somebody's tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagChange {
    /// Adds tags, in place of those of the same names.
    Set(BTreeMap<String, String>),
    /// Removes the tags of these names, where they are there.
    Remove(Vec<String>),
}

impl TagChange {
    /// Returns what the change makes of `tags`; fails if that breaks a rule.
    pub(crate) fn apply(self, mut tags: BTreeMap<String, String>) -> Result<Tags, TagsError> {
        match self {
            Self::Set(more) => tags.extend(more),
            Self::Remove(names) => tags.retain(|name, _| !names.contains(name)),
        }
        Tags::new(tags)
    }
}

/// Returns tags as columns hold them.
pub(crate) fn column(tags: &Tags) -> String {
    serde_json::json!(tags.iter().collect::<BTreeMap<_, _>>()).to_string()
}
