//! From a recipe and its configuration to keyed steps.
