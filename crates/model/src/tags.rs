//! Tags: names and values that users give resources (reference §1.9).

use std::collections::BTreeMap;

/// The most tags a resource may have.
const TAG_LIMIT: usize = 50;

/// The tags of a resource, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<String, String>);

/// A set of tags breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagsError {
    /// There are too many.
    #[error("{0} tags; at most {TAG_LIMIT} are allowed")]
    TooMany(usize),
    /// A name has the wrong length or characters.
    #[error(
        "`{0}` is not a tag name: expected 1 to 128 letters, digits, spaces or _.:/=+-@, \
         not beginning with `aws:`"
    )]
    BadName(String),
    /// A value is too long.
    #[error("the value of tag `{0}` has more than 256 characters")]
    LongValue(String),
}

impl Tags {
    /// Returns the tags; fails on the first one that breaks a rule.
    pub fn new(tags: BTreeMap<String, String>) -> Result<Self, TagsError> {
        if tags.len() > TAG_LIMIT {
            return Err(TagsError::TooMany(tags.len()));
        }
        for (name, value) in &tags {
            Self::check_name(name)?;
            if value.chars().count() > 256 {
                return Err(TagsError::LongValue(name.clone()));
            }
        }
        Ok(Self(tags))
    }

    /// Returns the value of the tag `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Fails if `name` breaks the rules for tag names.
    pub fn check_name(name: &str) -> Result<(), TagsError> {
        let allowed =
            |c: char| c.is_ascii_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
        let fine = (1..=128).contains(&name.chars().count())
            && !name.starts_with("aws:")
            && name.chars().all(allowed);
        if fine { Ok(()) } else { Err(TagsError::BadName(name.to_owned())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Result<Tags, TagsError> {
        Tags::new(pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect())
    }

    #[test]
    fn tags_keep_the_rules() {
        let good = tags(&[("Name", "web"), ("team/owner", "")]).unwrap();
        assert_eq!(good.get("Name"), Some("web"));
        assert_eq!(good.iter().count(), 2);
        assert_eq!(tags(&[("aws:x", "")]), Err(TagsError::BadName("aws:x".to_owned())));
        assert_eq!(tags(&[("", "")]), Err(TagsError::BadName(String::new())));
        assert_eq!(tags(&[("a", &"x".repeat(257))]), Err(TagsError::LongValue("a".to_owned())));
        let many = (0..51).map(|n| (n.to_string(), String::new())).collect();
        assert_eq!(Tags::new(many), Err(TagsError::TooMany(51)));
    }
}
