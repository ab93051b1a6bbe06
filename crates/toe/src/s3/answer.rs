//! Reads the XML that S3 answers with: lists of objects, and refusals.
//!
//! Only elements without attributes are looked for, which is all that these
//! answers have where it matters.

/// One page of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) keys: Vec<String>,
    /// What to ask the next page with, if there is one.
    pub(crate) next: Option<String>,
}

impl Page {
    /// Reads an answer to ListObjectsV2; `None` if it is something else.
    pub(crate) fn parse(xml: &str) -> Option<Self> {
        if !xml.contains("<ListBucketResult") {
            return None;
        }
        // Keys may hold characters that XML cannot; servers encode them if asked.
        let is_encoded = element(xml, "EncodingType").is_some_and(|(kind, _)| kind == "url");
        let mut keys = Vec::new();
        let mut rest = xml;
        while let Some((entry, after)) = element(rest, "Contents") {
            let key = text(element(entry, "Key")?.0);
            keys.push(if is_encoded { decode(&key)? } else { key });
            rest = after;
        }
        let next = element(xml, "NextContinuationToken").map(|(token, _)| text(token));
        let is_cut = element(xml, "IsTruncated").is_some_and(|(cut, _)| cut == "true");
        Some(Self { keys, next: next.filter(|_| is_cut) })
    }
}

/// Returns the code and the message of a refusal, as in
/// `NoSuchKey: The specified key does not exist.`, or nothing.
pub(crate) fn refusal(xml: &str) -> String {
    let find = |name| element(xml, name).map(|(inner, _)| text(inner));
    match (find("Code"), find("Message")) {
        (Some(code), Some(message)) => format!(": {code}: {message}"),
        (Some(one), None) | (None, Some(one)) => format!(": {one}"),
        (None, None) => String::new(),
    }
}

/// Returns what is in the first element `name`, and what follows it.
fn element<'a>(xml: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let start = xml.find(&open)? + open.len();
    let end = start + xml[start..].find(&close)?;
    Some((&xml[start..end], &xml[end + close.len()..]))
}

fn text(escaped: &str) -> String {
    // The ampersand comes last, or `&amp;lt;` would become `<`.
    let known = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    known.iter().fold(escaped.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Undoes the encoding of URLs; `None` if there is something else.
fn decode(encoded: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_page_by_page() {
        let xml = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><IsTruncated>true\
            </IsTruncated><Contents><Key>a/b+c%26</Key><Size>1</Size></Contents><Contents>\
            <Key>d</Key></Contents><EncodingType>url</EncodingType>\
            <NextContinuationToken>1&amp;2</NextContinuationToken></ListBucketResult>";
        let keys = vec!["a/b c&".to_owned(), "d".to_owned()];
        assert_eq!(Page::parse(xml), Some(Page { keys, next: Some("1&2".into()) }));
        let plain =
            "<ListBucketResult><Contents><Key>a+&lt;%26</Key></Contents></ListBucketResult>";
        assert_eq!(Page::parse(plain), Some(Page { keys: vec!["a+<%26".into()], next: None }));
        assert_eq!(Page::parse("<html>"), None);
    }

    #[test]
    fn refusals_are_told() {
        let xml = "<Error><Code>NoSuchKey</Code><Message>It is not there</Message></Error>";
        assert_eq!(refusal(xml), ": NoSuchKey: It is not there");
        assert_eq!(refusal("busy"), "");
    }

    proptest::proptest! {
        #[test]
        fn noise_never_panics(noise: String) {
            let _read = Page::parse(&format!("<ListBucketResult><Contents><Key>{noise}"));
            let _told = refusal(&noise);
            let _decoded = decode(&noise);
        }
    }
}
