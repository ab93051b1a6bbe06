//! The tags of images.

use name::RunId;

use crate::column::tags;
use crate::error::attempt;
use crate::tag::column;
use crate::{Db, StoreError, StoreErrorKind, TagChange};

/// Changes the tags of the image that a run makes.
///
/// Fails with [`StoreErrorKind::Missing`] if there is none and with
/// [`StoreErrorKind::Tags`] if they would break a rule together.
pub async fn change_tags(db: &Db, run: RunId, change: TagChange) -> Result<(), StoreError> {
    attempt("change the image's tags", async {
        let what = || format!("image of {run}");
        let mut tx = db.begin().await?;
        let row = sqlx::query("SELECT tags FROM image WHERE run_id = $1")
            .bind(run.to_string())
            .fetch_optional(&mut *tx)
            .await?;
        let row = row.ok_or_else(|| StoreErrorKind::Missing { what: what() })?;
        let own = tags(&row, "tags")?;
        let own = own.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let tags = change
            .apply(own.collect())
            .map_err(|source| StoreErrorKind::Tags { arn: what(), source })?;
        sqlx::query("UPDATE image SET tags = $2 WHERE run_id = $1")
            .bind(run.to_string())
            .bind(column(&tags))
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;
    use crate::image;

    #[tokio::test]
    async fn every_change_builds_on_the_one_before() {
        let fixture = Fixture::new().await;
        let db = &fixture.db;
        let run = fixture.run(1, "web").await.id;
        let set = |n: u32| TagChange::Set([(n.to_string(), String::new())].into());
        let changes = (0..20).map(|n| {
            let db = db.clone();
            tokio::spawn(async move { change_tags(&db, run, set(n)).await })
        });
        for change in changes.collect::<Vec<_>>() {
            change.await.unwrap().unwrap();
        }
        let removed = (1..20).map(|n| n.to_string()).collect();
        let kept = image::of_run(db, run).await.unwrap().tags;
        assert_eq!(kept.iter().count(), 20);
        change_tags(db, run, TagChange::Remove(removed)).await.unwrap();
        let kept = image::of_run(db, run).await.unwrap().tags;
        assert_eq!(kept.iter().collect::<Vec<_>>(), [("0", "")]);

        let many = TagChange::Set((0..51).map(|n| (n.to_string(), String::new())).collect());
        let error = change_tags(db, run, many).await.unwrap_err();
        assert!(matches!(error.kind(), StoreErrorKind::Tags { .. }), "{error:?}");
        let error = change_tags(db, RunId::from_random([9; 8]), set(1)).await.unwrap_err();
        assert!(matches!(error.kind(), StoreErrorKind::Missing { .. }), "{error:?}");
    }
}
