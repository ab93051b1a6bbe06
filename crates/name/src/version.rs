//! Semantic versions of recipes, components and images, and patterns for them.
//!
//! The rules are Image Builder's (reference §1.6), not semver.org's: three
//! numbers and nothing else.

use std::fmt;
use std::str::FromStr;

use crate::text::text_serde;

/// The greatest number a node of a version may be.
const NODE_LIMIT: u32 = (1 << 30) - 1;

/// A version such as `1.0.3`, ordered node by node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    /// Returns the version with these nodes, or `None` if one is too great.
    pub fn of(nodes: [u32; 3]) -> Option<Self> {
        let [major, minor, patch] = nodes;
        nodes.iter().all(|node| *node <= NODE_LIMIT).then_some(Self { major, minor, patch })
    }

    /// Returns the three nodes, left to right.
    pub fn nodes(self) -> [u32; 3] {
        [self.major, self.minor, self.patch]
    }
}

/// One build of a version, such as `1.0.3/2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildVersion {
    /// The version that was built.
    pub version: Version,
    /// The number of the build, counted from 1 for each version.
    pub build: u32,
}

/// A set of versions, such as `1.x.x`.
///
/// Once a node is `x`, all to its right are: other sets cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VersionPattern {
    /// `x.x.x`: every version.
    Any,
    /// `1.x.x`: every version of a major one.
    Major(u32),
    /// `1.2.x`: every version of a minor one.
    Minor(u32, u32),
    /// `1.2.3`: this version.
    Exact(Version),
}

impl VersionPattern {
    /// Returns whether `version` belongs to the set.
    pub fn matches(self, version: Version) -> bool {
        match self {
            Self::Any => true,
            Self::Major(major) => version.major == major,
            Self::Minor(major, minor) => (version.major, version.minor) == (major, minor),
            Self::Exact(exact) => version == exact,
        }
    }

    /// Returns the least and the greatest version there could be in the set.
    pub fn bounds(self) -> (Version, Version) {
        let (low, high) = match self {
            Self::Any => ([0; 3], [NODE_LIMIT; 3]),
            Self::Major(major) => ([major, 0, 0], [major, NODE_LIMIT, NODE_LIMIT]),
            Self::Minor(major, minor) => ([major, minor, 0], [major, minor, NODE_LIMIT]),
            Self::Exact(version) => return (version, version),
        };
        let version = |[major, minor, patch]: [u32; 3]| Version { major, minor, patch };
        (version(low), version(high))
    }

    /// Returns the versions that belong to both sets, if there are any: of two patterns that share
    /// one, one holds all of the other.
    pub fn common(self, other: Self) -> Option<Self> {
        let holds = |outer: Self, inner: Self| {
            let (least, greatest) = inner.bounds();
            outer.matches(least) && outer.matches(greatest)
        };
        if holds(self, other) { Some(other) } else { holds(other, self).then_some(self) }
    }
}

/// A version still to be numbered, such as `1.0.x`: exactly one node is open.
///
/// The number it gets is the next one after those of the versions that agree
/// to the left of it (reference §1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Increment {
    /// Which node is open, from the left; it is 0 in `version`.
    open: usize,
    version: Version,
}

impl Increment {
    /// Returns the versions whose greatest decides.
    pub fn series(self) -> VersionPattern {
        let Version { major, minor, .. } = self.version;
        match self.open {
            0 => VersionPattern::Any,
            1 => VersionPattern::Major(major),
            _ => VersionPattern::Minor(major, minor),
        }
    }

    /// Returns the version that follows `last`, the greatest of the series, if there is one.
    ///
    /// Series begin with 0, major versions with 1. `None` if numbers ran out.
    pub fn after(self, last: Option<Version>) -> Option<Version> {
        let first = u32::from(self.open == 0);
        let number = last.map_or(first, |last| last.nodes()[self.open] + 1);
        let mut nodes = self.version.nodes();
        nodes[self.open] = number;
        Version::of(nodes)
    }
}

