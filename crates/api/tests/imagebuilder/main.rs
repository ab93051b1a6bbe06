//! The operations of Image Builder as clients see them: a table of requests and answers for each resource.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod server;

mod component;
mod concurrency;
mod configuration;
mod managed;
mod recipe;
mod tag;
