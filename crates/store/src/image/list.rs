//! Lists of images, a page at a time. Each page begins where the one before ended, by key:
//! none reads what earlier pages held.

use std::fmt;

use sqlx::{QueryBuilder, Sqlite};

use name::{BuildVersion, RunId, VersionPattern};

use super::{Image, SELECT, Scope, ordered, range, read};
use crate::error::attempt;
use crate::{Db, StoreError};

/// Which images a list is to show: of each member, any of the values; empty means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// Names as they are shown.
    pub titles: Vec<String>,
    /// Versions, or patterns of some.
    pub versions: Vec<VersionPattern>,
    /// Operating systems.
    pub os_versions: Vec<String>,
    /// Platforms.
    pub platforms: Vec<String>,
}

/// Where an image stands in a list by name, version and build.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The image's name as ARNs have it.
    pub name: String,
    /// Its build.
    pub build: BuildVersion,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.build)
    }
}

/// What makes two images one entry of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entries {
    /// Name and version.
    Version,
    /// The name.
    Name,
}

/// Whether a list shows deprecated images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deprecated {
    /// It does.
    Shown,
    /// It does not.
    Hidden,
}

/// Returns the newest build of each version, or of each name, after `after`, at most `limit`.
///
/// The cost is that of the page: each entry is found by a seek of its own, from
/// the end of the one before.
pub async fn versions(
    db: &Db,
    scope: Scope<'_>,
    entries: Entries,
    deprecated: Deprecated,
    filters: &Filters,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<Image>, StoreError> {
    attempt("list the images", async {
        let mut sql = versions_sql(scope, entries, deprecated, filters, after, limit);
        let rows = sql.build().fetch_all(db.pool()).await?;
        read(rows)
    })
    .await
}

fn versions_sql(
    scope: Scope<'_>,
    entries: Entries,
    deprecated: Deprecated,
    filters: &Filters,
    after: Option<&Key>,
    limit: u32,
) -> QueryBuilder<Sqlite> {
    // Of a name, the newest build of its greatest version stands for it.
    let order = match entries {
        Entries::Version => "image.name, image.ordered_version, image.build DESC",
        Entries::Name => "image.name, image.ordered_version DESC, image.build DESC",
    };
    let state = match deprecated {
        Deprecated::Shown => "run.state <> 'DELETED'",
        Deprecated::Hidden => "run.state NOT IN ('DELETED', 'DEPRECATED')",
    };
    let mut sql = QueryBuilder::new("WITH RECURSIVE page (run_id, name, ordered_version, n) AS (");
    sql.push(
        "SELECT image.run_id, image.name, image.ordered_version, 1 FROM image WHERE run_id = (",
    );
    let next = |sql: &mut QueryBuilder<Sqlite>, start| {
        sql.push("SELECT image.run_id FROM image JOIN run ON run.id = image.run_id WHERE ");
        push_scope(sql, scope);
        sql.push(" AND ").push(state);
        push_filters(sql, filters);
        push_range(sql, filters, start);
    };
    next(&mut sql, if after.is_none() { Start::First } else { Start::Later });
    if let Some(key) = after {
        match entries {
            Entries::Version => {
                sql.push(" AND (image.name, image.ordered_version) > (");
                sql.push_bind(key.name.clone()).push(", ");
                sql.push_bind(ordered(key.build.version)).push(")");
            }
            Entries::Name => {
                sql.push(" AND image.name > ").push_bind(key.name.clone());
            }
        }
    }
    sql.push(" ORDER BY ").push(order).push(" LIMIT 1)");
    sql.push(" UNION ALL SELECT found.run_id, found.name, found.ordered_version, page.n + 1");
    sql.push(" FROM page JOIN image AS found ON found.run_id = (");
    next(&mut sql, Start::Later);
    sql.push(match entries {
        Entries::Version => {
            " AND (image.name, image.ordered_version) > (page.name, page.ordered_version)"
        }
        Entries::Name => " AND image.name > page.name",
    });
    sql.push(" ORDER BY ").push(order).push(" LIMIT 1) WHERE page.n < ");
    sql.push_bind(i64::from(limit)).push(") ").push(SELECT);
    sql.push(" JOIN page ON page.run_id = image.run_id ORDER BY page.n");
    sql
}

/// Returns the builds of all images, or of the versions of one image, after `after` by name,
/// version and build, at most `limit`.
pub async fn builds(
    db: &Db,
    scope: Scope<'_>,
    image: Option<(&str, VersionPattern)>,
    filters: &Filters,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<Image>, StoreError> {
    attempt("list the builds of the image", async {
        let mut sql = builds_sql(scope, image, filters, after, limit);
        let rows = sql.build().fetch_all(db.pool()).await?;
        read(rows)
    })
    .await
}

fn builds_sql(
    scope: Scope<'_>,
    image: Option<(&str, VersionPattern)>,
    filters: &Filters,
    after: Option<&Key>,
    limit: u32,
) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(SELECT);
    sql.push(" WHERE ");
    push_scope(&mut sql, scope);
    sql.push(" AND run.state <> 'DELETED'");
    if let Some((name, pattern)) = image {
        let (from, to) = range(pattern);
        sql.push(" AND image.name = ").push_bind(name.to_owned());
        sql.push(" AND image.ordered_version BETWEEN ").push_bind(from);
        sql.push(" AND ").push_bind(to);
    } else {
        push_range(&mut sql, filters, if after.is_none() { Start::First } else { Start::Later });
    }
    push_filters(&mut sql, filters);
    if let Some(key) = after {
        let (name, version) = (key.name.clone(), ordered(key.build.version));
        sql.push(" AND (image.name, image.ordered_version) >= (");
        sql.push_bind(name.clone()).push(", ").push_bind(version.clone()).push(")");
        // The last build comes first, so the row after is one of a lower
        // number, or one of a later version.
        sql.push(" AND ((image.name, image.ordered_version) <> (");
        sql.push_bind(name).push(", ").push_bind(version).push(") OR image.build < ");
        sql.push_bind(i64::from(key.build.build)).push(")");
    }
    sql.push(" ORDER BY image.name, image.ordered_version, image.build DESC LIMIT ");
    sql.push_bind(i64::from(limit));
    sql
}

/// Returns the images that a pipeline made, the newest first, after `after`, at most `limit`.
pub async fn of_pipeline(
    db: &Db,
    pipeline: &str,
    filters: &Filters,
    after: Option<(i64, RunId)>,
    limit: u32,
) -> Result<Vec<Image>, StoreError> {
    attempt("list the pipeline's images", async {
        let mut sql = pipeline_sql(pipeline, filters, after, limit);
        let rows = sql.build().fetch_all(db.pool()).await?;
        read(rows)
    })
    .await
}

fn pipeline_sql(
    pipeline: &str,
    filters: &Filters,
    after: Option<(i64, RunId)>,
    limit: u32,
) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(SELECT);
    sql.push(" WHERE image.pipeline = ").push_bind(pipeline.to_owned());
    sql.push(" AND run.state <> 'DELETED'");
    push_filters(&mut sql, filters);
    if let Some((created_at, run)) = after {
        sql.push(" AND (image.created_at, image.run_id) < (");
        sql.push_bind(created_at).push(", ").push_bind(run.to_string()).push(")");
    }
    sql.push(" ORDER BY image.created_at DESC, image.run_id DESC LIMIT ");
    sql.push_bind(i64::from(limit));
    sql
}

