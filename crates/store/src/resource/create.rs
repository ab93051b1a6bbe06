//! How resources are made: numbered, checked against what is there and recorded at once.

use sqlx::{Sqlite, Transaction};

use name::{Arn, BuildVersion, Level, Owner, Version, VersionPattern};

use super::find::{Position, find_in};
use super::{Done, New, Numbering};
use crate::client_token::{self, Claim};
use crate::column::{self, invalid};
use crate::error::attempt;
use crate::{Db, StoreError, StoreErrorKind};

/// Makes a resource.
///
/// One transaction with the client's token: however many equal requests come
/// at once, one makes it and all get the same answer. Fails with
/// [`StoreErrorKind::Taken`] or [`StoreErrorKind::Identical`] if it is there
/// already, and with [`StoreErrorKind::Unresolved`] if something it refers to
/// is not.
pub async fn create(db: &Db, new: &New, claim: &Claim) -> Result<Done, StoreError> {
    attempt("make the resource", async {
        let mut tx = db.begin().await?;
        if let Some(answer) = client_token::find(&mut *tx, claim).await? {
            return Ok(Done::Before(answer));
        }
        let arn = insert(&mut tx, new).await?;
        client_token::record(&mut tx, claim, &arn.to_string()).await?;
        tx.commit().await?;
        Ok(Done::Now(arn))
    })
    .await
}

/// Returns the ARN that [`create`] would give, and makes nothing.
pub async fn rehearse(db: &Db, new: &New) -> Result<Arn, StoreError> {
    attempt("try to make the resource", async {
        let mut tx = db.begin().await?;
        let arn = insert(&mut tx, new).await?;
        tx.rollback().await?;
        Ok(arn)
    })
    .await
}

/// Makes a resource inside a transaction.
pub(crate) async fn insert(
    tx: &mut Transaction<'_, Sqlite>,
    new: &New,
) -> Result<Arn, StoreErrorKind> {
    let arn = number(tx, new).await?;
    for reference in &new.references {
        if find_in(tx, reference).await?.is_none() {
            return Err(StoreErrorKind::Unresolved { arn: reference.to_string() });
        }
    }
    write(tx, new, &arn).await?;
    refer(tx, &arn, &new.references).await?;
    Ok(arn)
}

