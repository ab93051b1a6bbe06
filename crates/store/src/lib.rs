//! The facts, in SQL.
