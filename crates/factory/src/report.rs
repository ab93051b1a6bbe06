//! What a build came to, for people and programs.

use serde::{Deserialize, Serialize};

use crate::Failure;

/// A finished build. Serialised, this is what `--output json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The image build version's ARN.
    pub image: String,
    /// The run's id.
    pub run: String,
    /// `AVAILABLE`, `FAILED` or `CANCELLED`.
    pub state: String,
    /// Why, unless it is available.
    pub failure: Option<Failure>,
    /// The digest of the disk, as tested and as published.
    pub digest: Option<String>,
    /// The disk's size in bytes.
    pub disk_bytes: Option<u64>,
    /// The bytes of it that hold data.
    pub data_bytes: Option<u64>,
    /// From power-on until the system said it had booted, in seconds.
    pub boot_seconds: Option<f64>,
    /// What was published, region by region.
    pub amis: Vec<Published>,
    /// Every step of every component that ran.
    pub cases: Vec<Case>,
    /// The run's steps.
    pub steps: Vec<StepReport>,
    /// The whole build, in seconds.
    pub seconds: f64,
}

/// An AMI that a build published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// The region.
    pub region: String,
    /// The AMI's id.
    pub ami: String,
    /// The AMI's name.
    pub name: String,
    /// Blocks the image has.
    pub blocks: u64,
    /// Blocks the region did not have yet.
    pub copied: u64,
}

/// A step of a component's document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// The component.
    pub component: String,
    /// The phase: `build`, `validate` or `test`.
    pub phase: String,
    /// The step.
    pub step: String,
    /// `success`, `failed`, `ignoredFailure` or `skipped`.
    pub status: channel::Status,
    /// Why it failed or was skipped.
    pub message: String,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// What people see.
    pub label: String,
    /// How long it took, in seconds.
    pub seconds: f64,
}
