//! Parameters: named values that an account's documents refer to. Those of secure ones are sealed.
//!
//! The last value of each is kept, under the number of its version.

use seal::Secret;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use model::{ParameterName, ParameterType};
use name::Account;

use crate::column::{number, signed, text, word};
use crate::error::attempt;
use crate::{Db, Keyring, StoreError, StoreErrorKind};

/// A parameter as it is recorded, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: ParameterName,
    /// What its value is.
    pub kind: ParameterType,
    /// How many values it has had.
    pub version: u64,
    /// When it got the last one, in microseconds.
    pub modified_at: i64,
}

/// A value to record.
#[derive(Debug, Clone)]
pub struct NewValue {
    /// The parameter's name.
    pub name: ParameterName,
    /// What the value is.
    pub kind: ParameterType,
    /// The value.
    pub value: Secret,
    /// When it is recorded, in microseconds.
    pub modified_at: i64,
}

/// What is done with a parameter that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the new value is refused ([`StoreErrorKind::HasValue`]).
    Keep,
    /// It gets the new value, if that is of the same type ([`StoreErrorKind::OtherType`]).
    Replace,
}

/// Records a value of an account, which must be there, and returns its version.
pub async fn put(
    db: &Db,
    keyring: &Keyring,
    account: &Account,
    new: &NewValue,
    existing: Existing,
) -> Result<u64, StoreError> {
    attempt("record the parameter", async {
        ParameterType::check_value(new.value.expose())
            .map_err(|source| StoreErrorKind::Value { name: new.name.clone(), source })?;
        let mut tx = db.begin().await?;
        let version = match find(&mut tx, account, &new.name).await? {
            None => 1,
            Some(_) if existing == Existing::Keep => {
                return Err(StoreErrorKind::HasValue { name: new.name.clone() });
            }
            Some(entry) if entry.kind != new.kind => {
                let (name, is, given) = (entry.name, entry.kind, new.kind);
                return Err(StoreErrorKind::OtherType { name, is, given });
            }
            Some(entry) => entry.version + 1,
        };
        write(&mut tx, keyring, account, new, version).await?;
        tx.commit().await?;
        Ok(version)
    })
    .await
}

/// Returns the value of an account's parameter with the name and its type, if there is one.
pub async fn read(
    db: &Db,
    keyring: &Keyring,
    account: &Account,
    name: &str,
) -> Result<Option<(Secret, ParameterType)>, StoreError> {
    attempt("read the parameter", async {
        let row = sqlx::query(
            "SELECT type, version, value FROM parameter WHERE account = $1 AND name = $2",
        )
        .bind(account.as_str())
        .bind(name)
        .fetch_optional(db.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let kind = kind(&row)?;
        let value = if kind.is_secure() {
            let (version, sealed) = (number(&row, "version")?, row.try_get("value")?);
            let open = |context: &str| keyring.open_column("value", context, sealed);
            open(&context(account, name, version))
                .or_else(|_| open(&earlier_context(name, version)))?
        } else {
            Secret::new(row.try_get("value")?)
        };
        Ok(Some((value, kind)))
    })
    .await
}

/// Returns an account's parameter with the name.
pub async fn get(db: &Db, account: &Account, name: &ParameterName) -> Result<Entry, StoreError> {
    attempt("find the parameter", async {
        let mut tx = db.pool().begin().await?;
        find(&mut tx, account, name).await?.ok_or_else(|| missing(name))
    })
    .await
}

/// Returns an account's parameters, by name.
pub async fn list(db: &Db, account: &Account) -> Result<Vec<Entry>, StoreError> {
    attempt("list the parameters", async {
        let rows = sqlx::query(
            "SELECT name, type, version, modified_at FROM parameter
              WHERE account = $1 ORDER BY name",
        )
        .bind(account.as_str())
        .fetch_all(db.pool())
        .await?;
        rows.into_iter().map(Entry::read).collect()
    })
    .await
}

/// Deletes a parameter of an account.
pub async fn delete(db: &Db, account: &Account, name: &ParameterName) -> Result<(), StoreError> {
    attempt("delete the parameter", async {
        let done = sqlx::query("DELETE FROM parameter WHERE account = $1 AND name = $2")
            .bind(account.as_str())
            .bind(name.as_str())
            .execute(db.writer())
            .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(missing(name)) }
    })
    .await
}

async fn find(
    tx: &mut Transaction<'_, Sqlite>,
    account: &Account,
    name: &ParameterName,
) -> Result<Option<Entry>, StoreErrorKind> {
    let row = sqlx::query(
        "SELECT name, type, version, modified_at FROM parameter WHERE account = $1 AND name = $2",
    )
    .bind(account.as_str())
    .bind(name.as_str())
    .fetch_optional(&mut **tx)
    .await?;
    row.map(Entry::read).transpose()
}

