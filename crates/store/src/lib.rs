//! The facts, in SQL: runs, their steps, bases, artefacts, snapshots and AMIs; accounts, their
//! keys, and parameters; the resources of the API.
//!
//! The only crate that names a database. It keeps no bytes of images and reads
//! no clock: times are microseconds since 1970, given by callers. Every method
//! that returns `Ok` has made its change durable, and one that fails or is cut
//! off has changed nothing.

pub mod access_key;
pub mod account;
pub mod ami;
pub mod artefact;
pub mod client_token;
pub mod image;
pub mod lifecycle;
pub mod parameter;
pub mod resource;
pub mod run;
pub mod snapshot;
pub mod step;

mod column;
mod db;
mod error;
#[cfg(test)]
mod fixture;
mod keyring;
mod state;
mod tag;

pub use db::Db;
pub use error::{StoreError, StoreErrorKind};
pub use keyring::{Keyring, KeyringError, KeyringErrorKind};
pub use state::{
    AmiStatus, BuildType, LifecycleAction, LifecycleState, ParseWordError, StepState, Workflow,
};
pub use tag::TagChange;
