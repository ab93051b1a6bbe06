//! What every operation is given: the store and the time.

use std::sync::Arc;

use store::Db;
use wire::imagebuilder::{Error, ErrorKind};

use crate::Builder;

/// Returns the microseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The operations of every service, as [`wire`] calls them.
#[derive(Clone)]
pub struct Api {
    db: Db,
    clock: Clock,
    builder: Option<Arc<dyn Builder>>,
}

impl Api {
    /// Returns operations on `db`, at the times that `clock` tells.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, builder: None }
    }

    /// Returns operations that have images built by `builder`.
    pub fn with_builder(self, builder: Arc<dyn Builder>) -> Self {
        Self { builder: Some(builder), ..self }
    }

    /// Returns who builds images.
    pub(crate) fn builder(&self) -> Result<&dyn Builder, Error> {
        self.builder.as_deref().ok_or_else(|| {
            let message = "This service has no factory: it shows images and builds none.";
            Error::new(ErrorKind::ServiceUnavailable, message)
        })
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
