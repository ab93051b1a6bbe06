//! Launches, executes, snapshots and terminates instances.