async fn write(
    tx: &mut Transaction<'_, Sqlite>,
    keyring: &Keyring,
    account: &Account,
    new: &NewValue,
    version: u64,
) -> Result<(), StoreErrorKind> {
    let value = if new.kind.is_secure() {
        keyring.seal(&context(account, new.name.as_str(), version), &new.value)?
    } else {
        new.value.expose().to_owned()
    };
    let done = sqlx::query(
        "INSERT INTO parameter (account, name, type, version, value, modified_at)
         SELECT id, $2, $3, $4, $5, $6 FROM account WHERE id = $1
         ON CONFLICT (account, name) DO UPDATE
            SET version = excluded.version, value = excluded.value,
                modified_at = excluded.modified_at",
    )
    .bind(account.as_str())
    .bind(new.name.as_str())
    .bind(new.kind.as_str())
    .bind(signed("version", version)?)
    .bind(value)
    .bind(new.modified_at)
    .execute(&mut **tx)
    .await?;
    match done.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreErrorKind::Missing { what: format!("account `{account}`") }),
    }
}

/// Returns where a value belongs: no other account's or parameter's, and no earlier one takes its
/// place.
fn context(account: &Account, name: &str, version: u64) -> String {
    format!("parameter/{account}/{version}/{name}")
}

/// Returns where a value was sealed for that is older than the accounts of parameters.
fn earlier_context(name: &str, version: u64) -> String {
    format!("parameter/{version}/{name}")
}

fn missing(name: &ParameterName) -> StoreErrorKind {
    StoreErrorKind::Missing { what: format!("parameter `{name}`") }
}

fn kind(row: &SqliteRow) -> Result<ParameterType, StoreErrorKind> {
    word(row, "type", &ParameterType::ALL, ParameterType::as_str)
}

