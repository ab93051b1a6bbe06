//! Parameters: named values that documents refer to. Those of secure ones are sealed.
//!
//! The last value of each is kept, under the number of its version.

use seal::Secret;
use sqlx::{Sqlite, Transaction};

use model::{ParameterName, ParameterType};

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

/// Records a value and returns its version.
pub async fn put(
    db: &Db,
    keyring: &Keyring,
    new: &NewValue,
    existing: Existing,
) -> Result<u64, StoreError> {
    attempt("record the parameter", async {
        ParameterType::check_value(new.value.expose())
            .map_err(|source| StoreErrorKind::Value { name: new.name.clone(), source })?;
        let mut tx = db.begin().await?;
        let version = match find(&mut tx, &new.name).await? {
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
        write(&mut tx, keyring, new, version).await?;
        tx.commit().await?;
        Ok(version)
    })
    .await
}

/// Returns the value of the parameter with the name and its type, if there is one.
pub async fn read(
    db: &Db,
    keyring: &Keyring,
    name: &str,
) -> Result<Option<(Secret, ParameterType)>, StoreError> {
    attempt("read the parameter", async {
        let row: Option<(String, i64, String)> =
            sqlx::query_as("SELECT type, version, value FROM parameter WHERE name = $1")
                .bind(name)
                .fetch_optional(db.pool())
                .await?;
        let Some((kind, version, value)) = row else { return Ok(None) };
        let kind = self::kind(kind)?;
        let value = if kind.is_secure() {
            let version = number("version", version)?;
            keyring.open_column("value", &context(name, version), &value)?
        } else {
            Secret::new(value)
        };
        Ok(Some((value, kind)))
    })
    .await
}

/// Returns the parameter with the name.
pub async fn get(db: &Db, name: &ParameterName) -> Result<Entry, StoreError> {
    attempt("find the parameter", async {
        let mut tx = db.pool().begin().await?;
        find(&mut tx, name).await?.ok_or_else(|| missing(name))
    })
    .await
}

/// Returns all parameters, by name.
pub async fn list(db: &Db) -> Result<Vec<Entry>, StoreError> {
    attempt("list the parameters", async {
        let rows: Vec<Row> =
            sqlx::query_as("SELECT name, type, version, modified_at FROM parameter ORDER BY name")
                .fetch_all(db.pool())
                .await?;
        rows.into_iter().map(Entry::try_from).collect()
    })
    .await
}

/// Deletes a parameter.
pub async fn delete(db: &Db, name: &ParameterName) -> Result<(), StoreError> {
    attempt("delete the parameter", async {
        let done = sqlx::query("DELETE FROM parameter WHERE name = $1")
            .bind(name.as_str())
            .execute(db.writer())
            .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(missing(name)) }
    })
    .await
}

async fn find(
    tx: &mut Transaction<'_, Sqlite>,
    name: &ParameterName,
) -> Result<Option<Entry>, StoreErrorKind> {
    let row: Option<Row> =
        sqlx::query_as("SELECT name, type, version, modified_at FROM parameter WHERE name = $1")
            .bind(name.as_str())
            .fetch_optional(&mut **tx)
            .await?;
    row.map(Entry::try_from).transpose()
}

async fn write(
    tx: &mut Transaction<'_, Sqlite>,
    keyring: &Keyring,
    new: &NewValue,
    version: u64,
) -> Result<(), StoreErrorKind> {
    let value = if new.kind.is_secure() {
        keyring.seal(&context(new.name.as_str(), version), &new.value)?
    } else {
        new.value.expose().to_owned()
    };
    sqlx::query(
        "INSERT INTO parameter (name, type, version, value, modified_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (name) DO UPDATE
            SET version = excluded.version, value = excluded.value,
                modified_at = excluded.modified_at",
    )
    .bind(new.name.as_str())
    .bind(new.kind.as_str())
    .bind(signed("version", version)?)
    .bind(value)
    .bind(new.modified_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Returns where a value belongs: neither another parameter's nor an earlier one takes its place.
fn context(name: &str, version: u64) -> String {
    format!("parameter/{version}/{name}")
}

fn missing(name: &ParameterName) -> StoreErrorKind {
    StoreErrorKind::Missing { what: format!("parameter `{name}`") }
}

fn kind(value: String) -> Result<ParameterType, StoreErrorKind> {
    word("type", value, &ParameterType::ALL, ParameterType::as_str)
}

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    #[sqlx(rename = "type")]
    kind: String,
    version: i64,
    modified_at: i64,
}

impl TryFrom<Row> for Entry {
    type Error = StoreErrorKind;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        Ok(Self {
            name: text("name", row.name)?,
            kind: kind(row.kind)?,
            version: number("version", row.version)?,
            modified_at: row.modified_at,
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
        let (db, keyring) = (&fixture.db, &fixture.keyring());
        let put = async |new: &NewValue, existing| put(db, keyring, new, existing).await;
        let read = async |name: &str| {
            let found = read(db, keyring, name).await.unwrap();
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

        let entries = list(db).await.unwrap();
        assert_eq!(entries.len(), 2);
        let name = &entries[1].name;
        assert_eq!(entries[1], get(db, name).await.unwrap());
        assert_eq!((entries[1].kind, entries[1].version), (SecureString, 3));
        assert_eq!(entries[1].modified_at, 5);
        delete(db, name).await.unwrap();
        assert_eq!(read("/web/token").await, None);
        for error in [delete(db, name).await.unwrap_err(), get(db, name).await.unwrap_err()] {
            assert_eq!(error.kind().to_string(), "there is no parameter `/web/token`");
        }
    }

    #[tokio::test]
    async fn a_sealed_value_stays_where_it_is() {
        let fixture = Fixture::new().await;
        let (db, keyring) = (&fixture.db, &fixture.keyring());
        for name in ["one", "two"] {
            let secure = new(name, ParameterType::SecureString, name, 1);
            put(db, keyring, &secure, Existing::Keep).await.unwrap();
        }
        for change in [
            "UPDATE parameter SET value = (SELECT value FROM parameter WHERE name = 'two')
              WHERE name = 'one'",
            "UPDATE parameter SET version = 2 WHERE name = 'two'",
        ] {
            sqlx::query(change).execute(db.writer()).await.unwrap();
        }
        for name in ["one", "two"] {
            let error = read(db, keyring, name).await.unwrap_err();
            assert!(matches!(error.kind(), StoreErrorKind::Sealed { .. }), "{error:?}");
        }
    }

    /// Reads every byte of the folder but the keyring's.
    #[tokio::test]
    async fn no_secret_is_in_the_database_in_clear() {
        let fixture = Fixture::new().await;
        let (db, keyring) = (&fixture.db, &fixture.keyring());
        let key = new_key(1);
        account::first(db, keyring, some_account(1, "owner"), &key).await.unwrap();
        let token = new("/web/token", ParameterType::SecureString, "correct horse battery", 1);
        let plain = new("/web/motto", ParameterType::String, "plain as day", 1);
        for new in [&token, &plain] {
            put(db, keyring, new, Existing::Keep).await.unwrap();
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
