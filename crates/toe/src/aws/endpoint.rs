//! The address of a server that stands in for AWS's.

use ureq::http::Uri;

/// Where requests go, in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Scheme and host, as in `http://mirror.example:9000`.
    pub(crate) origin: String,
    /// The host with its port, if that is given.
    pub(crate) host: String,
    /// What every path begins with, which is part of what is signed; never
    /// ends in a slash.
    pub(crate) base: String,
}

/// An endpoint is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the endpoint `{0}` is no address: expected `https://…` or `http://…`")]
pub(crate) struct EndpointError(String);

impl Endpoint {
    /// Reads an address as people write it.
    pub(crate) fn parse(text: &str) -> Result<Self, EndpointError> {
        let wrong = || EndpointError(text.to_owned());
        let uri: Uri = text.trim_end_matches('/').parse().map_err(|_| wrong())?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"));
        let (scheme, host) = scheme.zip(uri.authority()).ok_or_else(wrong)?;
        Ok(Self {
            origin: format!("{scheme}://{host}"),
            host: host.to_string(),
            base: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let check = |text: &str, expected: Option<(&str, &str, &str)>| {
            let read = Endpoint::parse(text);
            let parts = read.as_ref().map(|it| (&*it.origin, &*it.host, &*it.base));
            assert_eq!(parts.ok(), expected, "{text}");
        };
        let origin = "http://mirror.example:9000";
        check("http://mirror.example:9000", Some((origin, "mirror.example:9000", "")));
        check("http://mirror.example:9000/", Some((origin, "mirror.example:9000", "")));
        check("http://mirror.example:9000/a/b/", Some((origin, "mirror.example:9000", "/a/b")));
        check("https://[::1]", Some(("https://[::1]", "[::1]", "")));
        for bad in ["", "mirror.example", "ftp://mirror.example", "http://", "/a", "http:// x"] {
            check(bad, None);
        }
    }
}
