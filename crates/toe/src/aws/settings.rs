//! How a service is reached: whose requests they are, which region, which
//! endpoint.

use std::fmt;

/// A service of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Objects in buckets.
    S3,
    /// CloudWatch Logs.
    Logs,
}

impl Service {
    /// Returns the variable that leads to another server than AWS's.
    fn endpoint_variable(self) -> &'static str {
        match self {
            Self::S3 => "AWS_ENDPOINT_URL_S3",
            Self::Logs => "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
        }
    }
}

/// How a service is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Who asks; nobody in particular when absent.
    pub credentials: Option<Credentials>,
    /// The region that is asked, or asked first.
    pub region: Option<String>,
    /// The address of a server other than AWS's.
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
    /// Reads the settings of `service` from the variables that AWS's tools use.
    ///
    /// Without both parts of an access key there are no credentials.
    pub fn of(service: Service, variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let keys = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
        Self {
            credentials: keys.map(|(access_key, secret_key)| Credentials {
                access_key,
                secret_key,
                session_token: variable("AWS_SESSION_TOKEN"),
            }),
            region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")),
            endpoint: variable(service.endpoint_variable())
                .or_else(|| variable("AWS_ENDPOINT_URL"))
                .filter(|_| {
                    let ignored = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
                    ignored.is_none_or(|ignored| !ignored.eq_ignore_ascii_case("true"))
                }),
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
    fn check(service: Service, variables: &[(&str, &str)], expected: &Settings) {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(Settings::of(service, find), *expected);
    }

    #[test]
    fn the_variables_of_aws_count() {
        check(Service::S3, &[], &Settings::default());
        let half = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_REGION", "")];
        check(Service::S3, &half, &Settings::default());
        let credentials = Credentials {
            access_key: "a".into(),
            secret_key: "hidden".into(),
            session_token: Some("token".into()),
        };
        assert_eq!(format!("{credentials:?}"), r#"Credentials { access_key: "a", .. }"#);
        let all = [
            ("AWS_ACCESS_KEY_ID", "a"),
            ("AWS_SECRET_ACCESS_KEY", "hidden"),
            ("AWS_SESSION_TOKEN", "token"),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", "http://other"),
            ("AWS_ENDPOINT_URL_S3", "http://s3"),
        ];
        for (service, endpoint) in [(Service::S3, "http://s3"), (Service::Logs, "http://other")] {
            let expected = Settings {
                credentials: Some(credentials.clone()),
                region: Some("eu-west-1".into()),
                endpoint: Some(endpoint.into()),
            };
            check(service, &all, &expected);
            let ignored = [&all[..], &[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]].concat();
            check(service, &ignored, &Settings { endpoint: None, ..expected });
        }
        let logs = [("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "http://logs"), all[4]];
        let endpoint = Some("http://logs".to_owned());
        check(Service::Logs, &logs, &Settings { endpoint, ..Settings::default() });
    }
}
