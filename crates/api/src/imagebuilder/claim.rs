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

    /// Returns the answer of `deed`, which carries the request out.
    ///
    /// Of a request that was sent twice at once, one finds the other's deed done and is refused for
    /// that: it is answered as the other was.
    pub(crate) async fn once(
        &self,
        claim: &Claim,
        deed: impl Future<Output = Result<String, Error>>,
    ) -> Result<String, Error> {
        match deed.await {
            Ok(answer) => Ok(answer),
            Err(refused) => {
                let meanwhile = client_token::answered(self.db(), claim).await;
                meanwhile.map_err(refusal)?.ok_or(refused)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use store::Db;

    use super::super::error::not_found;
    use super::*;

    #[tokio::test]
    async fn who_comes_too_late_is_answered_as_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("goldsmith.db")).await.unwrap();
        let api = Api::new(db.clone(), Arc::new(|| 1_000_000));
        let caller = Caller {
            account: "123456789012".parse().unwrap(),
            access_key: "AKIAEXAMPLE".to_owned(),
            region: "eu-west-1".parse().unwrap(),
            service: "imagebuilder".to_owned(),
        };
        let claimed = api.claim(&caller, Operation::RetryImage, "token", &"image").await;
        let (claim, before) = claimed.unwrap();
        assert_eq!(before, None);
        let refused = async || api.once(&claim, async { Err(not_found("image")) }).await;
        assert_eq!(refused().await, Err(not_found("image")));
        client_token::keep(&db, &claim, "answer").await.unwrap();
        assert_eq!(refused().await, Ok("answer".to_owned()));
        assert_eq!(api.once(&claim, async { Ok("mine".to_owned()) }).await, Ok("mine".to_owned()));
    }
}
