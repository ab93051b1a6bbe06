//! How a race is run: how many rounds, from which mirror, and how results are told.

/// The options of a race.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// How many rounds from nothing.
    pub(super) cold: u32,
    /// How many rounds of each case after that.
    pub(super) warm: u32,
    /// Where packages come from; where every tool takes them from by itself if it is not said.
    pub(super) mirror: Option<String>,
    /// How results are told.
    pub(super) format: Format,
}

/// How results are told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// As a table.
    Text,
    /// As JSON.
    Json,
}

/// An argument that is not understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OptionsError {
    /// An option that is not known.
    #[error(
        "unknown option `{0}`; known are --cold N, --warm N, --mirror URL and --output text|json"
    )]
    Unknown(String),
    /// An option with no value or a wrong one.
    #[error("the value of `{0}` is missing or wrong")]
    Value(String),
}

impl Options {
    /// Returns the options in `arguments`, which are pairs of a name and a value.
    pub(super) fn parse(arguments: &[&str]) -> Result<Self, OptionsError> {
        let mut options = Self { cold: 1, warm: 3, mirror: None, format: Format::Text };
        for pair in arguments.chunks(2) {
            let value = pair.get(1).copied();
            let wrong = || OptionsError::Value(pair[0].to_owned());
            let rounds = || {
                let rounds = value.and_then(|value| value.parse().ok());
                rounds.filter(|rounds| *rounds > 0).ok_or_else(wrong)
            };
            match pair[0] {
                "--cold" => options.cold = rounds()?,
                "--warm" => options.warm = rounds()?,
                "--mirror" => options.mirror = Some(value.ok_or_else(wrong)?.to_owned()),
                "--output" => {
                    options.format = match value {
                        Some("text") => Format::Text,
                        Some("json") => Format::Json,
                        _ => return Err(wrong()),
                    };
                }
                other => return Err(OptionsError::Unknown(other.to_owned())),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, Options, OptionsError};

    #[test]
    fn options_are_pairs() {
        let plain = Options { cold: 1, warm: 3, mirror: None, format: Format::Text };
        assert_eq!(Options::parse(&[]), Ok(plain));
        let all = ["--cold", "2", "--warm", "5", "--mirror", "http://m", "--output", "json"];
        let mirror = Some("http://m".to_owned());
        let told = Options { cold: 2, warm: 5, mirror, format: Format::Json };
        assert_eq!(Options::parse(&all), Ok(told));
        for wrong in [&["--cold", "0"][..], &["--warm"], &["--output", "xml"], &["--mirror"]] {
            let error = OptionsError::Value(wrong[0].to_owned());
            assert_eq!(Options::parse(wrong), Err(error));
        }
        let unknown = OptionsError::Unknown("--fast".to_owned());
        assert_eq!(Options::parse(&["--fast", "1"]), Err(unknown));
    }
}
