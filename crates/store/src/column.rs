//! How values are written to columns and read back.

use std::collections::BTreeMap;
use std::error::Error;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use model::Tags;

use crate::{ParseWordError, StoreErrorKind};

type Read<T> = Result<T, StoreErrorKind>;

/// Returns the value whose text a column holds.
pub(crate) fn text<T>(row: &SqliteRow, column: &'static str) -> Read<T>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    let value: String = row.try_get(column)?;
    value.parse().map_err(|error| invalid(column, value, error))
}

/// Returns the JSON that a column holds.
pub(crate) fn json<T: DeserializeOwned>(row: &SqliteRow, column: &'static str) -> Read<T> {
    let value: String = row.try_get(column)?;
    serde_json::from_str(&value).map_err(|error| invalid(column, value, error))
}

/// Returns the tags that a column holds as a JSON object.
pub(crate) fn tags(row: &SqliteRow, column: &'static str) -> Read<Tags> {
    let tags: BTreeMap<String, String> = json(row, column)?;
    Tags::new(tags).map_err(|error| invalid(column, row.get(column), error))
}

/// Returns the unsigned number that a column holds.
pub(crate) fn number<T>(row: &SqliteRow, column: &'static str) -> Read<T>
where
    T: TryFrom<i64, Error: Error + Send + Sync + 'static>,
{
    let value: i64 = row.try_get(column)?;
    T::try_from(value).map_err(|error| invalid(column, value.to_string(), error))
}

/// Returns which of `all` a column's word stands for.
///
/// For enums of other crates, which can be written but not parsed.
pub(crate) fn word<T: Copy>(
    row: &SqliteRow,
    column: &'static str,
    all: &[T],
    spell: impl Fn(T) -> &'static str,
) -> Read<T> {
    let value: String = row.try_get(column)?;
    all.iter().copied().find(|one| spell(*one) == value).ok_or_else(|| {
        let known = all.iter().copied().map(spell).collect();
        invalid(column, value.clone(), ParseWordError::new(value, known))
    })
}

/// Returns `value` as a column holds it; the databases have no unsigned numbers.
pub(crate) fn signed(column: &'static str, value: u64) -> Read<i64> {
    i64::try_from(value).map_err(|_| StoreErrorKind::TooLarge { column, value })
}

pub(crate) fn invalid(
    column: &'static str,
    value: String,
    error: impl Error + Send + Sync + 'static,
) -> StoreErrorKind {
    StoreErrorKind::Row { column, value, source: Box::new(error) }
}
