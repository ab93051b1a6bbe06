//! Regions, the AMI catalogue, snapshots and exports.
