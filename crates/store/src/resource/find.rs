//! How resources are found: by ARN, wildcards resolved, and as pages of lists.

use sqlx::{Sqlite, Transaction};

use name::{Account, Arn, Kind, Level, Owner, Region};

use super::{Entry, columns};
use crate::error::attempt;
use crate::{Db, StoreError, StoreErrorKind};

/// Which resources a list has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Whose.
    pub account: Account,
    /// Where.
    pub region: Region,
    /// The first and the last of the kinds, as they are spelt.
    pub kinds: [Kind; 2],
    /// The versions of one resource only.
    pub of: Option<Arn>,
    /// How finely it tells them apart.
    pub grain: Grain,
}

/// How finely a list tells resources apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// The newest build of the newest version of each name.
    Names,
    /// The newest build of each version.
    Versions,
    /// Every build.
    Builds,
}

/// Returns the newest resource that `arn` stands for.
///
/// With a build that is the one with the ARN; wildcards and versions without a
/// build stand for the newest.
pub async fn find(db: &Db, arn: &Arn) -> Result<Option<Entry>, StoreError> {
    attempt("find the resource", async {
        let Some(query) = newest(arn) else { return Ok(None) };
        query.fetch_optional(db.pool()).await?.map(Entry::read).transpose()
    })
    .await
}

/// Like [`find`], inside a transaction.
pub(super) async fn find_in(
    tx: &mut Transaction<'_, Sqlite>,
    arn: &Arn,
) -> Result<Option<Entry>, StoreErrorKind> {
    let Some(query) = newest(arn) else { return Ok(None) };
    query.fetch_optional(&mut **tx).await?.map(Entry::read).transpose()
}

/// Returns up to `limit` resources that follow `after`, by kind, name, version and build.
///
/// Reads no more rows than it returns.
pub async fn list(
    db: &Db,
    wanted: &Wanted,
    after: Option<&Arn>,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    attempt("list the resources", async {
        let sql = match wanted.grain {
            Grain::Names => NAMES,
            Grain::Versions => VERSIONS,
            Grain::Builds => BUILDS,
        };
        let (mut low, high) = wanted.range();
        if let Some(after) = after.map(Position::of) {
            low = low.max(after);
        }
        let rows = sqlx::query(sql)
            .bind(wanted.account.as_str())
            .bind(wanted.region.as_str())
            .bind(low.kind)
            .bind(low.segment)
            .bind(low.nodes[0])
            .bind(low.nodes[1])
            .bind(low.nodes[2])
            .bind(low.build)
            .bind(high.kind)
            .bind(high.segment)
            .bind(high.nodes[0])
            .bind(high.nodes[1])
            .bind(high.nodes[2])
            .bind(high.build)
            .bind(limit)
            .fetch_all(db.pool())
            .await?;
        rows.into_iter().map(Entry::read).collect()
    })
    .await
}

macro_rules! list {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM resource
             WHERE account = $1 AND region = $2 ",
            $condition,
            " AND (kind, segment, major, minor, patch, build) > ($3, $4, $5, $6, $7, $8)
              AND (kind, segment, major, minor, patch, build) <= ($9, $10, $11, $12, $13, $14)
            ORDER BY kind, segment, major, minor, patch, build LIMIT $15"
        )
    };
}

pub(super) const NAMES: &str = list!("AND newest_version = 1");
pub(super) const VERSIONS: &str = list!("AND newest_build = 1");
pub(super) const BUILDS: &str = list!("");

pub(super) const NEWEST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM resource
      WHERE account = $1 AND region = $2 AND kind = $3 AND segment = $4
        AND (major, minor, patch, build) BETWEEN ($5, $6, $7, $8) AND ($9, $10, $11, $12)
      ORDER BY major DESC, minor DESC, patch DESC, build DESC LIMIT 1"
);

type Query = sqlx::query::Query<'static, Sqlite, sqlx::sqlite::SqliteArguments>;

/// Returns the query for what `arn` stands for; `None` for what is not kept here.
fn newest(arn: &Arn) -> Option<Query> {
    let Owner::Account(account) = arn.owner() else { return None };
    let (low, high) = (Position::least(arn), Position::greatest(arn));
    let query = sqlx::query(NEWEST)
        .bind(account.to_string())
        .bind(arn.region().to_string())
        .bind(low.kind)
        .bind(low.segment)
        .bind(low.nodes[0])
        .bind(low.nodes[1])
        .bind(low.nodes[2])
        .bind(low.build)
        .bind(high.nodes[0])
        .bind(high.nodes[1])
        .bind(high.nodes[2])
        .bind(high.build);
    Some(query)
}

/// A place in the order of lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) kind: &'static str,
    pub(super) segment: String,
    pub(super) nodes: [u32; 3],
    pub(super) build: i64,
}

/// What no build number is greater than.
const LAST: i64 = i64::MAX;

impl Position {
    /// Returns where a resource is.
    pub(super) fn of(arn: &Arn) -> Self {
        Self::least(arn)
    }

    fn least(arn: &Arn) -> Self {
        let (low, _) = arn.versions().bounds();
        let build = if let Level::Build(build) = arn.level() { i64::from(build.build) } else { 0 };
        let nodes = if arn.kind().has_versions() { low.nodes() } else { [0; 3] };
        Self { kind: arn.kind().as_str(), segment: arn.name().to_owned(), nodes, build }
    }

    fn greatest(arn: &Arn) -> Self {
        let (_, high) = arn.versions().bounds();
        let build =
            if let Level::Build(build) = arn.level() { i64::from(build.build) } else { LAST };
        Self { nodes: high.nodes(), build, ..Self::least(arn) }
    }
}

impl Wanted {
    /// Returns what all of it is after, and what none of it is after.
    fn range(&self) -> (Position, Position) {
        if let Some(of) = &self.of {
            // Nothing has a build below 0, so nothing of it is left out.
            let low = Position { build: -1, ..Position::least(of) };
            return (low, Position::greatest(of));
        }
        let [first, last] = self.kinds.map(Kind::as_str);
        let low = Position { kind: first, segment: String::new(), nodes: [0; 3], build: -1 };
        // Segments are letters, digits, `-` and `_`, all before `~`.
        let high =
            Position { kind: last, segment: "~".to_owned(), nodes: [u32::MAX; 3], build: LAST };
        (low, high)
    }
}
