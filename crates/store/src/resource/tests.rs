//! What holds of resources, whatever they are.

use std::collections::BTreeMap;

use serde_json::json;

use name::{Account, Arn, Digest, Kind, Region};

use super::{
    Done, Entry, Grain, New, Numbering, Replacement, Wanted, change_tags, create, delete, find,
    list, policy, rehearse, replace, set_policy,
};
use crate::client_token::{Claim, answered};
use crate::fixture::{Fixture, explain};
use crate::{Db, StoreErrorKind, TagChange};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

fn account() -> Account {
    "123456789012".parse().unwrap()
}

fn region() -> Region {
    "local-1".parse().unwrap()
}

fn arn(rest: &str) -> Arn {
    format!("arn:aws:imagebuilder:local-1:123456789012:{rest}").parse().unwrap()
}

fn claim(token: &str) -> Claim {
    Claim {
        account: account(),
        region: region(),
        operation: "Create",
        token: token.to_owned(),
        digest: Digest::of(token.as_bytes()),
        at: 7,
    }
}

fn new(kind: Kind, name: &str, numbering: Numbering) -> New {
    New {
        account: account(),
        region: region(),
        kind,
        name: name.to_owned(),
        numbering,
        body: json!({"of": name}),
        tags: BTreeMap::new(),
        references: Vec::new(),
        at: 7,
    }
}

fn build(name: &str, version: &str, contents: &str) -> New {
    let contents = Digest::of(contents.as_bytes());
    let numbering = Numbering::Build { version: version.parse().unwrap(), contents };
    new(Kind::Component, name, numbering)
}

fn recipe(name: &str, version: &str, references: &[&str]) -> New {
    let numbering = match version.parse() {
        Ok(version) => Numbering::Version(version),
        Err(_) => Numbering::Next(version.parse().unwrap()),
    };
    let references = references.iter().map(|reference| arn(reference)).collect();
    New { references, ..new(Kind::ImageRecipe, name, numbering) }
}

/// Makes a resource under a token of its own and returns the end of its ARN.
async fn make(db: &Db, new: &New) -> Result<String, StoreErrorKind> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static TOKENS: AtomicU32 = AtomicU32::new(0);
    let token = TOKENS.fetch_add(1, Ordering::Relaxed).to_string();
    match create(db, new, &claim(&token)).await {
        Ok(done) => Ok(done.answer().split_once("123456789012:").unwrap().1.to_owned()),
        Err(error) => Err(error.into_kind()),
    }
}

async fn listed(db: &Db, grain: Grain, of: Option<&str>) -> Vec<String> {
    let wanted = Wanted {
        account: account(),
        region: region(),
        kinds: [Kind::Component; 2],
        of: of.map(arn),
        grain,
    };
    let (mut found, mut after): (Vec<String>, Option<Arn>) = (Vec::new(), None);
    loop {
        // One by one, so that every row is where a page ends.
        let page = list(db, &wanted, after.as_ref(), 1).await.unwrap();
        let Some(Entry { arn, .. }) = page.into_iter().next() else { return found };
        found.push(arn.to_string().split_once("component/").unwrap().1.to_owned());
        after = Some(arn);
    }
}

