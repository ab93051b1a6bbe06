//! Client tokens: a request that comes again is answered as it was (reference §1.5).

use serde::Serialize;

use name::Digest;
use store::client_token::{self, Claim};
use wire::imagebuilder::{Error, ErrorKind, Operation};
use wire::sigv4::Caller;

use super::error::refusal;
use crate::Api;

impl Api {
    /// Returns what the request claims to be, and its answer if it was carried out before.
    pub(crate) async fn claim(
        &self,
        caller: &Caller,
        operation: Operation,
        token: &str,
        input: &(impl Serialize + Sync),
    ) -> Result<(Claim, Option<String>), Error> {
        let input = serde_json::to_string(input)
            .map_err(|error| Error::new(ErrorKind::Service, error.to_string()))?;
        let mut digest = Digest::builder("client-token/1");
        digest.text(&input);
        let claim = Claim {
            account: caller.account.clone(),
            region: caller.region.clone(),
            operation: operation.as_str(),
            token: token.to_owned(),
            digest: digest.finish(),
            at: self.now(),
        };
        let before = client_token::answered(self.db(), &claim).await.map_err(refusal)?;
        Ok((claim, before))
    }
}
