//! In whose name this command acts: the account, its keys, and how new ones are drawn.

use model::{Alias, KeyStatus};
use name::{AccessKeyId, Account};
use rustix::rand::{GetRandomFlags, getrandom};
use seal::Secret;
use store::access_key::NewKey;
use store::{Db, Keyring, access_key, account};

use crate::clock::now_micros;
use crate::error::CliError;
use crate::home::Home;

/// The records that identities are kept in.
#[derive(Debug)]
pub(crate) struct Identities {
    pub(crate) db: Db,
    pub(crate) keyring: Keyring,
}

impl Identities {
    /// Opens the records; makes the data folder, the catalogue and the keyring if they are not
    /// there.
    pub(crate) async fn open(home: &Home) -> Result<Self, CliError> {
        Self::of(home, home.new_catalogue().await?)
    }

    /// Opens the records of a catalogue that is open; makes the keyring if it is not there.
    pub(crate) fn of(home: &Home, db: Db) -> Result<Self, CliError> {
        let keyring = Keyring::open(&home.data().join("keyring"))?;
        Ok(Self { db, keyring })
    }

    /// Returns the account that is named, else the first one, which is made with its key if it
    /// is not there yet.
    pub(crate) async fn account(&self, named: Option<&str>) -> Result<account::Entry, CliError> {
        if let Some(name) = named {
            return Ok(account::find(&self.db, name).await?);
        }
        Ok(account::first(&self.db, &self.keyring, first_account()?, &new_key()?).await?)
    }

    /// Makes a key for the account that is named, else for the first one, whose first key it is if
    /// that is made by this.
    pub(crate) async fn create_key(
        &self,
        named: Option<&str>,
    ) -> Result<(account::Entry, NewKey), CliError> {
        let key = new_key()?;
        let account = match named {
            Some(name) => account::find(&self.db, name).await?,
            None => {
                let drawn = first_account()?;
                let id = drawn.id.clone();
                let first = account::first(&self.db, &self.keyring, drawn, &key).await?;
                if first.id == id {
                    return Ok((first, key));
                }
                first
            }
        };
        access_key::create(&self.db, &self.keyring, &account.id, &key).await?;
        Ok((account, key))
    }

    /// Returns the newest active key of an account, with its secret.
    pub(crate) async fn active_key(
        &self,
        account: &account::Entry,
    ) -> Result<(AccessKeyId, Secret), CliError> {
        let keys = access_key::list(&self.db).await?;
        let own = keys.into_iter().filter(|key| key.account == account.id);
        for key in own.filter(|key| key.status == KeyStatus::Active) {
            if let Some((_, secret)) = access_key::secret(&self.db, &self.keyring, &key.id).await? {
                return Ok((key.id, secret));
            }
        }
        Err(CliError::NoKey { account: account.alias.to_string() })
    }
}

fn first_account() -> Result<account::Entry, CliError> {
    new_account("goldsmith".parse().expect("the first account's alias is valid"))
}

/// Returns a new account, not yet recorded.
pub(crate) fn new_account(alias: Alias) -> Result<account::Entry, CliError> {
    let id = Account::from_random(draw()?);
    Ok(account::Entry { id, alias, created_at: now_micros() })
}

/// Returns a new key, not yet recorded.
fn new_key() -> Result<NewKey, CliError> {
    Ok(NewKey::from_random(draw()?, now_micros()))
}

fn draw<const N: usize>() -> Result<[u8; N], CliError> {
    let mut bytes = [0; N];
    // Up to 256 bytes come at once (getrandom(2)).
    getrandom(&mut bytes[..], GetRandomFlags::empty())
        .map_err(|error| CliError::Draw(error.into()))?;
    Ok(bytes)
}
