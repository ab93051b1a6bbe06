//! The resources of the API: components, recipes, configurations, pipelines, workflows, policies, images.
//!
//! What a resource is, the API knows: here it is an ARN, a body in JSON, tags
//! and references to others. Versions, builds and conflicts are decided here,
//! each in one transaction.

mod change;
mod create;
mod find;
mod policy;
mod tag;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use name::{Account, Arn, Digest, Increment, Kind, Region, Version};

use crate::StoreErrorKind;
use crate::column::{json, text};

pub use change::{Replacement, delete, replace};
pub use create::{create, rehearse};
pub use find::{Grain, Wanted, find, list};
pub use policy::{policy, set_policy};
pub use tag::change_tags;

/// A resource as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its ARN, with version and build where its kind has them.
    pub arn: Arn,
    /// Its name as its owner wrote it.
    pub name: String,
    /// What it is, in JSON, without what the other members say.
    pub body: Value,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// When it was made, in microseconds.
    pub created_at: i64,
    /// When it was last changed, in microseconds.
    pub updated_at: i64,
}

/// A resource to make.
#[derive(Debug, Clone, PartialEq)]
pub struct New {
    /// Whose it is to be.
    pub account: Account,
    /// Where.
    pub region: Region,
    /// What kind it is of.
    pub kind: Kind,
    /// Its name as its owner wrote it.
    pub name: String,
    /// How it comes to its version and build.
    pub numbering: Numbering,
    /// What it is, in JSON.
    pub body: Value,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Resources of the same account that must be there, and stay as long as this one.
    pub references: Vec<Arn>,
    /// When it is made, in microseconds.
    pub at: i64,
}

/// How a new resource comes to its version and build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// It has none; a name is taken once.
    Unversioned,
    /// This version, without builds; a version is taken once.
    Version(Version),
    /// The next version of a series, without builds.
    Next(Increment),
    /// The next build of this version, unless one of its builds has the same contents.
    Build {
        /// The version.
        version: Version,
        /// The digest of the contents.
        contents: Digest,
    },
}

/// What became of a request with a client token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It was carried out now and made or changed this.
    Now(Arn),
    /// It was carried out before and answered with this.
    Before(String),
}

impl Done {
    /// Returns the answer, whenever it was given.
    pub fn answer(self) -> String {
        match self {
            Self::Now(arn) => arn.to_string(),
            Self::Before(answer) => answer,
        }
    }
}

/// The columns that an [`Entry`] is made of.
macro_rules! columns {
    () => {
        "arn, name, body, tags, created_at, updated_at"
    };
}

use columns;

impl Entry {
    fn read(row: SqliteRow) -> Result<Self, StoreErrorKind> {
        Ok(Self {
            arn: text(&row, "arn")?,
            name: row.try_get("name")?,
            body: json(&row, "body")?,
            tags: json(&row, "tags")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

fn missing(arn: &Arn) -> StoreErrorKind {
    StoreErrorKind::Missing { what: format!("resource `{arn}`") }
}
