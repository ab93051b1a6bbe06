//! What a service is to the port: a signing name, and answers.

use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};
use wire::imagebuilder::{self, ImageBuilder};
use wire::sigv4::Caller;

/// A response, once it is there.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Response<Bytes>> + Send + 'a>>;

/// One of the APIs behind the port.
pub trait Service: Send + Sync + 'static {
    /// Returns the name that credential scopes call it by.
    fn name(&self) -> &'static str;

    /// Returns the name of the operation that a request is for, if it is for one.
    fn operation(&self, request: &Request<Bytes>) -> Option<&'static str>;

    /// Answers a request that was verified to be the caller's.
    fn answer<'a>(
        &'a self,
        caller: &'a Caller,
        request: &'a Request<Bytes>,
        request_id: &'a str,
    ) -> Answer<'a>;
}

/// Image Builder, whoever implements it.
#[derive(Debug)]
pub struct ImageBuilderService<S>(pub S);

impl<S: ImageBuilder<Caller> + Send + Sync + 'static> Service for ImageBuilderService<S> {
    fn name(&self) -> &'static str {
        "imagebuilder"
    }

    fn operation(&self, request: &Request<Bytes>) -> Option<&'static str> {
        let operation = imagebuilder::find(request.method(), request.uri().path())?;
        Some(operation.action().name)
    }

    fn answer<'a>(
        &'a self,
        caller: &'a Caller,
        request: &'a Request<Bytes>,
        request_id: &'a str,
    ) -> Answer<'a> {
        Box::pin(imagebuilder::answer(&self.0, caller, request, request_id))
    }
}
