//! What image and container recipes have in common: versions, components, volumes, folders, repositories.

mod block_device;
mod component;
mod parent;

use name::{Arn, Increment, Owner, ParseVersionError, Version};
use store::resource::Numbering;
use wire::imagebuilder::{Error, ErrorKind, Platform, TargetContainerRepository};

use super::error::invalid;

pub(super) use block_device::check_devices;
pub(super) use parent::Parent;

/// Returns how the version in `semanticVersion` is found: as given, or at its one `x` the next.
pub(super) fn numbering(text: &str) -> Result<Numbering, Error> {
    let parsed = if text.contains('x') {
        text.parse::<Increment>().map(Numbering::Next)
    } else {
        text.parse::<Version>().map(Numbering::Version)
    };
    parsed.map_err(|error: ParseVersionError| {
        let message =
            format!("The value supplied for parameter 'semanticVersion' is not valid. {error}");
        Error::new(ErrorKind::InvalidVersionNumber, message)
    })
}

/// Fails unless the folder in `workingDirectory` is a place in the image, wherever links lead.
pub(super) fn check_folder(folder: Option<&str>) -> Result<(), Error> {
    match folder {
        Some(folder) if !folder.starts_with('/') || folder.split('/').any(|part| part == "..") => {
            Err(invalid("workingDirectory", "It must be an absolute path without '..'."))
        }
        Some(_) | None => Ok(()),
    }
}

/// Fails unless `parameter` names a repository as ECR does.
pub(super) fn repository(
    parameter: &str,
    repository: &TargetContainerRepository,
) -> Result<(), Error> {
    let name = &repository.repository_name;
    let parts_are_fine = name.split('/').all(|part| {
        let edges = [part.chars().next(), part.chars().next_back()];
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        edges.into_iter().all(|edge| edge.is_some_and(plain))
            && part.chars().all(|c| plain(c) || "._-".contains(c))
    });
    if parts_are_fine && (2..=256).contains(&name.len()) {
        return Ok(());
    }
    let rule = "It must be 2 to 256 lower-case letters, digits, '.', '_', '-' and '/'.";
    Err(invalid(&format!("{parameter}.repositoryName"), rule))
}

/// Returns those of `arns` that belong to an account: managed resources never go.
pub(super) fn of_accounts(arns: impl IntoIterator<Item = Arn>) -> Vec<Arn> {
    arns.into_iter().filter(|arn| matches!(arn.owner(), Owner::Account(_))).collect()
}

/// Returns the platform that is recorded, Linux if nothing is said.
pub(super) fn platform(recorded: Option<&str>) -> Platform {
    recorded.and_then(Platform::parse).unwrap_or(Platform::Linux)
}

#[cfg(test)]
mod tests {
    use store::resource::Numbering;
    use wire::imagebuilder::{ContainerRepositoryService, TargetContainerRepository};

    use super::{numbering, repository};

    #[test]
    fn one_node_may_be_open() {
        assert!(matches!(numbering("1.2.3"), Ok(Numbering::Version(_))));
        for open in ["1.0.x", "1.x.0", "x.0.0"] {
            assert!(matches!(numbering(open), Ok(Numbering::Next(_))), "{open}");
        }
        for bad in ["x.x.0", "1.x.x", "1.0", "1.0.1073741824"] {
            assert!(numbering(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn repositories_are_named_as_in_ecr() {
        let named = |name: &str| TargetContainerRepository {
            repository_name: name.to_owned(),
            service: ContainerRepositoryService::Ecr,
        };
        for good in ["web", "team/web-1", "a.b_c"] {
            assert!(repository("r", &named(good)).is_ok(), "{good}");
        }
        for bad in ["w", "Web", "web/", "/web", "-web", "we b"] {
            assert!(repository("r", &named(bad)).is_err(), "{bad}");
        }
    }
}
