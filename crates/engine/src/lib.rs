//! Decides what a run does next.
//!
//! A pure function of the run and what happened: no clock, no disk, no
//! database. Whoever carries the commands out reports back with events.

mod advance;

pub use advance::{Command, End, Event, Run};
