//! Access keys: what an account's requests are signed with. Their secrets are sealed.

use seal::Secret;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use model::KeyStatus;
use name::{AccessKeyId, Account};

use crate::column::{text, word};
use crate::error::attempt;
use crate::{Db, Keyring, StoreError, StoreErrorKind};

/// An access key as it is recorded, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: AccessKeyId,
    /// Whose it is.
    pub account: Account,
    /// Whether it opens anything.
    pub status: KeyStatus,
    /// When it was made, in microseconds.
    pub created_at: i64,
    /// When a request was last signed with it, in microseconds, roughly.
    pub used_at: Option<i64>,
}

/// An access key to record; it is active.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its id.
    pub id: AccessKeyId,
    /// What requests are signed with.
    pub secret: Secret,
    /// When it was made, in microseconds.
    pub created_at: i64,
}

impl NewKey {
    /// Returns the key for forty random bytes; its secret has 40 characters, as AWS's have.
    pub fn from_random(bytes: [u8; 40], created_at: i64) -> Self {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut id = [0; 10];
        id.copy_from_slice(&bytes[..10]);
        let mut secret = String::with_capacity(40);
        for three in bytes[10..].chunks(3) {
            let number = three.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
            let letters = [18, 12, 6, 0].map(|shift| ALPHABET[(number >> shift & 63) as usize]);
            secret.extend(letters.map(char::from));
        }
        Self { id: AccessKeyId::from_random(id), secret: Secret::new(secret), created_at }
    }
}

/// Records a key of an account.
///
/// An account may have any number, so that a new one is in use before the old one goes.
pub async fn create(
    db: &Db,
    keyring: &Keyring,
    account: &Account,
    key: &NewKey,
) -> Result<(), StoreError> {
    attempt("make the access key", async {
        let mut tx = db.begin().await?;
        insert(&mut tx, keyring, account, key).await?;
        Ok(tx.commit().await?)
    })
    .await
}

/// Returns whose key it is and its secret, if there is such a key and it is active.
pub async fn secret(
    db: &Db,
    keyring: &Keyring,
    id: &AccessKeyId,
) -> Result<Option<(Account, Secret)>, StoreError> {
    attempt("find the access key", async {
        let row =
            sqlx::query("SELECT account, secret FROM access_key WHERE id = $1 AND status = $2")
                .bind(id.as_str())
                .bind(KeyStatus::Active.as_str())
                .fetch_optional(db.pool())
                .await?;
        let Some(row) = row else { return Ok(None) };
        let account = text(&row, "account")?;
        let secret =
            keyring.open_column("secret", &context(&account, id), row.try_get("secret")?)?;
        Ok(Some((account, secret)))
    })
    .await
}

/// Returns all keys, those of an account together, the newest first.
pub async fn list(db: &Db) -> Result<Vec<Entry>, StoreError> {
    attempt("list the access keys", async {
        let rows = sqlx::query(
            "SELECT id, account, status, created_at, used_at FROM access_key
              ORDER BY account, created_at DESC, id",
        )
        .fetch_all(db.pool())
        .await?;
        rows.into_iter().map(Entry::read).collect()
    })
    .await
}

/// Lets a key open requests, or no longer.
pub async fn set_status(db: &Db, id: &AccessKeyId, status: KeyStatus) -> Result<(), StoreError> {
    attempt("change the access key", async {
        let done = sqlx::query("UPDATE access_key SET status = $2 WHERE id = $1")
            .bind(id.as_str())
            .bind(status.as_str())
            .execute(db.writer())
            .await?;
        require(id, done.rows_affected())
    })
    .await
}

/// Records that requests were signed with a key. A time before the recorded one changes nothing.
///
/// Every call is a write to the disk: callers keep track and tell now and then.
pub async fn mark_used(db: &Db, id: &AccessKeyId, at: i64) -> Result<(), StoreError> {
    attempt("record the use of the access key", async {
        sqlx::query(
            "UPDATE access_key SET used_at = $2
              WHERE id = $1 AND (used_at IS NULL OR used_at < $2)",
        )
        .bind(id.as_str())
        .bind(at)
        .execute(db.writer())
        .await?;
        Ok(())
    })
    .await
}

/// Deletes a key. It may be the last one of its account, whose requests are all refused then.
pub async fn delete(db: &Db, id: &AccessKeyId) -> Result<(), StoreError> {
    attempt("delete the access key", async {
        let done = sqlx::query("DELETE FROM access_key WHERE id = $1")
            .bind(id.as_str())
            .execute(db.writer())
            .await?;
        require(id, done.rows_affected())
    })
    .await
}

