//! The resources of an image factory and their invariants.
