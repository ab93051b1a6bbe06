//! The access keys of the catalogue, as the port looks them up.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use name::AccessKeyId;
use server::Keys;
use store::{StoreError, access_key};
use wire::sigv4::Credentials;

use crate::identity::Identities;

/// The keys, and when each was last noted to be used.
#[derive(Debug)]
pub(crate) struct StoredKeys {
    identities: Identities,
    noted: Mutex<HashMap<AccessKeyId, i64>>,
}

/// How long a noted use stands for those after it, in microseconds: noting
/// writes to the disk, which not every request shall wait for.
const MINUTE: i64 = 60_000_000;

impl StoredKeys {
    pub(crate) fn new(identities: Identities) -> Self {
        Self { identities, noted: Mutex::default() }
    }

    /// Says whether a use at `now` is to be written down.
    fn is_news(&self, id: &AccessKeyId, now: i64) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = noted.get(id).is_some_and(|&last| (last..last + MINUTE).contains(&now));
        if !recent {
            noted.insert(id.clone(), now);
        }
        !recent
    }
}

impl Keys for StoredKeys {
    type Error = StoreError;

    async fn find(&self, access_key: &str) -> Result<Option<Credentials>, StoreError> {
        let Ok(id) = access_key.parse() else { return Ok(None) };
        let Identities { db, keyring } = &self.identities;
        let found = access_key::secret(db, keyring, &id).await?;
        Ok(found.map(|(account, secret)| Credentials { account, secret }))
    }

    async fn note_use(&self, access_key: &str, now: i64) -> Result<(), StoreError> {
        match access_key.parse() {
            Ok(id) if self.is_news(&id, now) => {
                access_key::mark_used(&self.identities.db, &id, now).await
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
