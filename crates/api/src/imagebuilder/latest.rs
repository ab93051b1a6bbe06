//! ARNs that stand for the latest of some versions (reference §1.3, §1.6).

use name::{Arn, Level, VersionPattern};
use store::resource::Grain;
use wire::imagebuilder::LatestVersionReferences;

/// Returns the ARNs that stand for the latest versions around that of `arn`.
pub(crate) fn latest(arn: &Arn) -> Option<LatestVersionReferences> {
    let VersionPattern::Exact(version) = arn.versions() else { return None };
    let [major, minor, _] = version.nodes();
    let at = |versions| arn.at(Level::Version(versions)).ok().map(|arn| arn.to_string());
    Some(LatestVersionReferences {
        latest_version_arn: at(VersionPattern::Any),
        latest_major_version_arn: at(VersionPattern::Major(major)),
        latest_minor_version_arn: at(VersionPattern::Minor(major, minor)),
        latest_patch_version_arn: at(VersionPattern::Exact(version)),
    })
}

/// Returns the version in `arn`, as texts have it.
pub(crate) fn version(arn: &Arn) -> String {
    arn.versions().to_string()
}

/// Returns `arn` without its build.
pub(crate) fn version_arn(arn: &Arn) -> Arn {
    arn.at(Level::Version(arn.versions())).unwrap_or_else(|_| arn.clone())
}

/// Returns the ARN of an entry of a list: of `arn`'s version, or by name of all versions.
pub(crate) fn listed_arn(arn: &Arn, grain: Grain) -> Arn {
    match grain {
        Grain::Names => arn.at(Level::Version(VersionPattern::Any)).unwrap_or_else(|_| arn.clone()),
        Grain::Versions | Grain::Builds => version_arn(arn),
    }
}

#[cfg(test)]
mod tests {
    use name::Arn;
    use store::resource::Grain;

    use super::{latest, listed_arn, version, version_arn};

    #[test]
    fn references_widen_from_the_patch_to_the_name() {
        let arn: Arn =
            "arn:aws:imagebuilder:local-1:123456789012:component/web/1.2.3/4".parse().unwrap();
        let latest = latest(&arn).unwrap();
        let name = "arn:aws:imagebuilder:local-1:123456789012:component/web";
        assert_eq!(latest.latest_version_arn, Some(format!("{name}/x.x.x")));
        assert_eq!(latest.latest_major_version_arn, Some(format!("{name}/1.x.x")));
        assert_eq!(latest.latest_minor_version_arn, Some(format!("{name}/1.2.x")));
        assert_eq!(latest.latest_patch_version_arn, Some(format!("{name}/1.2.3")));
        assert_eq!(version(&arn), "1.2.3");
        assert_eq!(version_arn(&arn).to_string(), format!("{name}/1.2.3"));
        assert_eq!(listed_arn(&arn, Grain::Versions).to_string(), format!("{name}/1.2.3"));
        assert_eq!(listed_arn(&arn, Grain::Names).to_string(), format!("{name}/x.x.x"));
    }
}
