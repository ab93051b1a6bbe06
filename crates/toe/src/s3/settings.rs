//! How S3 is reached: whose requests they are, which region, which endpoint.

use std::fmt;

/// How S3 is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Who asks; nobody in particular when absent.
    pub credentials: Option<Credentials>,
    /// The region that is asked first; `us-east-1` when absent.
    pub region: Option<String>,
    /// The address of a server other than AWS's, which gets buckets as the
    /// first part of the path.
    pub endpoint: Option<String>,
}

/// An access key of AWS.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The key's public name.
    pub access_key: String,
    /// The secret.
    pub secret_key: String,
    /// What temporary credentials have besides.
    pub session_token: Option<String>,
}

impl Settings {
    /// Reads the settings from the variables that AWS's tools use.
    ///
    /// Without both parts of an access key requests are anonymous.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let keys = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
        Self {
            credentials: keys.map(|(access_key, secret_key)| Credentials {
                access_key,
                secret_key,
                session_token: variable("AWS_SESSION_TOKEN"),
            }),
            region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")),
            endpoint: variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL")),
        }
    }
}

impl fmt::Debug for Credentials {
    /// Shows which key it is and none of its secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: &Settings) {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(Settings::of(find), *expected);
    }

    #[test]
    fn the_variables_of_aws_count() {
        check(&[], &Settings::default());
        check(&[("AWS_ACCESS_KEY_ID", "a"), ("AWS_REGION", "")], &Settings::default());
        let credentials = Credentials {
            access_key: "a".into(),
            secret_key: "hidden".into(),
            session_token: Some("token".into()),
        };
        assert_eq!(format!("{credentials:?}"), r#"Credentials { access_key: "a", .. }"#);
        check(
            &[
                ("AWS_ACCESS_KEY_ID", "a"),
                ("AWS_SECRET_ACCESS_KEY", "hidden"),
                ("AWS_SESSION_TOKEN", "token"),
                ("AWS_DEFAULT_REGION", "eu-west-1"),
                ("AWS_ENDPOINT_URL", "http://other"),
                ("AWS_ENDPOINT_URL_S3", "http://s3"),
            ],
            &Settings {
                credentials: Some(credentials),
                region: Some("eu-west-1".into()),
                endpoint: Some("http://s3".into()),
            },
        );
    }
}