/// A text is not a version, or not a pattern of versions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseVersionError {
    /// It has not the form of a version.
    #[error("`{0}` is not a version: expected three numbers, as in `1.0.0`")]
    NotAVersion(String),
    /// It has not the form of a pattern.
    #[error("`{0}` is not a version or pattern: expected three numbers or `x`, as in `1.x.x`")]
    NotAPattern(String),
    /// It has not the form of a version to be numbered.
    #[error("`{0}` is no version to be numbered: expected exactly one `x`, as in `1.0.x`")]
    NotAnIncrement(String),
    /// It has not the form of a version with a build number.
    #[error("`{0}` is not a build version: expected a version and a number, as in `1.0.0/1`")]
    NotABuild(String),
    /// A number stands to the right of an `x`.
    #[error("`{0}` has a number to the right of `x`: after the first `x` all nodes must be `x`")]
    NumberAfterWildcard(String),
    /// A node is too large.
    #[error("`{0}` has a number greater than {NODE_LIMIT}")]
    TooLarge(String),
}

/// A node of a text that may be a pattern.
enum Node {
    Wildcard,
    Number(u32),
}

fn nodes(text: &str) -> Option<Result<[Node; 3], ParseVersionError>> {
    let mut nodes = Vec::with_capacity(3);
    for part in text.split('.') {
        if part == "x" {
            nodes.push(Node::Wildcard);
        } else if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            match part.parse() {
                Ok(number) if number <= NODE_LIMIT => nodes.push(Node::Number(number)),
                Ok(_) | Err(_) => return Some(Err(ParseVersionError::TooLarge(text.to_owned()))),
            }
        } else {
            return None;
        }
    }
    nodes.try_into().ok().map(Ok)
}

impl FromStr for Version {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match nodes(text).transpose()? {
            Some([Node::Number(major), Node::Number(minor), Node::Number(patch)]) => {
                Ok(Self { major, minor, patch })
            }
            Some(_) | None => Err(ParseVersionError::NotAVersion(text.to_owned())),
        }
    }
}

impl FromStr for VersionPattern {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use Node::{Number, Wildcard};
        let Some(nodes) = nodes(text).transpose()? else {
            return Err(ParseVersionError::NotAPattern(text.to_owned()));
        };
        match nodes {
            [Wildcard, Wildcard, Wildcard] => Ok(Self::Any),
            [Number(major), Wildcard, Wildcard] => Ok(Self::Major(major)),
            [Number(major), Number(minor), Wildcard] => Ok(Self::Minor(major, minor)),
            [Number(major), Number(minor), Number(patch)] => {
                Ok(Self::Exact(Version { major, minor, patch }))
            }
            [Wildcard, _, _] | [_, Wildcard, _] => {
                Err(ParseVersionError::NumberAfterWildcard(text.to_owned()))
            }
        }
    }
}

impl FromStr for Increment {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use Node::{Number, Wildcard};
        let (open, nodes) = match nodes(text).transpose()? {
            Some([Wildcard, Number(minor), Number(patch)]) => (0, [0, minor, patch]),
            Some([Number(major), Wildcard, Number(patch)]) => (1, [major, 0, patch]),
            Some([Number(major), Number(minor), Wildcard]) => (2, [major, minor, 0]),
            Some(_) | None => return Err(ParseVersionError::NotAnIncrement(text.to_owned())),
        };
        let [major, minor, patch] = nodes;
        Ok(Self { open, version: Version { major, minor, patch } })
    }
}

impl FromStr for BuildVersion {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || ParseVersionError::NotABuild(text.to_owned());
        let (version, build) = text.split_once('/').ok_or_else(refuse)?;
        if !build.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refuse());
        }
        Ok(Self { version: version.parse()?, build: build.parse().map_err(|_| refuse())? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { major, minor, patch } = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

impl fmt::Display for VersionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("x.x.x"),
            Self::Major(major) => write!(f, "{major}.x.x"),
            Self::Minor(major, minor) => write!(f, "{major}.{minor}.x"),
            Self::Exact(version) => version.fmt(f),
        }
    }
}

impl fmt::Display for BuildVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.version, self.build)
    }
}

