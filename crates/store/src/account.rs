//! Accounts: who owns images, and in whose name requests are made.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use model::Alias;
use name::Account;

use crate::access_key::{self, NewKey};
use crate::column::text;
use crate::error::attempt;
use crate::{Db, Keyring, StoreError, StoreErrorKind};

/// An account as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its twelve digits.
    pub id: Account,
    /// What people call it.
    pub alias: Alias,
    /// When it was made, in microseconds.
    pub created_at: i64,
}

/// Records an account.
///
/// Fails with [`StoreErrorKind::Taken`] if its id or alias is another's.
pub async fn create(db: &Db, entry: &Entry) -> Result<(), StoreError> {
    attempt("make the account", async {
        let mut tx = db.begin().await?;
        insert(&mut tx, entry).await?;
        Ok(tx.commit().await?)
    })
    .await
}

/// Returns the first account; if there is none yet, makes `entry` and its key.
///
/// Of several processes that do so at once, one makes it, and all get the same.
pub async fn first(
    db: &Db,
    keyring: &Keyring,
    entry: Entry,
    key: &NewKey,
) -> Result<Entry, StoreError> {
    attempt("find or make the first account", async {
        if let Some(first) = oldest(db).await? {
            return Ok(first);
        }
        let mut tx = db.begin().await?;
        let row = sqlx::query(OLDEST).fetch_optional(&mut *tx).await?;
        if let Some(row) = row {
            return Entry::read(row);
        }
        insert(&mut tx, &entry).await?;
        access_key::insert(&mut tx, keyring, &entry.id, key).await?;
        tx.commit().await?;
        Ok(entry)
    })
    .await
}

/// Returns the account with the id or alias.
pub async fn find(db: &Db, name: &str) -> Result<Entry, StoreError> {
    attempt("find the account", async {
        let row = sqlx::query("SELECT * FROM account WHERE id = $1 OR alias = $1")
            .bind(name)
            .fetch_optional(db.pool())
            .await?;
        let missing = || StoreErrorKind::Missing { what: format!("account `{name}`") };
        Entry::read(row.ok_or_else(missing)?)
    })
    .await
}

/// Returns all accounts, the oldest first.
pub async fn list(db: &Db) -> Result<Vec<Entry>, StoreError> {
    attempt("list the accounts", async {
        let rows = sqlx::query("SELECT * FROM account ORDER BY created_at, id")
            .fetch_all(db.pool())
            .await?;
        rows.into_iter().map(Entry::read).collect()
    })
    .await
}

const OLDEST: &str = "SELECT * FROM account ORDER BY created_at, id LIMIT 1";

async fn oldest(db: &Db) -> Result<Option<Entry>, StoreErrorKind> {
    let row = sqlx::query(OLDEST).fetch_optional(db.pool()).await?;
    row.map(Entry::read).transpose()
}

async fn insert(tx: &mut Transaction<'_, Sqlite>, entry: &Entry) -> Result<(), StoreErrorKind> {
    let done = sqlx::query(
        "INSERT INTO account (id, alias, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(entry.id.as_str())
    .bind(entry.alias.as_str())
    .bind(entry.created_at)
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    Err(StoreErrorKind::Taken { what: format!("account `{}`", entry.alias) })
}

impl Entry {
    fn read(row: SqliteRow) -> Result<Self, StoreErrorKind> {
        Ok(Self {
            id: text(&row, "id")?,
            alias: text(&row, "alias")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, account, new_key};

    #[tokio::test]
    async fn accounts_are_found_by_both_names() {
        let Fixture { db, folder: _folder } = Fixture::new().await;
        let [one, two] = [account(1, "first"), account(2, "second")];
        create(&db, &one).await.unwrap();
        create(&db, &two).await.unwrap();
        assert_eq!(list(&db).await.unwrap(), [one.clone(), two.clone()]);
        assert_eq!(find(&db, "second").await.unwrap(), two);
        assert_eq!(find(&db, one.id.as_str()).await.unwrap(), one);
        let error = find(&db, "third").await.unwrap_err();
        assert_eq!(error.kind().to_string(), "there is no account `third`");

        for taken in [account(3, "first"), account(1, "third")] {
            let error = create(&db, &taken).await.unwrap_err();
            assert!(matches!(error.kind(), StoreErrorKind::Taken { .. }), "{error:?}");
        }
        assert_eq!(list(&db).await.unwrap().len(), 2);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn one_account_is_the_first() {
        let fixture = Fixture::new().await;
        let keyring = fixture.keyring();
        let tasks = (1..=8).map(|n| {
            let (db, keyring) = (fixture.db.clone(), keyring.clone());
            let entry = account(n, &format!("account-{n}"));
            tokio::spawn(async move { first(&db, &keyring, entry, &new_key(n)).await.unwrap() })
        });
        let mut made = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            made.push(task.await.unwrap());
        }
        let accounts = list(&fixture.db).await.unwrap();
        assert_eq!(accounts.len(), 1);
        assert!(made.iter().all(|entry| *entry == accounts[0]), "{made:?}");
        assert_eq!(access_key::list(&fixture.db).await.unwrap().len(), 1);
    }
}