fn push_scope(sql: &mut QueryBuilder<Sqlite>, scope: Scope<'_>) {
    sql.push("image.account = ").push_bind(scope.account.as_str().to_owned());
    sql.push(" AND image.region = ").push_bind(scope.region.as_str().to_owned());
}

fn push_filters(sql: &mut QueryBuilder<Sqlite>, filters: &Filters) {
    if !filters.versions.is_empty() {
        sql.push(" AND (");
        let mut any = sql.separated(" OR ");
        for pattern in &filters.versions {
            let (first, last) = range(*pattern);
            // The sign keeps the planner from reading an index by version, out of the list's order.
            any.push("+image.ordered_version BETWEEN ");
            any.push_bind_unseparated(first);
            any.push_unseparated(" AND ").push_bind_unseparated(last);
        }
        sql.push(")");
    }
    for (column, values) in [
        ("image.title", &filters.titles),
        ("image.os_version", &filters.os_versions),
        ("image.platform", &filters.platforms),
    ] {
        if values.is_empty() {
            continue;
        }
        sql.push(" AND ").push(column).push(" IN (");
        let mut list = sql.separated(", ");
        for value in values {
            list.push_bind(value.clone());
        }
        sql.push(")");
    }
}

/// Whether a search begins where the list does, or after an image that is in it.
#[derive(Debug, Clone, Copy)]
enum Start {
    First,
    Later,
}

