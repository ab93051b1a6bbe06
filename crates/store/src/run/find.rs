//! The run that people mean.

use std::fmt;

use name::BuildVersion;

use super::{Row, Run, read};
use crate::error::attempt;
use crate::{Db, StoreError, StoreErrorKind};

/// Which run is meant.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// The one that began last.
    Latest,
    /// The one of an image that began last.
    LatestOf(&'a str),
    /// The one that made this build of an image.
    Build(&'a str, BuildVersion),
    /// The only one whose id begins so.
    Prefix(&'a str),
}

/// Returns the run that is meant.
///
/// Fails with [`StoreErrorKind::Missing`], or [`StoreErrorKind::Ambiguous`]
/// for a prefix of several ids.
pub async fn find(db: &Db, wanted: Wanted<'_>) -> Result<Run, StoreError> {
    attempt("find the run", select(db, wanted)).await
}

async fn select(db: &Db, wanted: Wanted<'_>) -> Result<Run, StoreErrorKind> {
    let rows: Vec<Row> = match wanted {
        Wanted::Latest => {
            sqlx::query_as("SELECT * FROM run ORDER BY started_at DESC, id DESC LIMIT 1")
        }
        Wanted::LatestOf(image) => sqlx::query_as(
            "SELECT * FROM run WHERE image = $1 ORDER BY started_at DESC, id DESC LIMIT 1",
        )
        .bind(image),
        Wanted::Build(image, build) => {
            sqlx::query_as("SELECT * FROM run WHERE image = $1 AND version = $2 AND build = $3")
                .bind(image)
                .bind(build.version.to_string())
                .bind(i64::from(build.build))
        }
        // Not LIKE, for which `%` and `_` in the prefix mean something.
        Wanted::Prefix(prefix) => sqlx::query_as(
            "SELECT * FROM run WHERE substr(id, 1, length($1)) = $1 ORDER BY id LIMIT 4",
        )
        .bind(prefix),
    }
    .fetch_all(db.pool())
    .await?;
    let mut runs = read(rows)?;
    if let (Wanted::Prefix(prefix), [_, _, ..]) = (wanted, &runs[..]) {
        let ids = runs.iter().map(|run| run.id.to_string()).collect();
        return Err(StoreErrorKind::Ambiguous { prefix: prefix.to_owned(), ids });
    }
    runs.pop().ok_or_else(|| StoreErrorKind::Missing { what: wanted.to_string() })
}

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("run yet"),
            Self::LatestOf(image) => write!(f, "run of image `{image}`"),
            Self::Build(image, build) => write!(f, "build `{image}/{build}`"),
            Self::Prefix(prefix) => write!(f, "run whose id begins with `{prefix}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[tokio::test]
    async fn runs_are_found_by_what_people_say() {
        let fixture = Fixture::new().await;
        let db = &fixture.db;
        let (web, mail) = (fixture.run(0x12, "web").await, fixture.run(0x13, "mail").await);
        let check = async |wanted: Wanted<'_>, expected: &Run| {
            assert_eq!(find(db, wanted).await.unwrap(), *expected, "{wanted:?}");
        };
        check(Wanted::Latest, &mail).await;
        check(Wanted::LatestOf("web"), &web).await;
        check(Wanted::Build("web", "1.0.0/1".parse().unwrap()), &web).await;
        check(Wanted::Prefix("run-012"), &web).await;
        check(Wanted::Prefix(&mail.id.to_string()), &mail).await;

        let refuse = async |wanted: Wanted<'_>, expected: &str| {
            let error = find(db, wanted).await.unwrap_err();
            assert_eq!(error.kind().to_string(), expected);
        };
        refuse(
            Wanted::Prefix("run-01"),
            "`run-01` is the beginning of several run ids: \
             run-01212121212121212, run-01313131313131313",
        )
        .await;
        refuse(Wanted::Prefix("run-%"), "there is no run whose id begins with `run-%`").await;
        refuse(Wanted::LatestOf("dns"), "there is no run of image `dns`").await;
        let build = Wanted::Build("web", "1.0.0/2".parse().unwrap());
        refuse(build, "there is no build `web/1.0.0/2`").await;
    }
}
