//! The components that Goldsmith ships, as documents in the binary.

use name::{Arn, Kind, Level, Owner, Version};

/// A managed component.
#[derive(Debug, Clone, Copy)]
pub struct ManagedComponent {
    /// Its name, as in ARNs.
    pub name: &'static str,
    /// Its version's nodes.
    version: &'static str,
    /// The document.
    pub text: &'static str,
}

impl ManagedComponent {
    /// Returns the newest managed component that `arn` means.
    pub fn find(arn: &Arn) -> Option<&'static Self> {
        if arn.kind() != Kind::Component || !matches!(arn.owner(), Owner::Managed(_)) {
            return None;
        }
        let fits = |version| match arn.level() {
            Level::Name => true,
            Level::Version(pattern) => pattern.matches(version),
            // A shipped document never changes, so there is one build of it.
            Level::Build(build) => build.version == version && build.build == 1,
        };
        let named = SHIPPED.iter().filter(|managed| managed.name == arn.name());
        named.filter(|managed| fits(managed.version())).max_by_key(|managed| managed.version())
    }

    /// Returns the newest managed component called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        let named = SHIPPED.iter().filter(|managed| managed.name == name);
        named.max_by_key(|managed| managed.version())
    }

    /// Returns its version.
    pub fn version(&self) -> Version {
        self.version.parse().expect("shipped versions are three numbers, as a test shows")
    }
}

macro_rules! shipped {
    ($($name:literal $version:literal),* $(,)?) => {
        &[$(ManagedComponent {
            name: $name,
            version: $version,
            text: include_str!(concat!("../../../components/", $name, "/", $version, ".yaml")),
        }),*]
    };
}

const SHIPPED: &[ManagedComponent] = shipped![
    "harden-linux" "1.0.0",
    "harden-linux-test" "1.0.0",
    "reboot-linux" "1.0.0",
    "simple-boot-test-linux" "1.0.0",
    "update-linux" "1.0.0",
];

/// Returns every managed component, by name.
pub fn managed_components() -> &'static [ManagedComponent] {
    SHIPPED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_document_is_valid_and_shipped_by_its_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../components");
        let mut documents = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                documents += std::fs::read_dir(entry.path()).unwrap().count();
            }
        }
        assert_eq!(documents, SHIPPED.len());
        for managed in SHIPPED {
            assert!(managed.version().nodes() >= [1, 0, 0]);
            assert!(managed.text.len() <= 16_000, "{} is too long for the API", managed.name);
            let parsed = document::Component::parse(managed.text).unwrap_or_else(|problems| {
                panic!("{}", problems.render(managed.name, managed.text))
            });
            assert!(
                parsed.warnings.is_empty(),
                "{}",
                parsed.warnings.render(managed.name, managed.text)
            );
        }
    }
}
