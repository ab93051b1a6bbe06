//! What the API needs of whoever builds images. The factory's queue is one.

use std::pin::Pin;

use factory::{Order, Queue, StartError, Started};
use name::RunId;
use store::client_token::Claim;
use store::image::{Image, New};

/// A run that is being recorded.
pub type Starting<'a> = Pin<Box<dyn Future<Output = Result<Started, StartError>> + Send + 'a>>;

/// Builds images.
///
/// A trait because a build needs the whole program: its processes live in cells
/// that are started from the binary, which tests of this crate are not.
pub trait Builder: Send + Sync {
    /// Records a run that will build `order`, and returns; the run goes on by itself.
    ///
    /// A request with the same claim that was carried out before makes no
    /// second run.
    fn start<'a>(&'a self, order: Order, shown: New, claim: &'a Claim) -> Starting<'a>;

    /// Records that a failed or cancelled image will be built once more, as `order`, and returns.
    ///
    /// A request with the same claim that was carried out before makes no
    /// other attempt.
    fn retry<'a>(&'a self, order: Order, image: &'a Image, claim: &'a Claim) -> Starting<'a>;

    /// Asks a run to stop; returns whether it was one of this builder's that had not ended.
    fn cancel(&self, run: RunId) -> bool;
}

impl Builder for Queue {
    fn start<'a>(&'a self, order: Order, shown: New, claim: &'a Claim) -> Starting<'a> {
        Box::pin(Self::start(self, order, shown, claim))
    }

    fn retry<'a>(&'a self, order: Order, image: &'a Image, claim: &'a Claim) -> Starting<'a> {
        Box::pin(Self::retry(self, order, image, claim))
    }

    fn cancel(&self, run: RunId) -> bool {
        Self::cancel(self, run)
    }
}
