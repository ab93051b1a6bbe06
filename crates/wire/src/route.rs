//! Which operation a method and a path mean, and what is in the path.
//!
//! Decodes percent signs once and strictly; query strings are `query`'s.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::shape::Shape;

/// An operation as its protocol sees it.
#[derive(Debug)]
pub struct Action {
    /// The name, as in `CreateComponent`.
    pub name: &'static str,
    /// The method of its requests.
    pub method: Method,
    /// The path of its requests; it may end in one label, as in `/tags/{resourceArn}`.
    pub path: &'static str,
    /// What a request holds.
    pub input: &'static Shape,
    /// What a successful answer holds.
    pub output: &'static Shape,
}

/// A request's path, matched: which action, and the text of its label.
#[derive(Debug)]
pub(crate) struct Match {
    /// The position of the action among those searched.
    pub(crate) index: usize,
    /// The decoded label, if the path has one.
    pub(crate) label: Option<String>,
}

/// Returns the first of `actions` that `method` and `path` mean.
///
/// A label takes the rest of the path, slashes and all: clients encode them,
/// some proxies decode them. A label that cannot be decoded matches nothing.
pub(crate) fn find(actions: &[Action], method: &Method, path: &str) -> Option<Match> {
    actions.iter().enumerate().filter(|(_, action)| action.method == method).find_map(
        |(index, action)| match action.path.split_once('{') {
            None => (action.path == path).then_some(Match { index, label: None }),
            Some((prefix, _)) => {
                let label = decode(path.strip_prefix(prefix)?)?;
                (!label.is_empty()).then_some(Match { index, label: Some(label) })
            }
        },
    )
}

/// Returns `text` with its percent signs decoded, or `None` where one is not
/// followed by two digits or the bytes are not UTF-8.
fn decode(text: &str) -> Option<String> {
    let whole = text
        .split('%')
        .skip(1)
        .all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()));
    if !whole {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[track_caller]
    fn check(text: &str, decoded: Option<&str>) {
        assert_eq!(decode(text).as_deref(), decoded);
    }

    #[test]
    fn percent_signs_are_decoded_once() {
        check("plain", Some("plain"));
        check("a%3Ab%2fc", Some("a:b/c"));
        check("%2541", Some("%41"));
        check("a+b%2Bc%20d", Some("a+b+c d"));
        check("%C3%A9", Some("é"));
        check("", Some(""));
    }

    #[test]
    fn what_cannot_be_decoded_is_refused() {
        for text in ["%", "a%", "%4", "%zz", "%4g", "%%41", "%é", "%C3", "%FF"] {
            check(text, None);
        }
    }
}
