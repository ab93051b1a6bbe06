//! The operations of Image Builder: a file for each resource, and one for each rule that several share.

mod attached;
mod claim;
mod date;
mod error;
mod execution;
mod execution_id;
mod filter;
mod latest;
mod make;
mod managed;
mod own;
mod page;
mod policy;
mod recipe;
mod retirement;
mod templated;

mod component;
mod container_recipe;
mod distribution;
mod image;
mod image_recipe;
mod infrastructure;
mod lifecycle_policy;
mod marketplace;
mod pipeline;
mod scan_finding;
mod tag;
mod workflow;