#[tokio::test]
async fn builds_are_numbered_and_the_newest_are_known() {
    let Fixture { db, folder: _folder } = Fixture::new().await;
    for (name, version, contents, expected) in [
        ("web", "1.0.0", "a", "component/web/1.0.0/1"),
        ("web", "1.0.0", "b", "component/web/1.0.0/2"),
        ("web", "1.10.0", "a", "component/web/1.10.0/1"),
        ("web", "1.9.0", "a", "component/web/1.9.0/1"),
        ("db", "1.0.0", "a", "component/db/1.0.0/1"),
        ("web-1", "1.0.0", "a", "component/web-1/1.0.0/1"),
    ] {
        assert_eq!(make(&db, &build(name, version, contents)).await.unwrap(), expected);
    }
    let error = make(&db, &build("web", "1.0.0", "a")).await.unwrap_err();
    assert!(
        matches!(error, StoreErrorKind::Identical { arn: same } if same == arn("component/web/1.0.0/1").to_string())
    );

    let all = [
        "db/1.0.0/1",
        "web/1.0.0/1",
        "web/1.0.0/2",
        "web/1.9.0/1",
        "web/1.10.0/1",
        "web-1/1.0.0/1",
    ];
    assert_eq!(listed(&db, Grain::Builds, None).await, all);
    let versions = ["db/1.0.0/1", "web/1.0.0/2", "web/1.9.0/1", "web/1.10.0/1", "web-1/1.0.0/1"];
    assert_eq!(listed(&db, Grain::Versions, None).await, versions);
    let names = ["db/1.0.0/1", "web/1.10.0/1", "web-1/1.0.0/1"];
    assert_eq!(listed(&db, Grain::Names, None).await, names);
    let of = Some("component/web/1.0.0");
    assert_eq!(listed(&db, Grain::Builds, of).await, ["web/1.0.0/1", "web/1.0.0/2"]);
    let of = Some("component/web/1.x.x");
    assert_eq!(listed(&db, Grain::Versions, of).await.len(), 3);

    for gone in ["component/web/1.10.0/1", "component/web/1.0.0/2"] {
        delete(&db, &arn(gone)).await.unwrap();
    }
    let versions = ["db/1.0.0/1", "web/1.0.0/1", "web/1.9.0/1", "web-1/1.0.0/1"];
    assert_eq!(listed(&db, Grain::Versions, None).await, versions);
    assert_eq!(
        listed(&db, Grain::Names, None).await,
        ["db/1.0.0/1", "web/1.9.0/1", "web-1/1.0.0/1"]
    );
    // The number of a build that is gone is not given out again.
    let again = make(&db, &build("web", "1.0.0", "c")).await.unwrap();
    assert_eq!(again, "component/web/1.0.0/3");
    // An older version does not become the newest by being made later.
    make(&db, &build("web", "0.1.0", "a")).await.unwrap();
    assert_eq!(listed(&db, Grain::Names, None).await[1], "web/1.9.0/1");
}

#[tokio::test]
async fn lists_read_an_index_from_where_the_page_begins() {
    let Fixture { db, folder: _folder } = Fixture::new().await;
    let place = "account=? AND region=?";
    let names = "(kind,segment)>(?,?) AND (kind,segment)<(?,?)";
    let key = "(kind,segment,major,minor,patch)";
    let versions = format!("{key}>(?,?,?,?,?) AND {key}<(?,?,?,?,?)");
    let key = "(kind,segment,major,minor,patch,build)";
    let builds = format!("{key}>(?,?,?,?,?,?) AND {key}<(?,?,?,?,?,?)");
    let newest = "kind=? AND segment=? AND (major,minor,patch,build)>(?,?,?,?) AND \
                  (major,minor,patch,build)<(?,?,?,?)";
    for (sql, index, bounds) in [
        (super::find::NAMES, "resource_newest_version", names),
        (super::find::VERSIONS, "resource_newest_build", &versions),
        (super::find::BUILDS, "sqlite_autoindex_resource_2", &builds),
        (super::find::NEWEST, "sqlite_autoindex_resource_2", newest),
    ] {
        explain(&db, sql, &format!("{index} ({place} AND {bounds})"), &[]).await;
    }
}

