//! An HTTP client that looks names up by itself and trusts whom the machine
//! trusts.

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectProxyConnector, Connector, NextTimeout, RustlsConnector,
};
use ureq::{Agent, Error};

use crate::dns::Names;
use crate::limit::Limit;
use crate::socket::Dial;

/// Where Linux distributions keep the certificates of whom they trust.
const BUNDLES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];

/// How long to wait for a connection, or for a byte on one.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether a server has to prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Its certificate must be good.
    Verified,
    /// Any certificate is taken.
    Anyone,
}

/// Returns a client whose requests all end with `limit`.
///
/// Redirects are followed; every status is returned, none is an error.
pub(crate) fn client(trust: Trust, limit: &Limit) -> Agent {
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
        .root_certs(roots())
        .disable_verification(trust == Trust::Anyone)
        .build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .tls_config(tls)
        .user_agent(concat!("goldsmith-agent/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_per_read(Some(PATIENCE))
        .build();
    let connector =
        ().chain(ConnectProxyConnector::default())
            .chain(Dial(limit.clone()))
            .chain(RustlsConnector::default());
    Agent::with_parts(config, connector, Lookup(Names::of_this_machine(), limit.clone()))
}

/// Returns the machine's own trusted certificates, Mozilla's if it has none.
fn roots() -> RootCerts {
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for pem in BUNDLES.iter().filter_map(|path| fs::read(path).ok()) {
        for item in parse_pem(&pem).flatten() {
            if let PemItem::Certificate(certificate) = item {
                certificates.push(certificate);
            }
        }
        if !certificates.is_empty() {
            return RootCerts::new_with_certs(&certificates);
        }
    }
    RootCerts::WebPki
}

struct Lookup(Names, Limit);

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup")
    }
}

impl Resolver for Lookup {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or_else(|| Error::BadUri(uri.to_string()))?;
        let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
            Some("https") => 443,
            Some(_) | None => 80,
        });
        let limit = self.1.within(*timeout.after);
        let found = self.0.look_up(host, &limit).map_err(|error| Error::Other(error.into()))?;
        let mut resolved = self.empty();
        let addresses = found.into_iter().map(|ip| SocketAddr::new(ip, port));
        // The array has room for sixteen.
        for address in config.ip_family().keep_wanted(addresses).take(16) {
            resolved.push(address);
        }
        if resolved.is_empty() { Err(Error::HostNotFound) } else { Ok(resolved) }
    }
}
