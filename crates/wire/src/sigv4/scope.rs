//! What a credential is for: a day, a region and a service.

use name::Region;

use super::refusal::Malformed;

/// A credential's scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The day, as in `20261122`.
    pub(crate) date: String,
    /// The region.
    pub(crate) region: Region,
    /// The service's signing name.
    pub(crate) service: String,
}

/// What scopes of this version end in.
pub(crate) const TERMINATOR: &str = "aws4_request";

impl Scope {
    /// Returns the access key and the scope of a credential,
    /// `AKIDEXAMPLE/20261122/local-1/imagebuilder/aws4_request`.
    pub(crate) fn parse(credential: &str) -> Result<(String, Self), Malformed> {
        let parts: Vec<&str> = credential.split('/').collect();
        let [access_key, date, region, service, terminator] = parts[..] else {
            return Err(Malformed::Credential { credential: credential.to_owned() });
        };
        let wrong = |what, found: &str| Malformed::Scope { what, found: found.to_owned() };
        if access_key.is_empty() || !access_key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(wrong("access key", access_key));
        }
        if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong("date", date));
        }
        let in_service =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if service.is_empty() || !service.bytes().all(in_service) {
            return Err(wrong("service", service));
        }
        if terminator != TERMINATOR {
            return Err(wrong("terminator", terminator));
        }
        let region = region.parse().map_err(|_| wrong("region", region))?;
        let (date, service) = (date.to_owned(), service.to_owned());
        Ok((access_key.to_owned(), Self { date, region, service }))
    }

    /// Returns the scope as the string to sign has it.
    pub(crate) fn text(&self) -> String {
        format!("{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_has_five_parts() {
        let text = "AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request";
        let (access_key, scope) = Scope::parse(text).unwrap();
        assert_eq!(format!("{access_key}/{}", scope.text()), text);
        for bad in [
            "",
            "AKIDEXAMPLE",
            "20150830/us-east-1/iam/aws4_request",
            "A/AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request",
            "/20150830/us-east-1/iam/aws4_request",
            "AKID EXAMPLE/20150830/us-east-1/iam/aws4_request",
            "AKIDEXAMPLE/2015083/us-east-1/iam/aws4_request",
            "AKIDEXAMPLE/2015083x/us-east-1/iam/aws4_request",
            "AKIDEXAMPLE/20150830//iam/aws4_request",
            "AKIDEXAMPLE/20150830/US-EAST-1/iam/aws4_request",
            "AKIDEXAMPLE/20150830/us-east-1//aws4_request",
            "AKIDEXAMPLE/20150830/us-east-1/I AM/aws4_request",
            "AKIDEXAMPLE/20150830/us-east-1/iam/aws5_request",
        ] {
            assert!(Scope::parse(bad).is_err(), "{bad}");
        }
    }
}
