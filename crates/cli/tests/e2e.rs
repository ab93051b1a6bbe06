//! Real builds of real images, through the command as a user would give it.
//!
//! Needs the programs that `make build` makes, named by `GOLDSMITH_BIN` and
//! `GOLDSMITH_AGENT`, and what `scripts/install-packages` installs. The data
//! folder is kept from run to run, so that bases are made once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::disallowed_methods, reason = "the tests run the command and its neighbours")]

#[path = "e2e/component.rs"]
mod component;
#[path = "e2e/escape.rs"]
mod escape;
#[path = "e2e/example.rs"]
mod example;
#[path = "e2e/fault.rs"]
mod fault;
#[path = "e2e/parent.rs"]
mod parent;
#[path = "e2e/setting.rs"]
mod setting;
