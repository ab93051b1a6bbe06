//! Pages of lists (reference §1.4): where one ends, a token says for the next.
//!
//! A token is good for the request that it was given to, page size aside.

use serde::Serialize;
use serde_json::Value;

use name::{Arn, Digest, Kind, Owner};
use store::resource::{self, Entry, Grain, Wanted};
use wire::imagebuilder::{Error, ErrorKind, Filter, Operation, Ownership};
use wire::sigv4::Caller;

use super::error::refusal;
use super::filter::{Filters, Known};
use super::managed;
use crate::Api;

/// What a page holds unless more or fewer are asked for; the model allows up to 100.
const PAGE: u16 = 25;

/// How many resources are read at a time when filters leave some out.
const BATCH: u32 = 100;

/// The tokens of one list.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// The digest of who asks for what.
    binding: String,
}

impl Tokens {
    /// Returns the tokens of a request: `input` without page size and token says what is listed.
    pub(crate) fn of(
        caller: &Caller,
        operation: Operation,
        input: &impl Serialize,
    ) -> Result<Self, Error> {
        let mut input = serde_json::to_value(input)
            .map_err(|error| Error::new(ErrorKind::Service, error.to_string()))?;
        if let Value::Object(members) = &mut input {
            members.remove("maxResults");
            members.remove("nextToken");
        }
        let mut binding = Digest::builder("page/1");
        binding.text(caller.account.as_str()).text(caller.region.as_str());
        binding.text(operation.as_str()).text(&input.to_string());
        Ok(Self { binding: binding.finish().hex()[..32].to_owned() })
    }

    /// Returns the token for what follows `last`.
    pub(crate) fn after(&self, last: &str) -> String {
        let hex: String = last.bytes().map(|byte| format!("{byte:02x}")).collect();
        format!("{}{hex}", self.binding)
    }

    /// Returns what the page with this token follows.
    pub(crate) fn read(&self, token: Option<&str>) -> Result<Option<String>, Error> {
        let Some(token) = token else { return Ok(None) };
        let hex = token.strip_prefix(&self.binding).ok_or_else(bad_token)?;
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(byte).collect();
        let last = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        // Spelt as it was given out, and not in one of the other ways that read the same.
        last.filter(|last| self.after(last) == token).map(Some).ok_or_else(bad_token)
    }
}

/// Returns the error for a token that holds nothing that this list gave out.
pub(crate) fn bad_token() -> Error {
    let message = "The pagination token is not one that this request was answered with.";
    Error::new(ErrorKind::InvalidPaginationToken, message)
}

/// Returns how many a page holds.
pub(crate) fn size(max_results: Option<i32>) -> usize {
    max_results.and_then(|max| u16::try_from(max).ok()).unwrap_or(PAGE).into()
}

/// A list that is asked for.
pub(crate) struct Listing {
    /// Whose resources: those of the caller unless said otherwise, or `of` is managed.
    pub(crate) owner: Option<Ownership>,
    /// The first and the last of the kinds, as they are spelt.
    pub(crate) kinds: [Kind; 2],
    /// The versions of one resource only.
    pub(crate) of: Option<Arn>,
    /// How finely it tells resources apart.
    pub(crate) grain: Grain,
    /// What is left out.
    pub(crate) filters: Filters,
    /// How many are asked for.
    pub(crate) max_results: Option<i32>,
    /// Where the page before ended.
    pub(crate) next_token: Option<String>,
}

impl Listing {
    /// Returns the list of a kind, each resource as finely as it is kept.
    pub(crate) fn of_kind(
        kind: Kind,
        filters: Option<Vec<Filter>>,
        known: &[Known],
    ) -> Result<Self, Error> {
        Ok(Self {
            owner: None,
            kinds: [kind, kind],
            of: None,
            grain: Grain::Builds,
            filters: Filters::parse(filters, known)?,
            max_results: None,
            next_token: None,
        })
    }
}

impl Api {
    /// Returns a page of resources, each as `tell` has it, and the token of the next page.
    pub(crate) async fn page<T: Serialize>(
        &self,
        caller: &Caller,
        tokens: &Tokens,
        listing: Listing,
        tell: impl Fn(Entry) -> Result<T, Error> + Send + Sync,
    ) -> Result<(Vec<T>, Option<String>), Error> {
        let size = size(listing.max_results);
        let mut after = match tokens.read(listing.next_token.as_deref())? {
            // What the token was bound to is right, so it holds an ARN.
            Some(last) => Some(super::error::arn("nextToken", &last)?),
            None => None,
        };
        let batch = if listing.filters.is_empty() { size as u32 + 1 } else { BATCH };
        let (mut told, mut last) = (Vec::new(), None);
        loop {
            let entries = self.some(caller, &listing, after.as_ref(), batch).await?;
            let is_last = entries.len() < batch as usize;
            for entry in entries {
                let arn = entry.arn.clone();
                let one = tell(entry)?;
                after = Some(arn.clone());
                if !listing.filters.is_empty() && !accepts(&listing.filters, &one)? {
                    continue;
                }
                if told.len() == size {
                    let last: Option<Arn> = last;
                    return Ok((told, last.map(|last| tokens.after(&last.to_string()))));
                }
                told.push(one);
                last = Some(arn);
            }
            if is_last {
                return Ok((told, None));
            }
        }
    }

    /// Returns up to `limit` resources that follow `after`, whoever owns them.
    async fn some(
        &self,
        caller: &Caller,
        listing: &Listing,
        after: Option<&Arn>,
        limit: u32,
    ) -> Result<Vec<Entry>, Error> {
        let wanted = Wanted {
            account: caller.account.clone(),
            region: caller.region.clone(),
            kinds: listing.kinds,
            of: listing.of.clone(),
            grain: listing.grain,
        };
        let of_managed =
            listing.of.as_ref().is_some_and(|of| matches!(of.owner(), Owner::Managed(_)));
        let owner = if of_managed { Some(Ownership::Amazon) } else { listing.owner };
        match owner.unwrap_or(Ownership::Self_) {
            Ownership::Self_ => {
                resource::list(self.db(), &wanted, after, limit).await.map_err(refusal)
            }
            Ownership::Amazon => Ok(managed::list(&wanted, after, limit)),
            // Nothing is shared between accounts here, and nobody sells.
            Ownership::Shared | Ownership::ThirdParty | Ownership::AwsMarketplace => Ok(Vec::new()),
        }
    }
}

fn accepts(filters: &Filters, one: &impl Serialize) -> Result<bool, Error> {
    let listed = serde_json::to_value(one)
        .map_err(|error| Error::new(ErrorKind::Service, error.to_string()))?;
    Ok(filters.accept(&listed))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    fn tokens(binding: char) -> Tokens {
        Tokens { binding: binding.to_string().repeat(32) }
    }

    proptest! {
        /// A token is what was given out for this request, or none.
        #[test]
        fn tokens_are_those_that_were_given_out(last in any::<String>(), noise in "[0-9a-f+]{0,20}") {
            let own = tokens('a');
            let token = own.after(&last);
            prop_assert_eq!(own.read(Some(&token)).unwrap(), Some(last));
            assert!(tokens('b').read(Some(&token)).is_err());
            for text in [noise.clone(), format!("{}{noise}", own.binding), format!("{token}{noise}")]
            {
                if let Ok(Some(read)) = own.read(Some(&text)) {
                    prop_assert_eq!(own.after(&read), text);
                }
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let own = tokens('a');
            assert!(own.read(Some(&text)).is_err());
            let _refused = own.read(Some(&format!("{}{text}", own.binding)));
        }
    }
}