/// Records a key, inside a transaction.
pub(crate) async fn insert(
    tx: &mut Transaction<'_, Sqlite>,
    keyring: &Keyring,
    account: &Account,
    key: &NewKey,
) -> Result<(), StoreErrorKind> {
    let done = sqlx::query(
        "INSERT INTO access_key (id, account, secret, status, created_at)
         SELECT $1, id, $3, $4, $5 FROM account WHERE id = $2",
    )
    .bind(key.id.as_str())
    .bind(account.as_str())
    .bind(keyring.seal(&context(account, &key.id), &key.secret)?)
    .bind(KeyStatus::Active.as_str())
    .bind(key.created_at)
    .execute(&mut **tx)
    .await?;
    match done.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreErrorKind::Missing { what: format!("account `{account}`") }),
    }
}

/// Returns where a secret belongs: it is of no use in another row, nor for another account.
fn context(account: &Account, id: &AccessKeyId) -> String {
    format!("access_key/{account}/{id}")
}

fn require(id: &AccessKeyId, rows: u64) -> Result<(), StoreErrorKind> {
    match rows {
        0 => Err(StoreErrorKind::Missing { what: format!("access key {id}") }),
        _ => Ok(()),
    }
}

impl Entry {
    fn read(row: SqliteRow) -> Result<Self, StoreErrorKind> {
        Ok(Self {
            id: text(&row, "id")?,
            account: text(&row, "account")?,
            status: word(&row, "status", &KeyStatus::ALL, KeyStatus::as_str)?,
            created_at: row.try_get("created_at")?,
            used_at: row.try_get("used_at")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account;
    use crate::fixture::{Fixture, account as some_account, new_key};

    #[test]
    fn keys_have_aws_s_form() {
        let key = NewKey::from_random(std::array::from_fn(|n| n as u8), 7);
        assert_eq!(key.id.as_str(), "AKIAAAAQEAYEAUDAOCAJ");
        assert_eq!(key.secret.expose(), "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");
        assert_eq!(key.created_at, 7);
    }

    #[tokio::test]
    async fn keys_are_made_used_disabled_and_deleted() {
        let fixture = Fixture::new().await;
        let (db, keyring) = (&fixture.db, &fixture.keyring());
        let owner = some_account(1, "owner");
        let [old, new] = [new_key(1), new_key(2)];
        let error = create(db, keyring, &owner.id, &old).await.unwrap_err();
        assert!(matches!(error.kind(), StoreErrorKind::Missing { .. }), "{error:?}");
        account::create(db, &owner).await.unwrap();
        create(db, keyring, &owner.id, &old).await.unwrap();
        create(db, keyring, &owner.id, &new).await.unwrap();

        // Both open requests, until the old one is disabled.
        for key in [&old, &new] {
            let found = secret(db, keyring, &key.id).await.unwrap();
            assert_eq!(found, Some((owner.id.clone(), key.secret.clone())));
        }
        set_status(db, &old.id, KeyStatus::Inactive).await.unwrap();
        assert_eq!(secret(db, keyring, &old.id).await.unwrap(), None);
        set_status(db, &old.id, KeyStatus::Active).await.unwrap();
        assert!(secret(db, keyring, &old.id).await.unwrap().is_some());

        mark_used(db, &new.id, 50).await.unwrap();
        mark_used(db, &new.id, 40).await.unwrap();
        let entries = list(db).await.unwrap();
        let told: Vec<_> = entries.iter().map(|entry| (&entry.id, entry.used_at)).collect();
        assert_eq!(told, [(&new.id, Some(50)), (&old.id, None)]);

        for key in [&old, &new] {
            delete(db, &key.id).await.unwrap();
        }
        assert_eq!(list(db).await.unwrap(), []);
        assert_eq!(secret(db, keyring, &new.id).await.unwrap(), None);
        for error in [
            delete(db, &new.id).await.unwrap_err(),
            set_status(db, &new.id, KeyStatus::Active).await.unwrap_err(),
        ] {
            assert_eq!(error.kind().to_string(), format!("there is no access key {}", new.id));
        }
    }

    #[tokio::test]
    async fn a_secret_is_of_no_use_elsewhere() {
        let fixture = Fixture::new().await;
        let (db, keyring) = (&fixture.db, &fixture.keyring());
        let [one, two] = [some_account(1, "one"), some_account(2, "two")];
        let [stolen, own] = [new_key(1), new_key(2)];
        for (account, key) in [(&one, &stolen), (&two, &own)] {
            account::create(db, account).await.unwrap();
            create(db, keyring, &account.id, key).await.unwrap();
        }
        for change in [
            "UPDATE access_key SET secret = (SELECT secret FROM access_key WHERE id = $2)
              WHERE id = $1",
            "UPDATE access_key SET account = (SELECT account FROM access_key WHERE id = $2)
              WHERE id = $1",
        ] {
            sqlx::query(change)
                .bind(stolen.id.as_str())
                .bind(own.id.as_str())
                .execute(db.writer())
                .await
                .unwrap();
            let error = secret(db, keyring, &stolen.id).await.unwrap_err();
            assert!(matches!(error.kind(), StoreErrorKind::Sealed { .. }), "{error:?}");
        }
    }
}
