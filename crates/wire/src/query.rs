//! The names and values of a query string: the same for those who check signatures and for those
//! who read members, so that what was signed is what is read.
//!
//! Works on bytes: what is not UTF-8 must not become equal by being replaced.

use percent_encoding::percent_decode;

/// Returns the names and values of a query, decoded, in their order.
///
/// `+` is a space: AWS's signers write one as `%20` in what they sign, whatever their HTTP
/// library makes of it on the way, and a plus sign always as `%2B`.
pub(crate) fn pairs(query: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let decode = |text: &str| {
        let spaced: Vec<u8> =
            text.bytes().map(|byte| if byte == b'+' { b' ' } else { byte }).collect();
        percent_decode(&spaced).collect()
    };
    let parts = query.split('&').filter(|part| !part.is_empty());
    let parts = parts.map(|part| part.split_once('=').unwrap_or((part, "")));
    parts.map(|(name, value)| (decode(name), decode(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_to_bytes() {
        let bytes = |pairs: &[(&[u8], &[u8])]| {
            pairs.iter().map(|(a, b)| (a.to_vec(), b.to_vec())).collect::<Vec<_>>()
        };
        assert_eq!(
            pairs("a=1&b&&c=%20+%2B&=x&d=e=f&%ff=%zz"),
            bytes(&[
                (b"a", b"1"),
                (b"b", b""),
                (b"c", b"  +"),
                (b"", b"x"),
                (b"d", b"e=f"),
                (b"\xff", b"%zz"),
            ])
        );
        assert_eq!(pairs(""), []);
    }
}
