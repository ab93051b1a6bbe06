//! House rules and generated files.
fn main() {}
