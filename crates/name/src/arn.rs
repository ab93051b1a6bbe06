//! ARNs of Image Builder's resources (reference §1.6).

use std::fmt;
use std::str::FromStr;

use crate::text::text_serde;
use crate::{Account, BuildVersion, ParsePlaceError, ParseVersionError, Region, VersionPattern};

/// The ARN of a resource, of one of its versions or of one of its builds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    partition: String,
    region: Region,
    owner: Owner,
    kind: Kind,
    name: String,
    level: Level,
}

/// Whose a resource is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// An account's own.
    Account(Account),
    /// Managed and shared with everyone: `aws`, `aws-marketplace`.
    Managed(String),
}

/// What an ARN names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are Image Builder's own words")]
pub enum Kind {
    Component,
    Image,
    ImageRecipe,
    ContainerRecipe,
    InfrastructureConfiguration,
    DistributionConfiguration,
    ImagePipeline,
    LifecyclePolicy,
    BuildWorkflow,
    TestWorkflow,
    DistributionWorkflow,
}

/// How exactly an ARN names a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The resource as such; all there is for kinds without versions.
    Name,
    /// A version, or the latest of some.
    Version(VersionPattern),
    /// One build of a version.
    Build(BuildVersion),
}

/// How deep the ARNs of a kind may go.
#[derive(PartialEq, PartialOrd)]
enum Depth {
    Name,
    Version,
    Build,
}

impl Arn {
    /// Returns the ARN `arn:aws:imagebuilder:…` of a resource.
    pub fn new(
        region: Region,
        owner: Owner,
        kind: Kind,
        name: &str,
        level: Level,
    ) -> Result<Self, ParseArnError> {
        let arn = Self {
            partition: "aws".to_owned(),
            region,
            owner,
            kind,
            name: crate::segment(name),
            level,
        };
        arn.checked()
    }

    /// Returns the region.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Returns whose the resource is.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Returns what the ARN names.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the name's segment.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how exactly the resource is named.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Returns the ARN of the same resource at another level.
    pub fn at(&self, level: Level) -> Result<Self, ParseArnError> {
        Self { level, ..self.clone() }.checked()
    }

    /// Returns the ARN of the same resource without a version.
    pub fn without_version(&self) -> Self {
        Self { level: Level::Name, ..self.clone() }
    }

    /// Returns the versions it stands for: without one, all there are.
    pub fn versions(&self) -> VersionPattern {
        match self.level {
            Level::Name => VersionPattern::Any,
            Level::Version(versions) => versions,
            Level::Build(build) => VersionPattern::Exact(build.version),
        }
    }

    /// Returns whether it stands for `exact`, an ARN without wildcards, among others maybe.
    pub fn covers(&self, exact: &Self) -> bool {
        if self.without_version() != exact.without_version() {
            return false;
        }
        match (self.level, exact.level) {
            (Level::Name, _) => true,
            (Level::Version(versions), Level::Version(VersionPattern::Exact(version))) => {
                versions.matches(version)
            }
            (Level::Version(versions), Level::Build(build)) => versions.matches(build.version),
            (Level::Build(build), Level::Build(other)) => build == other,
            (Level::Version(_), Level::Version(_) | Level::Name)
            | (Level::Build(_), Level::Version(_) | Level::Name) => false,
        }
    }

