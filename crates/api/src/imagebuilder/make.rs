//! How resources are made and replaced: once for each client token, or tried only.

use serde_json::Value;

use name::{Arn, Kind};
use store::client_token::Claim;
use store::resource::{self, New, Numbering, Replacement};
use wire::imagebuilder::Error;
use wire::sigv4::Caller;

use super::error::{dry_run, refusal};
use crate::Api;

impl Api {
    /// Makes a resource and returns its ARN; with `dryRun` says only that it could be made.
    pub(crate) async fn make(
        &self,
        new: &New,
        claim: &Claim,
        is_dry_run: Option<bool>,
    ) -> Result<String, Error> {
        if is_dry_run == Some(true) {
            resource::rehearse(self.db(), new).await.map_err(refusal)?;
            return Err(dry_run());
        }
        Ok(resource::create(self.db(), new, claim).await.map_err(refusal)?.answer())
    }

    /// Replaces what a resource without references is.
    pub(crate) async fn replace(&self, arn: Arn, body: Value, claim: &Claim) -> Result<(), Error> {
        let new = Replacement { arn, body, references: Vec::new(), at: claim.at };
        resource::replace(self.db(), &new, claim).await.map_err(refusal)?;
        Ok(())
    }
}

/// Returns a resource of the caller's without version, tags and references.
pub(crate) fn plain(caller: &Caller, kind: Kind, name: &str, body: Value, at: i64) -> New {
    New {
        account: caller.account.clone(),
        region: caller.region.clone(),
        kind,
        name: name.to_owned(),
        numbering: Numbering::Unversioned,
        body,
        tags: std::collections::BTreeMap::new(),
        references: Vec::new(),
        at,
    }
}
