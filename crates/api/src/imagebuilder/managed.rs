//! Managed resources: what Goldsmith ships, of account `aws`, in every region and for everyone.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use base::Release;
use name::{Arn, BuildVersion, Kind, Level, Owner, Region, Version};
use store::resource::{Entry, Grain, Wanted};

use super::{component, workflow};

/// Something that is shipped.
struct Shipped {
    kind: Kind,
    name: String,
    version: Version,
    body: Value,
}

/// When the first managed resources were shipped, in microseconds: 2026-01-01.
const SHIPPED_AT: i64 = 1_767_225_600_000_000;

/// Everything that is shipped, by kind, name and version.
static SHIPPED: LazyLock<Vec<Shipped>> = LazyLock::new(|| {
    let mut shipped: Vec<_> = components().chain(images()).chain(workflows()).collect();
    shipped.sort_by(|a, b| a.place().cmp(&b.place()));
    shipped
});

/// Returns the newest managed resource that `arn` stands for in `region`.
pub(crate) fn find(region: &Region, arn: &Arn) -> Option<Entry> {
    // By version in ascending order, so the last is the newest.
    let mut newest_first = SHIPPED.iter().rev().filter(|one| one.kind == arn.kind());
    newest_first.find_map(|one| one.entry(region).filter(|entry| arn.covers(&entry.arn)))
}

/// Returns up to `limit` managed resources that follow `after`, in the order of the store's lists.
pub(crate) fn list(wanted: &Wanted, after: Option<&Arn>, limit: u32) -> Vec<Entry> {
    let [first, last] = wanted.kinds.map(Kind::as_str);
    let entries = SHIPPED.iter().enumerate().filter_map(|(index, one)| {
        let kind = one.kind.as_str();
        let next = SHIPPED.get(index + 1);
        let is_newest = next.is_none_or(|next| (next.kind, &next.name) != (one.kind, &one.name));
        // Every version is shipped as one build.
        let is_wanted =
            first <= kind && kind <= last && (is_newest || wanted.grain != Grain::Names);
        let entry = one.entry(&wanted.region).filter(|_| is_wanted)?;
        let is_of = wanted.of.as_ref().is_none_or(|of| of.covers(&entry.arn));
        let is_after = after.is_none_or(|after| place(after) < one.place());
        (is_of && is_after).then_some(entry)
    });
    entries.take(limit as usize).collect()
}

impl Shipped {
    fn place(&self) -> (&str, &str, Version) {
        (self.kind.as_str(), &self.name, self.version)
    }

    fn entry(&self, region: &Region) -> Option<Entry> {
        let level = Level::Build(BuildVersion { version: self.version, build: 1 });
        let owner = Owner::Managed("aws".to_owned());
        Some(Entry {
            arn: Arn::new(region.clone(), owner, self.kind, &self.name, level).ok()?,
            name: self.name.clone(),
            body: self.body.clone(),
            tags: BTreeMap::new(),
            created_at: SHIPPED_AT,
            updated_at: SHIPPED_AT,
        })
    }
}

fn place(arn: &Arn) -> (&str, &str, Version) {
    (arn.kind().as_str(), arn.name(), arn.versions().bounds().0)
}

fn components() -> impl Iterator<Item = Shipped> {
    factory::managed_components().iter().filter_map(|managed| {
        // A test shows that each of them is valid.
        let document = document::Component::parse(managed.text).ok()?.value;
        Some(Shipped {
            kind: Kind::Component,
            name: managed.name.to_owned(),
            version: managed.version(),
            body: json!(component::described(&document, managed.text)),
        })
    })
}

fn images() -> impl Iterator<Item = Shipped> {
    base::MANAGED.iter().filter_map(|managed| {
        Some(Shipped {
            kind: Kind::Image,
            name: managed.arn_name(),
            version: Version::of([1, 0, 0])?,
            body: json!({
                "type": "AMI",
                "platform": "Linux",
                "osVersion": os_version(managed.release),
                "state": {"status": "AVAILABLE"},
                "buildType": "USER_INITIATED",
                "imageSource": "AMAZON_MANAGED",
            }),
        })
    })
}

/// Returns what images of a release say their operating system is.
pub(crate) fn os_version(release: Release) -> &'static str {
    match release {
        Release::Bookworm => "Debian 12",
        Release::Trixie => "Debian 13",
    }
}

fn workflows() -> impl Iterator<Item = Shipped> {
    factory::managed_workflows().iter().filter_map(|managed| {
        let document = document::Workflow::parse(managed.text, managed.stage).ok()?.value;
        Some(Shipped {
            kind: workflow::kind(managed.stage),
            name: managed.name.to_owned(),
            version: managed.version(),
            body: json!(workflow::described(&document, managed.text, managed.stage)),
        })
    })
}

#[cfg(test)]
mod tests {
    use name::{Account, Kind};
    use store::resource::{Grain, Wanted};

    use super::{find, list};

    fn arns(kind: Kind, after: Option<&str>, limit: u32) -> Vec<String> {
        let wanted = Wanted {
            account: "123456789012".parse::<Account>().unwrap(),
            region: "local-1".parse().unwrap(),
            kinds: [kind, kind],
            of: None,
            grain: Grain::Builds,
        };
        let after = after.map(|after| after.parse().unwrap());
        let entries = list(&wanted, after.as_ref(), limit);
        entries.iter().map(|entry| entry.arn.to_string()).collect()
    }

    #[test]
    fn everything_that_is_shipped_is_listed_in_order() {
        let components = arns(Kind::Component, None, 100);
        assert_eq!(components.len(), factory::managed_components().len());
        assert!(components[0].ends_with("component/harden-linux/1.0.0/1"), "{components:?}");
        let [one, two] = [&components[0], &components[1]];
        assert_eq!(arns(Kind::Component, Some(one), 1), std::slice::from_ref(two));
        assert_eq!(arns(Kind::Image, None, 100).len(), base::MANAGED.len());
    }

    #[test]
    fn any_level_of_an_arn_finds_what_is_shipped() {
        let region = "local-1".parse().unwrap();
        for version in ["x.x.x", "1.x.x", "1.0.0", "1.0.0/1"] {
            let arn = format!("arn:aws:imagebuilder:local-1:aws:component/update-linux/{version}");
            let entry = find(&region, &arn.parse().unwrap()).unwrap();
            assert!(entry.arn.to_string().ends_with("component/update-linux/1.0.0/1"));
        }
        let other = "arn:aws:imagebuilder:local-2:aws:component/update-linux/x.x.x";
        assert!(find(&region, &other.parse().unwrap()).is_none());
    }
}
