//! What the factory and the agent in an instance say to each other.
//!
//! One JSON object a line, both ways, over whatever byte stream the provider
//! has: a pipe into a sandbox, a virtio-serial port into a machine. The far
//! end runs hostile code, so lines are bounded and unknown ones are refused.

mod line;
mod message;

pub use line::{LINE_LIMIT, LineError, Lines, write_line};
pub use message::{Event, Execute, Request, Resume, Status, Stored, Stream};