    fn checked(self) -> Result<Self, ParseArnError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        let depth = match self.level {
            Level::Name => Depth::Name,
            Level::Version(_) => Depth::Version,
            Level::Build(_) => Depth::Build,
        };
        let kind = if self.name.is_empty() || !self.name.chars().all(allowed) {
            ParseArnErrorKind::BadName
        } else if depth > self.kind.depth() {
            ParseArnErrorKind::TooDeep(self.kind)
        } else {
            return Ok(self);
        };
        Err(ParseArnError { arn: self.to_string(), kind })
    }
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::Component,
        Self::Image,
        Self::ImageRecipe,
        Self::ContainerRecipe,
        Self::InfrastructureConfiguration,
        Self::DistributionConfiguration,
        Self::ImagePipeline,
        Self::LifecyclePolicy,
        Self::BuildWorkflow,
        Self::TestWorkflow,
        Self::DistributionWorkflow,
    ];

    /// Returns the words between account and name, as in `component`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Image => "image",
            Self::ImageRecipe => "image-recipe",
            Self::ContainerRecipe => "container-recipe",
            Self::InfrastructureConfiguration => "infrastructure-configuration",
            Self::DistributionConfiguration => "distribution-configuration",
            Self::ImagePipeline => "image-pipeline",
            Self::LifecyclePolicy => "lifecycle-policy",
            Self::BuildWorkflow => "workflow/build",
            Self::TestWorkflow => "workflow/test",
            Self::DistributionWorkflow => "workflow/distribution",
        }
    }

    /// Returns whether resources of this kind have versions.
    pub fn has_versions(self) -> bool {
        self.depth() >= Depth::Version
    }

    /// Returns whether versions of this kind have builds.
    pub fn has_builds(self) -> bool {
        self.depth() >= Depth::Build
    }

    fn depth(self) -> Depth {
        match self {
            Self::Component
            | Self::Image
            | Self::BuildWorkflow
            | Self::TestWorkflow
            | Self::DistributionWorkflow => Depth::Build,
            Self::ImageRecipe | Self::ContainerRecipe => Depth::Version,
            Self::InfrastructureConfiguration
            | Self::DistributionConfiguration
            | Self::ImagePipeline
            | Self::LifecyclePolicy => Depth::Name,
        }
    }
}

/// A text is not the ARN of an Image Builder resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{arn}` is not the ARN of an Image Builder resource")]
pub struct ParseArnError {
    arn: String,
    #[source]
    kind: ParseArnErrorKind,
}

impl ParseArnError {
    /// Returns what is wrong with the text.
    pub fn kind(&self) -> &ParseArnErrorKind {
        &self.kind
    }
}

/// What is wrong with a text that should be an ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseArnErrorKind {
    /// It has not the parts of an ARN.
    #[error("expected `arn:aws:imagebuilder:<region>:<account>:<kind>/<name>…`")]
    BadForm,
    /// The region or the account is wrong.
    #[error("its place is wrong")]
    BadPlace(#[source] ParsePlaceError),
    /// There is no such kind of resource.
    #[error("Image Builder has no such kind of resource")]
    UnknownKind,
    /// The name's segment has other characters than it may.
    #[error("its name may hold lower-case letters, digits, `-` and `_` only")]
    BadName,
    /// The version is wrong.
    #[error("its version is wrong")]
    BadVersion(#[source] ParseVersionError),
    /// The kind has no versions, or no builds.
    #[error("an ARN of kind {} ends earlier", .0.as_str())]
    TooDeep(Kind),
}

impl FromStr for Arn {
    type Err = ParseArnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(|kind| ParseArnError { arn: text.to_owned(), kind })?.checked()
    }
}

fn parse(text: &str) -> Result<Arn, ParseArnErrorKind> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "imagebuilder", region, owner, resource] = parts[..] else {
        return Err(ParseArnErrorKind::BadForm);
    };
    if !partition.starts_with("aws") {
        return Err(ParseArnErrorKind::BadForm);
    }
    let owner = match owner {
        managed if managed == "aws" || managed.starts_with("aws-") => {
            Owner::Managed(managed.to_owned())
        }
        account => Owner::Account(account.parse().map_err(ParseArnErrorKind::BadPlace)?),
    };
    let mut kinds = Kind::ALL.into_iter();
    let (kind, rest) = kinds
        .find_map(|kind| Some((kind, resource.strip_prefix(kind.as_str())?.strip_prefix('/')?)))
        .ok_or(ParseArnErrorKind::UnknownKind)?;
    let (name, level) = match rest.split_once('/') {
        None => (rest, Level::Name),
        Some((name, version)) if version.contains('/') => {
            (name, Level::Build(version.parse().map_err(ParseArnErrorKind::BadVersion)?))
        }
        Some((name, version)) => {
            (name, Level::Version(version.parse().map_err(ParseArnErrorKind::BadVersion)?))
        }
    };
    let region = region.parse().map_err(ParseArnErrorKind::BadPlace)?;
    Ok(Arn { partition: partition.to_owned(), region, owner, kind, name: name.to_owned(), level })
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, region, owner, kind, name, level } = self;
        write!(f, "arn:{partition}:imagebuilder:{region}:{owner}:{}/{name}", kind.as_str())?;
        match level {
            Level::Name => Ok(()),
            Level::Version(version) => write!(f, "/{version}"),
            Level::Build(build) => write!(f, "/{build}"),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => f.write_str(account.as_str()),
            Self::Managed(owner) => f.write_str(owner),
        }
    }
}

