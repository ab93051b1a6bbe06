//! What targets share: the disks that readers are fed.

mod damaged;

pub use damaged::Damaged;