text_serde!(Version, VersionPattern, BuildVersion);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_three_numbers() {
        assert_eq!("1.10.3".parse::<Version>().map(Version::nodes), Ok([1, 10, 3]));
        for bad in
            ["", "1", "1.0", "1.0.0.0", "1.0.x", "v1.0.0", "1.0.-1", "1.0.+1", "1..0", " 1.0.0"]
        {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
        assert!("1073741823.0.0".parse::<Version>().is_ok());
        let too_large = ParseVersionError::TooLarge("1073741824.0.0".to_owned());
        assert_eq!("1073741824.0.0".parse::<Version>(), Err(too_large));
        assert!("99999999999999999999.0.0".parse::<Version>().is_err());
    }

    #[test]
    fn wildcards_reach_to_the_right_end() {
        for good in ["x.x.x", "1.x.x", "1.2.x", "1.2.3"] {
            assert_eq!(good.parse::<VersionPattern>().unwrap().to_string(), good);
        }
        for bad in ["x.2.x", "1.x.8", "x.x.8"] {
            let error = ParseVersionError::NumberAfterWildcard(bad.to_owned());
            assert_eq!(bad.parse::<VersionPattern>(), Err(error));
        }
        assert!("X.X.X".parse::<VersionPattern>().is_err());
    }

    #[test]
    fn versions_are_in_order_by_number_not_by_letter() {
        let versions = ["1.2.9", "1.10.0", "2.0.0"].map(|text| text.parse::<Version>().unwrap());
        let matching = |pattern: &str| {
            let pattern: VersionPattern = pattern.parse().unwrap();
            versions.iter().filter(|version| pattern.matches(**version)).count()
        };
        assert!(versions.is_sorted());
        assert_eq!(["x.x.x", "1.x.x", "1.2.x", "3.x.x"].map(matching), [3, 2, 1, 0]);
    }

    #[test]
    fn open_nodes_get_the_next_number_of_their_series() {
        let check = |text: &str, versions: &[&str], expected: &str| {
            let open: Increment = text.parse().unwrap();
            let versions = versions.iter().map(|version| version.parse::<Version>().unwrap());
            let last = versions.filter(|version| open.series().matches(*version)).max();
            let next = open.after(last);
            assert_eq!(next.map(|next| next.to_string()).as_deref(), Some(expected), "{text}");
        };
        check("1.0.x", &[], "1.0.0");
        check("1.x.0", &[], "1.0.0");
        check("x.0.0", &[], "1.0.0");
        check("1.0.x", &["1.0.9", "1.0.10", "1.1.30"], "1.0.11");
        check("1.x.7", &["1.2.9", "2.3.0"], "1.3.7");
        check("x.0.0", &["0.4.0", "2.3.0"], "3.0.0");
        for bad in ["1.0.0", "x.x.x", "1.x.x", "x.1", "1.0.y"] {
            assert!(bad.parse::<Increment>().is_err(), "{bad}");
        }
        let last: Increment = "1.0.x".parse().unwrap();
        assert_eq!(last.after("1.0.1073741823".parse().ok()), None);
    }

    #[test]
    fn bounds_hold_what_matches_and_nothing_else() {
        let versions = ["0.0.0", "1.0.0", "1.2.0", "1.2.3", "1.3.0", "2.0.0"];
        for pattern in ["x.x.x", "1.x.x", "1.2.x", "1.2.3"] {
            let pattern: VersionPattern = pattern.parse().unwrap();
            let (low, high) = pattern.bounds();
            for version in versions {
                let version: Version = version.parse().unwrap();
                assert_eq!(pattern.matches(version), low <= version && version <= high);
            }
        }
    }

    #[test]
    fn patterns_share_what_both_match() {
        let patterns = ["x.x.x", "1.x.x", "2.x.x", "1.2.x", "1.3.x", "1.2.3", "1.2.4"]
            .map(|text| text.parse::<VersionPattern>().unwrap());
        let versions = ["1.0.0", "1.2.0", "1.2.3", "1.2.4", "1.3.0", "2.0.0", "3.0.0"]
            .map(|text| text.parse::<Version>().unwrap());
        for (a, b) in patterns.iter().flat_map(|a| patterns.iter().map(move |b| (*a, *b))) {
            for version in versions {
                let is_in_both = a.matches(version) && b.matches(version);
                let common = a.common(b);
                assert_eq!(common.is_some_and(|common| common.matches(version)), is_in_both);
            }
        }
    }

    #[test]
    fn build_versions_round_trip() {
        assert_eq!("1.0.0/12".parse::<BuildVersion>().unwrap().to_string(), "1.0.0/12");
        for bad in ["1.0.0", "1.0.0/", "1.0.0/+1", "x.x.x/1", "1.0.0/1/2"] {
            assert!(bad.parse::<BuildVersion>().is_err(), "{bad}");
        }
    }
}
