//! Where images are published, and under which names.

use std::collections::{BTreeMap, HashSet};

use name::Region;

use crate::{NameTemplate, Template};

/// What is published in one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The region.
    pub region: Region,
    /// How the AMI is registered there.
    pub ami: AmiDistribution,
}

/// How an AMI is registered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AmiDistribution {
    /// Its name; the recipe's and the date when absent.
    pub name: Option<NameTemplate>,
    /// Its description.
    pub description: Option<Template>,
    /// Its tags, by name.
    pub tags: BTreeMap<String, Template>,
}

/// Distributions to regions, each region once and at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distributions(Vec<Distribution>);

/// A list of distributions breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DistributionsError {
    /// There is none.
    #[error("no region to distribute to")]
    None,
    /// A region is there twice.
    #[error("region `{0}` is there twice")]
    Twice(Region),
}

impl Distributions {
    /// Returns the list; fails if it is empty or has a region twice.
    pub fn new(distributions: Vec<Distribution>) -> Result<Self, DistributionsError> {
        if distributions.is_empty() {
            return Err(DistributionsError::None);
        }
        let mut seen = HashSet::new();
        for Distribution { region, .. } in &distributions {
            if !seen.insert(region) {
                return Err(DistributionsError::Twice(region.clone()));
            }
        }
        Ok(Self(distributions))
    }

    /// Returns the distributions in order.
    pub fn as_slice(&self) -> &[Distribution] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_is_there_once() {
        let to = |region: &str| Distribution {
            region: region.parse().unwrap(),
            ami: AmiDistribution::default(),
        };
        let list = vec![to("local-1"), to("local-2")];
        assert_eq!(Distributions::new(list.clone()).unwrap().as_slice(), list);
        assert_eq!(Distributions::new(Vec::new()), Err(DistributionsError::None));
        let twice = Distributions::new(vec![to("local-1"), to("local-1")]);
        assert_eq!(twice, Err(DistributionsError::Twice("local-1".parse().unwrap())));
    }
}
