//! What the steps of a run do, one file each.

mod base;
mod create;
mod distribute;
mod execute;
mod launch;
mod verify;

pub(crate) use base::{Ground, prepare, prepare_base};
pub(crate) use create::{Blueprint, create_image, description};
pub(crate) use distribute::distribute;
pub(crate) use execute::{build_component, test_component};
pub(crate) use launch::{NoFirmware, launch_test};
pub(crate) use verify::verify_image;
