//! Processes in namespaces of their own, and the trees of files they own.
//!
//! A *cell* is a process whose descendants cannot outlive it and are root only
//! over a range of user ids of their own. Its `/tmp` is its own; the host's
//! other files are in sight, with the rights of an id that owns nothing if root
//! starts the cell, and of the user otherwise. Sandboxes and machines run in
//! cells; trees whose files belong to such ids are made, read and removed in
//! cells too, so that no privileged process ever walks a tree that hostile code
//! has written.

mod bound;
mod enter;
mod folder;
mod ids;
mod inside;
mod job;
mod limit;
mod network;
mod overlay;
mod resolver;
mod spawn;
mod tree;

pub use folder::{Folder, Place};
pub use ids::{Ids, IdsError, Range};
pub use inside::main;
pub use job::{
    Content, Disk, Extra, Job, LeaveOut, Limits, Network, Overlay, Run, Source, Task, Unpacked,
    Volume,
};
pub use network::has_default_route;
pub use spawn::{Cell, Cells, Leash, SpawnError, Stdio};
pub use tree::Written;
