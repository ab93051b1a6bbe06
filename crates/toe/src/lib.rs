//! Executes a component document on the machine it is on.
