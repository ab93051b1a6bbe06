//! What a tree says it is: os-release(5).

use serde::{Deserialize, Serialize};

/// An operating system and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// `ID`, for example `debian`.
    pub id: String,
    /// `VERSION_ID`, for example `12`; empty for rolling ones.
    pub version: String,
    /// `PRETTY_NAME`.
    pub title: String,
}

impl Os {
    /// Reads the text of an `os-release` file. Values that are absent are
    /// what os-release(5) says they then are.
    pub fn parse(text: &str) -> Self {
        let value = |wanted: &str| {
            let line = text.lines().rev().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == wanted).then(|| value.trim())
            });
            line.map(|value| value.trim_matches(['"', '\'']).to_owned())
        };
        Self {
            id: value("ID").unwrap_or_else(|| "linux".to_owned()),
            version: value("VERSION_ID").unwrap_or_default(),
            title: value("PRETTY_NAME").unwrap_or_else(|| "Linux".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_absence_are_understood() {
        let os = Os::parse(
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID='12'\n",
        );
        assert_eq!((os.id.as_str(), os.version.as_str()), ("debian", "12"));
        assert_eq!(os.title, "Debian GNU/Linux 12 (bookworm)");
        assert_eq!(Os::parse("junk"), Os::parse(""));
    }
}