#[tokio::test]
async fn arns_stand_for_the_newest_that_there_is() {
    let Fixture { db, folder: _folder } = Fixture::new().await;
    for version in ["1.2.3", "1.3.0", "2.0.0"] {
        make(&db, &build("web", version, "a")).await.unwrap();
    }
    make(&db, &build("web", "1.2.3", "b")).await.unwrap();
    make(&db, &recipe("web", "1.0.0", &[])).await.unwrap();
    make(&db, &new(Kind::ImagePipeline, "Web", Numbering::Unversioned)).await.unwrap();
    for (wanted, expected) in [
        ("component/web", "component/web/2.0.0/1"),
        ("component/web/x.x.x", "component/web/2.0.0/1"),
        ("component/web/1.x.x", "component/web/1.3.0/1"),
        ("component/web/1.2.x", "component/web/1.2.3/2"),
        ("component/web/1.2.3", "component/web/1.2.3/2"),
        ("component/web/1.2.3/1", "component/web/1.2.3/1"),
        ("image-recipe/web/1.0.0", "image-recipe/web/1.0.0"),
        ("image-recipe/web/x.x.x", "image-recipe/web/1.0.0"),
        ("image-pipeline/web", "image-pipeline/web"),
    ] {
        let found = find(&db, &arn(wanted)).await.unwrap().unwrap();
        assert_eq!(found.arn, arn(expected), "{wanted}");
    }
    for none in ["component/web/3.x.x", "component/web/1.2.3/3", "image-pipeline/webs"] {
        assert_eq!(find(&db, &arn(none)).await.unwrap(), None, "{none}");
    }
}

#[tokio::test]
async fn versions_are_taken_once_and_open_ones_go_on() {
    let Fixture { db, folder: _folder } = Fixture::new().await;
    for (version, expected) in [
        ("1.0.x", "image-recipe/web/1.0.0"),
        ("1.0.5", "image-recipe/web/1.0.5"),
        ("1.0.x", "image-recipe/web/1.0.6"),
        ("1.x.0", "image-recipe/web/1.1.0"),
        ("x.0.0", "image-recipe/web/2.0.0"),
    ] {
        assert_eq!(make(&db, &recipe("web", version, &[])).await.unwrap(), expected);
    }
    for (taken, name) in
        [(recipe("WEB", "1.0.5", &[]), "web"), (recipe("web", "1.1073741823.0", &[]), "")]
    {
        let made = make(&db, &taken).await;
        assert_eq!(matches!(made, Err(StoreErrorKind::Taken { .. })), !name.is_empty());
    }
    let error = make(&db, &recipe("web", "1.x.0", &[])).await.unwrap_err();
    assert!(matches!(error, StoreErrorKind::Taken { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_needed_stays() {
    let Fixture { db, folder: _folder } = Fixture::new().await;
    let error = make(&db, &recipe("web", "1.0.0", &["component/a/x.x.x"])).await.unwrap_err();
    assert!(matches!(error, StoreErrorKind::Unresolved { .. }), "{error:?}");
    assert!(find(&db, &arn("image-recipe/web/1.0.0")).await.unwrap().is_none());

    for version in ["1.0.0", "2.0.0"] {
        make(&db, &build("a", version, "a")).await.unwrap();
    }
    let references = ["component/a/x.x.x", "component/a/2.0.0/1"];
    make(&db, &recipe("web", "1.0.0", &references)).await.unwrap();
    // The pinned build stays; the wildcard has another to stand for.
    delete(&db, &arn("component/a/1.0.0/1")).await.unwrap();
    let error = delete(&db, &arn("component/a/2.0.0/1")).await.unwrap_err();
    let StoreErrorKind::Needed { by, .. } = error.kind() else { panic!("{error:?}") };
    assert_eq!(*by, [arn("image-recipe/web/1.0.0").to_string()]);
    assert!(find(&db, &arn("component/a/2.0.0/1")).await.unwrap().is_some());
    delete(&db, &arn("image-recipe/web/1.0.0")).await.unwrap();
    delete(&db, &arn("component/a/2.0.0/1")).await.unwrap();
}

#[tokio::test]
async fn replacing_replaces_references_too() {
    let Fixture { db, folder: _folder } = Fixture::new().await;
    for name in ["a", "b"] {
        make(&db, &recipe(name, "1.0.0", &[])).await.unwrap();
    }
    let references = vec![arn("image-recipe/a/1.0.0")];
    let pipeline = New { references, ..new(Kind::ImagePipeline, "web", Numbering::Unversioned) };
    make(&db, &pipeline).await.unwrap();
    let mut change = Replacement {
        arn: arn("image-pipeline/web"),
        body: json!({"of": "b"}),
        references: vec![arn("image-recipe/b/1.0.0")],
        at: 8,
    };
    let done = replace(&db, &change, &claim("change")).await.unwrap();
    assert_eq!(done, Done::Now(change.arn.clone()));
    let found = find(&db, &change.arn).await.unwrap().unwrap();
    assert_eq!((found.body, found.created_at, found.updated_at), (json!({"of": "b"}), 7, 8));
    delete(&db, &arn("image-recipe/a/1.0.0")).await.unwrap();
    assert!(delete(&db, &arn("image-recipe/b/1.0.0")).await.is_err());

    change.arn = arn("image-pipeline/none");
    let error = replace(&db, &change, &claim("none")).await.unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::Missing { .. }), "{error:?}");
}

#[tokio::test]
async fn tokens_are_kept_for_a_day() {
    let Fixture { db, folder: _folder } = Fixture::new().await;
    let web = build("web", "1.0.0", "a");
    let first = create(&db, &web, &claim("1")).await.unwrap();
    let again = create(&db, &web, &claim("1")).await.unwrap();
    assert_eq!(again, Done::Before(first.clone().answer()));
    let other = Claim { digest: Digest::of(b"other"), ..claim("1") };
    let error = create(&db, &web, &other).await.unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::TokenMismatch { .. }), "{error:?}");
    for (at, expected) in [(7 + DAY - 1, Some(first.answer())), (7 + DAY, None)] {
        assert_eq!(answered(&db, &Claim { at, ..claim("1") }).await.unwrap(), expected);
    }
    // Once it is forgotten it can be given again.
    let late = Claim { at: 7 + DAY, ..other };
    assert!(matches!(create(&db, &build("web", "2.0.0", "a"), &late).await.unwrap(), Done::Now(_)));
}