/// Records what a resource refers to.
pub(super) async fn refer(
    tx: &mut Transaction<'_, Sqlite>,
    arn: &Arn,
    references: &[Arn],
) -> Result<(), StoreErrorKind> {
    for reference in references {
        sqlx::query(
            "INSERT INTO resource_reference (from_arn, to_arn, to_name) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
        )
        .bind(arn.to_string())
        .bind(reference.to_string())
        .bind(reference.without_version().to_string())
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Returns the ARN of a new resource, or why there can be none.
async fn number(tx: &mut Transaction<'_, Sqlite>, new: &New) -> Result<Arn, StoreErrorKind> {
    let arn = |level| name_of(new, level);
    let taken = async |tx: &mut Transaction<'_, Sqlite>, arn: Arn| match find_in(tx, &arn).await? {
        Some(entry) => Err(StoreErrorKind::Taken { what: format!("resource `{}`", entry.arn) }),
        None => Ok(arn),
    };
    let exactly = |version| Level::Version(VersionPattern::Exact(version));
    match new.numbering {
        Numbering::Unversioned => taken(tx, arn(Level::Name)?).await,
        Numbering::Version(version) => taken(tx, arn(exactly(version))?).await,
        Numbering::Next(open) => {
            let series = arn(Level::Version(open.series()))?;
            let last = find_in(tx, &series).await?.and_then(|last| version_of(&last.arn));
            let Some(next) = open.after(last) else {
                return Err(StoreErrorKind::Taken { what: format!("last version of `{series}`") });
            };
            arn(exactly(next))
        }
        Numbering::Build { version, contents } => {
            let any = arn(exactly(version))?;
            if let Some(arn) = identical(tx, &any, &contents.hex()).await? {
                return Err(StoreErrorKind::Identical { arn });
            }
            let build = next_build(tx, new, &any).await?;
            arn(Level::Build(BuildVersion { version, build }))
        }
    }
}

/// Gives out the next build number of a version.
async fn next_build(
    tx: &mut Transaction<'_, Sqlite>,
    new: &New,
    any: &Arn,
) -> Result<u32, StoreErrorKind> {
    let Position { kind, segment, nodes, .. } = Position::of(any);
    let row = sqlx::query(
        "INSERT INTO resource_number (account, region, kind, segment, major, minor, patch, last)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 1)
         ON CONFLICT (account, region, kind, segment, major, minor, patch) DO UPDATE
            SET last = resource_number.last + 1
         RETURNING last",
    )
    .bind(new.account.as_str())
    .bind(new.region.as_str())
    .bind(kind)
    .bind(segment)
    .bind(nodes[0])
    .bind(nodes[1])
    .bind(nodes[2])
    .fetch_one(&mut **tx)
    .await?;
    column::number(&row, "last")
}

async fn identical(
    tx: &mut Transaction<'_, Sqlite>,
    any: &Arn,
    contents: &str,
) -> Result<Option<String>, StoreErrorKind> {
    let Position { kind, segment, nodes, .. } = Position::of(any);
    let Owner::Account(account) = any.owner() else { return Ok(None) };
    let arn = sqlx::query_scalar(
        "SELECT arn FROM resource WHERE account = $1 AND region = $2 AND kind = $3
            AND segment = $4 AND major = $5 AND minor = $6 AND patch = $7 AND fingerprint = $8",
    )
    .bind(account.as_str())
    .bind(any.region().as_str())
    .bind(kind)
    .bind(segment)
    .bind(nodes[0])
    .bind(nodes[1])
    .bind(nodes[2])
    .bind(contents)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(arn)
}

/// Writes the row and moves the marks of newest build and newest version to it.
async fn write(
    tx: &mut Transaction<'_, Sqlite>,
    new: &New,
    arn: &Arn,
) -> Result<(), StoreErrorKind> {
    let Position { kind, segment, nodes, build } = Position::of(arn);
    for mark in [UNMARK_BUILD, UNMARK_VERSION] {
        sqlx::query(mark)
            .bind(new.account.as_str())
            .bind(new.region.as_str())
            .bind(kind)
            .bind(&segment)
            .bind(nodes[0])
            .bind(nodes[1])
            .bind(nodes[2])
            .bind(build)
            .execute(&mut **tx)
            .await?;
    }
    let fingerprint = match new.numbering {
        Numbering::Build { contents, .. } => Some(contents.hex()),
        Numbering::Unversioned | Numbering::Version(_) | Numbering::Next(_) => None,
    };
    sqlx::query(INSERT)
        .bind(arn.to_string())
        .bind(new.account.as_str())
        .bind(new.region.as_str())
        .bind(kind)
        .bind(segment)
        .bind(nodes[0])
        .bind(nodes[1])
        .bind(nodes[2])
        .bind(build)
        .bind(&new.name)
        .bind(fingerprint)
        .bind(new.body.to_string())
        .bind(serde_json::json!(new.tags).to_string())
        .bind(new.at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

const UNMARK_BUILD: &str = "UPDATE resource SET newest_build = 0
     WHERE account = $1 AND region = $2 AND kind = $3 AND segment = $4
       AND major = $5 AND minor = $6 AND patch = $7 AND newest_build = 1 AND build < $8";

const UNMARK_VERSION: &str = "UPDATE resource SET newest_version = 0
     WHERE account = $1 AND region = $2 AND kind = $3 AND segment = $4 AND newest_version = 1
       AND (major, minor, patch, build) < ($5, $6, $7, $8)";

/// A build or a version that is still marked is a newer one.
const INSERT: &str = "INSERT INTO resource
    (arn, account, region, kind, segment, major, minor, patch, build, newest_build, newest_version,
     name, fingerprint, body, tags, created_at, updated_at)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9,
           NOT EXISTS (SELECT 1 FROM resource WHERE account = $2 AND region = $3 AND kind = $4
               AND segment = $5 AND major = $6 AND minor = $7 AND patch = $8 AND newest_build = 1),
           NOT EXISTS (SELECT 1 FROM resource WHERE account = $2 AND region = $3 AND kind = $4
               AND segment = $5 AND newest_version = 1),
           $10, $11, $12, $13, $14, $14";

fn name_of(new: &New, level: Level) -> Result<Arn, StoreErrorKind> {
    let owner = Owner::Account(new.account.clone());
    let made = Arn::new(new.region.clone(), owner, new.kind, &new.name, level);
    made.map_err(|error| invalid("name", new.name.clone(), error))
}

fn version_of(arn: &Arn) -> Option<Version> {
    match arn.versions() {
        VersionPattern::Exact(version) => Some(version),
        VersionPattern::Any | VersionPattern::Major(_) | VersionPattern::Minor(_, _) => None,
    }
}