/// Keeps a search for names among the images that may have them: the name in an image's ARN
/// follows from the one that is shown.
fn push_range(sql: &mut QueryBuilder<Sqlite>, filters: &Filters, start: Start) {
    let names = || filters.titles.iter().map(|title| name::segment(title));
    if let (Some(first), Start::First) = (names().min(), start) {
        sql.push(" AND image.name >= ").push_bind(first);
    }
    // The other bound is the image before: two would leave the planner a choice.
    if let Some(last) = names().max() {
        sql.push(" AND image.name <= ").push_bind(last);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

    use super::*;
    use crate::fixture::{Fixture, explain, new_run};
    use crate::{image, run};
    use model::ImageState;
    use name::{Account, Region};

    fn place() -> (Account, Region) {
        ("000000000000".parse().unwrap(), "local-1".parse().unwrap())
    }

    async fn record(db: &Db, n: u8, name: &str, version: &str) -> RunId {
        let mut new = new_run(n, name);
        new.version = version.parse().unwrap();
        new.shown.pipeline = Some("pipeline".to_owned());
        run::create(db, new).await.unwrap().id
    }

    fn keys(images: &[Image]) -> Vec<String> {
        images.iter().map(|image| format!("{}/{}", image.name, image.build)).collect()
    }

    #[tokio::test]
    async fn versions_sort_as_numbers_and_stand_for_their_last_build() {
        let Fixture { db, folder: _folder, .. } = Fixture::new().await;
        for (n, version) in (1..).zip(["1.0.0", "10.0.0", "9.0.0", "9.0.0"]) {
            record(&db, n, "web", version).await;
        }
        record(&db, 5, "app", "1.0.0").await;
        let (account, region) = place();
        let scope = Scope { account: &account, region: &region };
        let list = async |entries, deprecated| {
            let filters = Filters::default();
            keys(&versions(&db, scope, entries, deprecated, &filters, None, 25).await.unwrap())
        };
        let all = ["app/1.0.0/1", "web/1.0.0/1", "web/9.0.0/2", "web/10.0.0/1"];
        assert_eq!(list(Entries::Version, Deprecated::Shown).await, all);
        assert_eq!(list(Entries::Name, Deprecated::Shown).await, ["app/1.0.0/1", "web/10.0.0/1"]);

        // What is deprecated or deleted gives way to the build before.
        let newest: RunId = RunId::from_random([4; 8]);
        for to in [ImageState::Distributing, ImageState::Available, ImageState::Deprecated] {
            run::advance(&db, newest, to, "", 9).await.unwrap();
        }
        assert_eq!(list(Entries::Version, Deprecated::Shown).await, all);
        assert_eq!(list(Entries::Version, Deprecated::Hidden).await[2], "web/9.0.0/1");
        image::forget(&db, newest, 10).await.unwrap();
        assert_eq!(list(Entries::Version, Deprecated::Shown).await[2], "web/9.0.0/1");
    }

    #[tokio::test]
    async fn filters_and_other_accounts_leave_out() {
        let Fixture { db, folder: _folder, .. } = Fixture::new().await;
        record(&db, 1, "web", "1.0.0").await;
        let mail = record(&db, 2, "mail", "2.0.0").await;
        image::set_os_version(&db, mail, "Debian 12").await.unwrap();
        let (account, region) = place();
        let check = async |filters: Filters, expected: &[&str]| {
            let scope = Scope { account: &account, region: &region };
            let found = builds(&db, scope, None, &filters, None, 9).await.unwrap();
            assert_eq!(keys(&found), expected, "{filters:?}");
            let (entries, deprecated) = (Entries::Version, Deprecated::Hidden);
            let found = versions(&db, scope, entries, deprecated, &filters, None, 9).await.unwrap();
            assert_eq!(keys(&found), expected, "{filters:?}");
            let found = of_pipeline(&db, "pipeline", &filters, None, 9).await.unwrap();
            assert_eq!(keys(&found).into_iter().collect::<BTreeSet<_>>().len(), expected.len());
        };
        let some = |text: &str| vec![text.to_owned()];
        let all = ["mail/2.0.0/1", "web/1.0.0/1"];
        check(Filters::default(), &all).await;
        check(Filters { titles: some("web"), ..Filters::default() }, &all[1..]).await;
        check(Filters { titles: some("Web"), ..Filters::default() }, &[]).await;
        for (patterns, expected) in [
            (&["2.0.0"][..], &all[..1]),
            (&["2.x.x"], &all[..1]),
            (&["1.0.x", "3.x.x"], &all[1..]),
            (&["2.0.0", "x.x.x"], &all),
            (&["1.1.x"], &[]),
        ] {
            let versions = patterns.iter().map(|text| text.parse().unwrap()).collect();
            check(Filters { versions, ..Filters::default() }, expected).await;
        }
        check(Filters { os_versions: some("Debian 12"), ..Filters::default() }, &all[..1]).await;
        check(Filters { platforms: some("Windows"), ..Filters::default() }, &[]).await;

        let other: Account = "123456789012".parse().unwrap();
        let scope = Scope { account: &other, region: &region };
        let none = builds(&db, scope, None, &Filters::default(), None, 9).await.unwrap();
        assert!(none.is_empty());
    }

    #[tokio::test]
    async fn patterns_find_the_newest() {
        let Fixture { db, folder: _folder, .. } = Fixture::new().await;
        let all = ["1.0.0", "1.0.0", "1.2.0", "1.10.0", "2.0.0", "10.0.0"];
        for (n, version) in (1..).zip(all) {
            record(&db, n, "web", version).await;
        }
        let (account, region) = place();
        let scope = Scope { account: &account, region: &region };
        let check = async |pattern: &str, expected: Option<&str>, of: image::Builds| {
            let pattern = pattern.parse().unwrap();
            let found = image::latest(&db, scope, "web", pattern, of).await.unwrap();
            assert_eq!(found.map(|image| image.build.to_string()).as_deref(), expected);
        };
        check("x.x.x", Some("10.0.0/1"), image::Builds::Any).await;
        check("1.x.x", Some("1.10.0/1"), image::Builds::Any).await;
        check("1.2.x", Some("1.2.0/1"), image::Builds::Any).await;
        check("1.0.0", Some("1.0.0/2"), image::Builds::Any).await;
        check("3.x.x", None, image::Builds::Any).await;
        check("x.x.x", None, image::Builds::Available).await;
        for to in [ImageState::Distributing, ImageState::Available] {
            run::advance(&db, RunId::from_random([1; 8]), to, "", 9).await.unwrap();
        }
        check("x.x.x", Some("1.0.0/1"), image::Builds::Available).await;
    }

    /// Each page is found by seeks in an index, whatever there is before it and whatever is
    /// filtered; only the page itself may be sorted.
    #[tokio::test]
    async fn no_list_scans_the_images() {
        let Fixture { db, folder: _folder, .. } = Fixture::new().await;
        let (account, region) = place();
        let scope = Scope { account: &account, region: &region };
        let key = Key { name: "web".to_owned(), build: "1.0.0/1".parse().unwrap() };
        let some = |text: &str| vec![text.to_owned(), format!("another {text}")];
        let listed = ["1.0.0", "2.x.x"].map(|version| version.parse().unwrap()).to_vec();
        let none = Filters::default();
        let all = Filters {
            titles: some("Web"),
            versions: listed.clone(),
            os_versions: some("Debian 12"),
            platforms: some("Linux"),
        };
        let each = [
            Filters { titles: vec!["Web".to_owned()], ..none.clone() },
            Filters { titles: all.titles.clone(), ..none.clone() },
            Filters { versions: listed, ..none.clone() },
            Filters { os_versions: all.os_versions.clone(), ..none.clone() },
            Filters { platforms: all.platforms.clone(), ..none.clone() },
        ];
        let patterns = ["x.x.x", "1.x.x", "1.2.x", "1.2.3"].map(|text| text.parse().unwrap());
        for of in [image::Builds::Any, image::Builds::Available] {
            explain(&db, &super::super::latest_sql(of), "image_by_newest", &[]).await;
        }
        let index = "image_by_version";
        for filters in each.iter().chain([&none, &all]) {
            for after in [None, Some(&key)] {
                for deprecated in [Deprecated::Shown, Deprecated::Hidden] {
                    for entries in [Entries::Version, Entries::Name] {
                        let sql = versions_sql(scope, entries, deprecated, filters, after, 25);
                        let index = match entries {
                            Entries::Version => "image_by_version",
                            Entries::Name => "image_by_newest",
                        };
                        explain(&db, &sql.into_string(), index, &["page"]).await;
                    }
                }
                let sql = builds_sql(scope, None, filters, after, 25);
                explain(&db, &sql.into_string(), index, &[]).await;
                for pattern in patterns {
                    let sql = builds_sql(scope, Some(("web", pattern)), filters, after, 25);
                    explain(&db, &sql.into_string(), index, &[]).await;
                }
            }
            for after in [None, Some((7, RunId::from_random([7; 8])))] {
                let sql = pipeline_sql("pipeline", filters, after, 25);
                explain(&db, &sql.into_string(), "image_by_pipeline", &[]).await;
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// However long the pages, every image is on one of them, once and in order.
        #[test]
        fn pages_hold_every_image_once(
            made in proptest::collection::vec((0..3_u8, 0..3_u8, any::<bool>()), 0..24),
            limit in 1..6_u32,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let Fixture { db, folder: _folder, .. } = Fixture::new().await;
                for (n, (name, version, gone)) in (1..).zip(&made) {
                    let run = record(&db, n, &format!("i{name}"), &format!("{version}.0.0")).await;
                    if *gone {
                        run::advance(&db, run, ImageState::Failed, "", 9).await.unwrap();
                        image::forget(&db, run, 10).await.unwrap();
                    }
                }
                let (account, region) = place();
                let scope = Scope { account: &account, region: &region };
                let filters = Filters::default();
                let whole = builds(&db, scope, None, &filters, None, 1000).await.unwrap();
                let (mut paged, mut after) = (Vec::new(), None);
                loop {
                    let page = builds(&db, scope, None, &filters, after.as_ref(), limit).await;
                    let page = page.unwrap();
                    let Some(last) = page.last() else { break };
                    after = Some(Key { name: last.name.clone(), build: last.build });
                    paged.extend(page);
                }
                assert_eq!(keys(&paged), keys(&whole));
                let left = made.iter().filter(|(_, _, gone)| !gone);
                prop_assert_eq!(whole.len(), left.clone().count());

                let expected: BTreeSet<(u8, u8)> =
                    left.map(|(name, version, _)| (*name, *version)).collect();
                let (mut found, mut after) = (Vec::new(), None);
                loop {
                    let (entries, deprecated) = (Entries::Version, Deprecated::Hidden);
                    let after_key = after.as_ref();
                    let page = versions(&db, scope, entries, deprecated, &filters, after_key, limit);
                    let page = page.await.unwrap();
                    let Some(last) = page.last() else { break };
                    after = Some(Key { name: last.name.clone(), build: last.build });
                    found.extend(page);
                }
                let found: Vec<String> = found
                    .iter()
                    .map(|image| format!("{}/{}", image.name, image.build.version))
                    .collect();
                let expected: Vec<String> =
                    expected.iter().map(|(name, version)| format!("i{name}/{version}.0.0")).collect();
                prop_assert_eq!(found, expected);

                let titles = vec!["i2".to_owned(), "i0".to_owned()];
                let named = Filters { titles, ..Filters::default() };
                let (mut some, mut after) = (Vec::new(), None);
                loop {
                    let page = builds(&db, scope, None, &named, after.as_ref(), limit).await;
                    let page = page.unwrap();
                    let Some(last) = page.last() else { break };
                    after = Some(Key { name: last.name.clone(), build: last.build });
                    some.extend(page);
                }
                let expected = whole.iter().filter(|image| image.name != "i1").cloned();
                prop_assert_eq!(some, expected.collect::<Vec<_>>());

                let (mut count, mut after) = (0, None);
                loop {
                    let page = of_pipeline(&db, "pipeline", &filters, after, limit).await.unwrap();
                    let Some(last) = page.last() else { break };
                    after = Some((last.created_at, last.run));
                    count += page.len();
                }
                prop_assert_eq!(count, whole.len());
                Ok(())
            })?;
        }
    }
}
