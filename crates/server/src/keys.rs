//! What the port must know of access keys.

use std::error::Error;

use wire::sigv4::Credentials;

/// Where access keys are looked up, at every request: a key that is disabled
/// opens nothing from then on.
pub trait Keys: Send + Sync + 'static {
    /// Why a lookup fails.
    type Error: Error + Send + Sync;

    /// Returns what the key stands for, unless it is unknown or disabled.
    fn find(
        &self,
        access_key: &str,
    ) -> impl Future<Output = Result<Option<Credentials>, Self::Error>> + Send;

    /// Takes note that a request was signed with the key, at `now` in microseconds since 1970.
    fn note_use(
        &self,
        access_key: &str,
        now: i64,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