impl Entry {
    fn read(row: SqliteRow) -> Result<Self, StoreErrorKind> {
        Ok(Self {
            name: text(&row, "name")?,
            kind: kind(&row)?,
            version: number(&row, "version")?,
            modified_at: row.try_get("modified_at")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account;
    use crate::fixture::{Fixture, account as some_account, new_key};

    fn new(name: &str, kind: ParameterType, value: &str, modified_at: i64) -> NewValue {
        let value = Secret::new(value.to_owned());
        NewValue { name: name.parse().unwrap(), kind, value, modified_at }
    }

    #[tokio::test]
    async fn values_follow_each_other() {
        use ParameterType::{SecureString, String, StringList};
        let fixture = Fixture::new().await;
        let (db, keyring, own) = (&fixture.db, &fixture.keyring(), &fixture.account(1).await);
        let put = async |new: &NewValue, existing| put(db, keyring, own, new, existing).await;
        let read = async |name: &str| {
            let found = read(db, keyring, own, name).await.unwrap();
            found.map(|(value, kind)| (value.expose().to_owned(), kind))
        };
        let port = new("/web/port", String, "80", 1);
        assert_eq!(put(&port, Existing::Keep).await.unwrap(), 1);
        let error = put(&port, Existing::Keep).await.unwrap_err();
        assert_eq!(error.kind().to_string(), "the parameter `/web/port` has a value already");
        assert_eq!(put(&new("/web/port", String, "81", 2), Existing::Replace).await.unwrap(), 2);
        assert_eq!(read("/web/port").await, Some(("81".to_owned(), String)));

        let token = |value, at| new("/web/token", SecureString, value, at);
        assert_eq!(put(&token("s3cr3t", 3), Existing::Replace).await.unwrap(), 1);
        assert_eq!(put(&token("other", 4), Existing::Replace).await.unwrap(), 2);
        let error = put(&token("", 4), Existing::Replace).await.unwrap_err();
        assert!(matches!(error.kind(), StoreErrorKind::Value { .. }), "{error:?}");
        assert_eq!(put(&token("s3cr3t", 5), Existing::Replace).await.unwrap(), 3);
        assert_eq!(read("/web/token").await, Some(("s3cr3t".to_owned(), SecureString)));
        let plain = new("/web/token", StringList, "a,b", 6);
        let error = put(&plain, Existing::Replace).await.unwrap_err();
        assert_eq!(
            error.kind().to_string(),
            "the parameter `/web/token` is a SecureString, not a StringList"
        );

        let entries = list(db, own).await.unwrap();
        assert_eq!(entries.len(), 2);
        let name = &entries[1].name;
        assert_eq!(entries[1], get(db, own, name).await.unwrap());
        assert_eq!((entries[1].kind, entries[1].version), (SecureString, 3));
        assert_eq!(entries[1].modified_at, 5);
        delete(db, own, name).await.unwrap();
        assert_eq!(read("/web/token").await, None);
        for error in
            [delete(db, own, name).await.unwrap_err(), get(db, own, name).await.unwrap_err()]
        {
            assert_eq!(error.kind().to_string(), "there is no parameter `/web/token`");
        }
    }

    #[tokio::test]
    async fn an_account_has_parameters_of_its_own() {
        let fixture = Fixture::new().await;
        let (db, keyring) = (&fixture.db, &fixture.keyring());
        let [own, other] = [fixture.account(1).await, fixture.account(2).await];
        for (account, value) in [(&own, "ours"), (&other, "theirs")] {
            let secure = new("/token", ParameterType::SecureString, value, 1);
            put(db, keyring, account, &secure, Existing::Keep).await.unwrap();
        }
        let name = "/token".parse().unwrap();
        delete(db, &other, &name).await.unwrap();
        assert!(read(db, keyring, &other, "/token").await.unwrap().is_none());
        let (value, _) = read(db, keyring, &own, "/token").await.unwrap().unwrap();
        assert_eq!(value.expose(), "ours");
        assert_eq!(list(db, &other).await.unwrap(), []);
        let (stranger, new) =
            (some_account(3, "stranger").id, new("/a", ParameterType::String, "b", 1));
        let error = put(db, keyring, &stranger, &new, Existing::Keep).await.unwrap_err();
        assert!(matches!(error.kind(), StoreErrorKind::Missing { .. }), "{error:?}");
    }

    /// As they were sealed before parameters belonged to accounts.
    #[tokio::test]
    async fn earlier_values_can_be_read() {
        let fixture = Fixture::new().await;
        let (db, keyring, own) = (&fixture.db, &fixture.keyring(), fixture.account(1).await);
        let secure = new("/token", ParameterType::SecureString, "s3cr3t", 1);
        put(db, keyring, &own, &secure, Existing::Keep).await.unwrap();
        let sealed = keyring.seal(&earlier_context("/token", 1), &secure.value).unwrap();
        sqlx::query("UPDATE parameter SET value = $1")
            .bind(sealed)
            .execute(db.writer())
            .await
            .unwrap();
        let (value, _) = read(db, keyring, &own, "/token").await.unwrap().unwrap();
        assert_eq!(value.expose(), "s3cr3t");
    }

    #[tokio::test]
    async fn a_sealed_value_stays_where_it_is() {
        let fixture = Fixture::new().await;
        let (db, keyring) = (&fixture.db, &fixture.keyring());
        let [own, other] = [fixture.account(1).await, fixture.account(2).await];
        for name in ["one", "two", "three"] {
            let secure = new(name, ParameterType::SecureString, name, 1);
            put(db, keyring, &own, &secure, Existing::Keep).await.unwrap();
        }
        for change in [
            "UPDATE parameter SET account = (SELECT id FROM account WHERE alias = 'account-2')
              WHERE name = 'three'",
            "UPDATE parameter SET value = (SELECT value FROM parameter WHERE name = 'two')
              WHERE name = 'one'",
            "UPDATE parameter SET version = 2 WHERE name = 'two'",
        ] {
            sqlx::query(change).execute(db.writer()).await.unwrap();
        }
        for (account, name) in [(&own, "one"), (&own, "two"), (&other, "three")] {
            let error = read(db, keyring, account, name).await.unwrap_err();
            assert!(matches!(error.kind(), StoreErrorKind::Sealed { .. }), "{error:?}");
        }
    }

    /// Reads every byte of the folder but the keyring's.
    #[tokio::test]
    async fn no_secret_is_in_the_database_in_clear() {
        let fixture = Fixture::new().await;
        let (db, keyring) = (&fixture.db, &fixture.keyring());
        let key = new_key(1);
        let own = account::first(db, keyring, some_account(1, "owner"), &key).await.unwrap().id;
        let token = new("/web/token", ParameterType::SecureString, "correct horse battery", 1);
        let plain = new("/web/motto", ParameterType::String, "plain as day", 1);
        for new in [&token, &plain] {
            put(db, keyring, &own, new, Existing::Keep).await.unwrap();
        }
        let read = || {
            let files = std::fs::read_dir(fixture.folder.path()).unwrap();
            let paths = files.map(|file| file.unwrap().path());
            let paths = paths.filter(|path| !path.ends_with("keyring"));
            paths.flat_map(|path| std::fs::read(path).unwrap()).collect::<Vec<u8>>()
        };
        let before = read();
        db.clone().close().await;
        for bytes in [before, read()] {
            let has = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
            assert!(has("plain as day"), "the search finds what is there");
            assert!(!has(token.value.expose()) && !has(key.secret.expose()));
        }
    }
}