#[tokio::test]
async fn rehearsals_leave_nothing() {
    let Fixture { db, folder: _folder } = Fixture::new().await;
    let web = build("web", "1.0.0", "a");
    assert_eq!(rehearse(&db, &web).await.unwrap(), arn("component/web/1.0.0/1"));
    assert_eq!(find(&db, &arn("component/web/1.0.0/1")).await.unwrap(), None);
    make(&db, &web).await.unwrap();
    assert!(rehearse(&db, &web).await.is_err());
}

#[tokio::test]
async fn tags_and_policies_belong_to_exact_arns() {
    let Fixture { db, folder: _folder } = Fixture::new().await;
    let web = arn(&make(&db, &build("web", "1.0.0", "a")).await.unwrap());
    let tags = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let set = async |arn: &Arn, more| change_tags(&db, arn, TagChange::Set(more)).await;
    let remove = async |arn: &Arn, names: &[&str]| {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        change_tags(&db, arn, TagChange::Remove(names)).await
    };
    set(&web, tags(&[("a", "1"), ("b", "1")])).await.unwrap();
    set(&web, tags(&[("b", "2"), ("c", "2")])).await.unwrap();
    remove(&web, &["a", "d"]).await.unwrap();
    let found = find(&db, &web).await.unwrap().unwrap();
    assert_eq!(found.tags, tags(&[("b", "2"), ("c", "2")]));
    let many = (0..49).map(|n| (n.to_string(), String::new())).collect();
    let error = set(&web, many).await.unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::Tags { .. }), "{error:?}");

    assert_eq!(policy(&db, &web).await.unwrap(), None);
    set_policy(&db, &web, "{}").await.unwrap();
    assert_eq!(policy(&db, &web).await.unwrap().as_deref(), Some("{}"));

    let latest = arn("component/web/x.x.x");
    assert!(set(&latest, tags(&[])).await.is_err());
    assert!(remove(&latest, &[]).await.is_err());
    assert!(policy(&db, &latest).await.is_err());
    assert!(set_policy(&db, &latest, "{}").await.is_err());
    assert!(delete(&db, &latest).await.is_err());
}
