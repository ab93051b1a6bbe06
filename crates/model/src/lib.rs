//! The resources of an image factory and their invariants.
//!
//! A value of a type here is valid: what could be wrong with it was refused
//! when it was made. How resources are written in files, sent over wires or
//! kept in databases is left to the crates that do so.

mod access_key;
mod account;
mod ami;
mod component;
mod distribution;
mod image;
mod infrastructure;
mod instance_type;
mod machine;
mod mirror;
mod parameter;
mod parent;
mod recipe;
mod tags;
mod template;
mod tests;

pub use access_key::KeyStatus;
pub use account::{Alias, ParseAliasError};
pub use ami::{Ami, BLOCK_BYTES, Snapshot};
pub use component::{
    ComponentReference, ComponentUse, Components, ComponentsError, ParseReferenceError,
};
pub use distribution::{AmiDistribution, Distribution, Distributions, DistributionsError};
pub use image::{IllegalTransition, ImageState};
pub use infrastructure::Infrastructure;
pub use instance_type::{InstanceType, ParseInstanceTypeError};
pub use machine::{Architecture, BootMode};
pub use mirror::Mirror;
pub use parameter::{ParameterName, ParameterType, ParameterValueError, ParseParameterNameError};
pub use parent::{DiskLocation, ParentImage, ParseParentError};
pub use recipe::{BlockDevice, Name, ParseNameError, Recipe};
pub use tags::{Tags, TagsError};
pub use template::{BuildFacts, BuildTime, NameTemplate, Template, TemplateError};
pub use tests::Tests;
