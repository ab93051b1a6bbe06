//! The machines that images are built and tested on.

use crate::{InstanceType, Tags};

/// An infrastructure configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Infrastructure {
    /// The instance types to choose from; never empty.
    instance_types: Vec<InstanceType>,
    /// Whether an instance is thrown away when its run failed.
    pub terminate_on_failure: bool,
    /// Tags of build and test instances.
    pub resource_tags: Tags,
}

impl Infrastructure {
    /// Returns a configuration; without `instance_types` the default one is used.
    pub fn new(
        mut instance_types: Vec<InstanceType>,
        terminate_on_failure: bool,
        resource_tags: Tags,
    ) -> Self {
        if instance_types.is_empty() {
            instance_types.push(InstanceType::default());
        }
        Self { instance_types, terminate_on_failure, resource_tags }
    }

    /// Returns the instance types to choose from, at least one.
    pub fn instance_types(&self) -> &[InstanceType] {
        &self.instance_types
    }
}

impl Default for Infrastructure {
    fn default() -> Self {
        Self::new(Vec::new(), true, Tags::default())
    }
}
