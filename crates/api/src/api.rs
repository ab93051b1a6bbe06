//! What every operation is given: the store and the time.

use std::sync::Arc;

use store::Db;

/// Returns the microseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The operations of every service, as [`wire`] calls them.
#[derive(Clone)]
pub struct Api {
    db: Db,
    clock: Clock,
}

impl Api {
    /// Returns operations on `db`, at the times that `clock` tells.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Returns the store.
    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    /// Returns the time, in microseconds.
    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }
}
