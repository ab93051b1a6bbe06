//! Processes in namespaces of their own, and the trees of files they own.
//!
//! A *cell* is a process whose descendants cannot outlive it, see no file
//! outside the data folder's share, and are root only over a range of user
//! ids of their own. Sandboxes and machines run in cells; trees whose files
//! belong to such ids are made, read and removed in cells too, so that no
//! privileged process ever walks a tree that hostile code has written.

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
