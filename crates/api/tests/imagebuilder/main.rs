//! The operations of Image Builder as clients see them: a table of requests and answers for each resource.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bench;
mod server;

mod component;
mod concurrency;
mod configuration;
mod execution;
mod image;
mod managed;
mod pipeline;
mod recipe;
mod refusal;
mod retirement;
mod tag;
mod workflow;
