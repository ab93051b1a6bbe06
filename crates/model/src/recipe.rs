//! Recipes: what an image is made of.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use name::Version;

use crate::{Components, ParentImage, Tags, Template};

/// An image recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Its name, which also names its images.
    pub name: Name,
    /// Its version, which its images have too.
    pub version: Version,
    /// What it is for.
    pub description: Option<String>,
    /// What it starts from.
    pub parent: ParentImage,
    /// What is applied to the parent.
    pub components: Components,
    /// The volumes of build instances and images.
    pub block_devices: Vec<BlockDevice>,
    /// Where components work, a path inside the instance.
    pub working_directory: String,
    /// Tags of the recipe itself.
    pub tags: Tags,
    /// Tags of the AMIs made from it, by name.
    pub ami_tags: BTreeMap<String, Template>,
}

/// A volume of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockDevice {
    /// The name instances give it, as in `/dev/sda1`.
    pub name: Option<String>,
    /// Its size in GiB; the smallest that fits when absent.
    pub gib: Option<u32>,
}

/// The name of a resource: 3 to 128 letters, digits, spaces, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// A text is no resource's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a resource's name: expected 3 to 128 letters, digits, `-`, `_` and spaces between"
)]
pub struct ParseNameError(String);

impl Name {
    /// Returns the name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name as ARNs have it.
    pub fn segment(&self) -> String {
        name::segment(&self.0)
    }
}

impl FromStr for Name {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_ ".contains(c);
        let fine =
            (3..=128).contains(&text.len()) && text.chars().all(allowed) && text.trim() == text;
        if fine { Ok(Self(text.to_owned())) } else { Err(ParseNameError(text.to_owned())) }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        assert_eq!("Web Server_1".parse::<Name>().unwrap().segment(), "web-server-1");
        for bad in ["", "ab", " web", "web ", "web/1", "wéb", &"a".repeat(129)] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }
}
