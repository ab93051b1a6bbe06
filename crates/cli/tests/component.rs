//! `goldsmith component` on this machine: what it prints, its exit codes and
//! what it leaves. Instances are tested end to end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "component/bench.rs"]
mod bench;
#[path = "component/object.rs"]
mod object;
#[path = "component/refusal.rs"]
mod refusal;
#[path = "component/restart.rs"]
mod restart;
#[path = "component/run.rs"]
mod run;
#[path = "component/service.rs"]
mod service;
#[path = "component/stream.rs"]
mod stream;
#[path = "component/validate.rs"]
mod validate;
