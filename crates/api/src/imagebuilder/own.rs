//! Whose resources are: the caller's, or managed ones that everyone may use.

use serde::de::DeserializeOwned;

use name::{Arn, Owner};
use store::resource::{self, Entry};
use wire::imagebuilder::Error;
use wire::sigv4::Caller;

use super::error::{arn, broken, immutable, not_found, refusal};
use super::managed;
use crate::Api;

/// Who owns managed resources, as answers say it.
const MANAGED: &str = "Amazon";

impl Api {
    /// Returns the newest resource that the ARN in `parameter` stands for, the caller's or managed.
    pub(crate) async fn find(
        &self,
        caller: &Caller,
        parameter: &str,
        text: &str,
    ) -> Result<Entry, Error> {
        let arn = arn(parameter, text)?;
        let found = match arn.owner() {
            Owner::Managed(_) => managed::find(&caller.region, &arn),
            Owner::Account(_) if is_own(caller, &arn, text) => {
                resource::find(self.db(), &arn).await.map_err(refusal)?
            }
            Owner::Account(_) => None,
        };
        found.ok_or_else(|| not_found(text))
    }

    /// Deletes the caller's resource with exactly the ARN in `parameter`.
    pub(crate) async fn delete(
        &self,
        caller: &Caller,
        parameter: &str,
        text: &str,
    ) -> Result<(), Error> {
        let arn = own(caller, parameter, text)?;
        resource::delete(self.db(), &arn).await.map_err(refusal)
    }
}

/// Returns the ARN in `parameter` of a resource that the caller may change, if it is there.
pub(crate) fn own(caller: &Caller, parameter: &str, text: &str) -> Result<Arn, Error> {
    let arn = arn(parameter, text)?;
    match arn.owner() {
        Owner::Managed(_) if managed::find(&caller.region, &arn).is_some() => Err(immutable(&arn)),
        Owner::Account(_) if is_own(caller, &arn, text) => Ok(arn),
        Owner::Managed(_) | Owner::Account(_) => Err(not_found(text)),
    }
}

/// Returns the ARN in `parameter` if it refers to a resource of the caller's; managed ones must be there.
///
/// Whether the caller's are there, the store says when it records the reference.
pub(crate) fn reference(
    caller: &Caller,
    parameter: &str,
    text: &str,
) -> Result<Option<Arn>, Error> {
    let arn = arn(parameter, text)?;
    match arn.owner() {
        Owner::Managed(_) if managed::find(&caller.region, &arn).is_some() => Ok(None),
        Owner::Account(_) if is_own(caller, &arn, text) => Ok(Some(arn)),
        Owner::Managed(_) | Owner::Account(_) => Err(not_found(text)),
    }
}

/// Returns the ARN in `parameter` of a resource whose versions are to be listed: the caller's or a
/// managed one.
///
/// Whether it is there, the list says, which is empty otherwise.
pub(crate) fn listed(caller: &Caller, parameter: &str, text: &str) -> Result<Arn, Error> {
    let arn = arn(parameter, text)?;
    let is_visible = match arn.owner() {
        Owner::Managed(_) => true,
        Owner::Account(_) => is_own(caller, &arn, text),
    };
    if is_visible { Ok(arn) } else { Err(not_found(text)) }
}

/// Returns whether an ARN is of the caller's account and region; other partitions there are none.
fn is_own(caller: &Caller, arn: &Arn, text: &str) -> bool {
    *arn.owner() == Owner::Account(caller.account.clone())
        && *arn.region() == caller.region
        && text.starts_with("arn:aws:")
}

/// Returns who owns a resource, as answers say it.
pub(crate) fn owner(arn: &Arn) -> String {
    match arn.owner() {
        Owner::Account(account) => account.to_string(),
        Owner::Managed(_) => MANAGED.to_owned(),
    }
}

/// Returns what is recorded of a resource, as the model has it.
pub(crate) fn body<T: DeserializeOwned>(entry: &Entry) -> Result<T, Error> {
    T::deserialize(&entry.body).map_err(|error| broken(&entry.arn, &error))
}
