//! The one port that serves every API: connections, limits, signatures, and the way to the service.
//!
//! Knows no store and no operation: keys and services are given. Who may do
//! what is decided by the services.

mod body;
mod connection;
mod gate;
mod keys;
mod limits;
mod listener;
mod record;
mod refusal;
mod service;
mod tls;

pub use gate::Gate;
pub use keys::Keys;
pub use limits::Limits;
pub use listener::{BindError, Port};
pub use record::{Log, Record};
pub use service::{Answer, ImageBuilderService, Service};
pub use tls::{Tls, TlsError};