text_serde!(Arn);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn arns_have_the_service_s_form() {
        for good in [
            "arn:aws:imagebuilder:eu-west-1:aws:component/update-linux/x.x.x",
            "arn:aws:imagebuilder:eu-west-1:123456789012:component/nginx/1.0.0/3",
            "arn:aws:imagebuilder:eu-west-1:aws-marketplace:image/hardened/1.x.x",
            "arn:aws-cn:imagebuilder:local-1:123456789012:image-recipe/web_server/1.0.0",
            "arn:aws:imagebuilder:local-1:123456789012:image-pipeline/monthly",
            "arn:aws:imagebuilder:local-1:aws:workflow/build/build-image/1.0.2/1",
        ] {
            assert_eq!(good.parse::<Arn>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "arn:aws:ec2:eu-west-1:aws:image/ami-0",
            "arn:aws:imagebuilder:eu-west-1:1234:component/a/x.x.x",
            "arn:aws:imagebuilder::aws:component/a/x.x.x",
            "arn:aws:imagebuilder:local-1:aws:gadget/a",
            "arn:aws:imagebuilder:local-1:aws:component/",
            "arn:aws:imagebuilder:local-1:aws:component/A B/1.0.0",
            "arn:aws:imagebuilder:local-1:aws:component/a/x.2.x",
            "arn:aws:imagebuilder:local-1:aws:component/a/x.x.x/1",
            "arn:aws:imagebuilder:local-1:aws:component/a/1.0.0/1/2",
            "arn:aws:imagebuilder:local-1:123456789012:image-recipe/a/1.0.0/1",
            "arn:aws:imagebuilder:local-1:123456789012:image-pipeline/a/1.0.0",
        ] {
            assert!(bad.parse::<Arn>().is_err(), "{bad}");
        }
    }

    #[test]
    fn levels_change_within_what_the_kind_has() {
        let owner = Owner::Managed("aws".to_owned());
        let region: Region = "local-1".parse().unwrap();
        let arn = Arn::new(region, owner, Kind::ImageRecipe, "Web Server", Level::Name).unwrap();
        assert_eq!(arn.name(), "web-server");
        assert!(arn.at(Level::Version(VersionPattern::Any)).is_ok());
        assert!(arn.at(Level::Build("1.0.0/1".parse().unwrap())).is_err());
    }

    #[test]
    fn arns_cover_what_they_may_resolve_to() {
        let arn = |rest: &str| {
            format!("arn:aws:imagebuilder:local-1:aws:component/{rest}").parse::<Arn>().unwrap()
        };
        let exact = arn("a/1.2.3/4");
        for covering in ["a", "a/x.x.x", "a/1.x.x", "a/1.2.x", "a/1.2.3", "a/1.2.3/4"] {
            assert!(arn(covering).covers(&exact), "{covering}");
        }
        for other in ["b", "a/2.x.x", "a/1.3.x", "a/1.2.4", "a/1.2.3/5"] {
            assert!(!arn(other).covers(&exact), "{other}");
        }
        assert!(!exact.covers(&arn("a/1.2.3")));
    }

    proptest! {
        #[test]
        fn arns_round_trip(
            region in "[a-z][a-z0-9-]{0,8}",
            account in "[0-9]{12}|aws|aws-[a-z]{1,8}",
            kind in proptest::sample::select(&Kind::ALL[..]),
            name in "[a-z0-9_-]{1,20}",
            version in "|/[0-9]{1,4}\\.[0-9]{1,4}\\.[0-9]{1,4}(/[0-9]{1,4})?|/[0-9]\\.x\\.x",
        ) {
            let text =
                format!("arn:aws:imagebuilder:{region}:{account}:{}/{name}{version}", kind.as_str());
            if let Ok(arn) = text.parse::<Arn>() {
                prop_assert_eq!(arn.kind(), kind);
                prop_assert_eq!(arn.to_string().parse::<Arn>(), Ok(arn));
            } else {
                prop_assert!(!version.is_empty());
            }
        }

        #[test]
        fn noise_never_panics(noise in "\\PC{0,40}|arn:aws:imagebuilder:[a-z:/x.0-9]{0,40}") {
            let _ = noise.parse::<Arn>();
        }
    }
}
