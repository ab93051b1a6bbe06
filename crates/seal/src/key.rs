//! Sealing and opening: AES-256-GCM under one key, bound to where the value belongs.
//!
//! A sealed value is a text, `seal1.<key id>.<nonce, ciphertext and tag>`. The
//! number is the format's: values whose data keys are themselves sealed get
//! another one. The key id lets a keyring with several keys pick the right one.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::{Zeroize as _, Zeroizing};

use name::Digest;

use crate::hex;

/// A key of 32 bytes; overwritten when dropped.
pub struct Key {
    bytes: Zeroizing<[u8; 32]>,
    id: KeyId,
}

/// Which key sealed a value: a digest of the key, which tells nothing else about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId([u8; 8]);

/// A sealed value was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The text is no sealed value, or one of a later format.
    #[error("the text is not a value sealed as `{VERSION}`")]
    Format,
    /// It was sealed with another key.
    #[error("the value was sealed with the key {sealed}, this is {given}")]
    OtherKey {
        /// The key it was sealed with.
        sealed: KeyId,
        /// The key it was to be opened with.
        given: KeyId,
    },
    /// It was changed, or belongs to another place.
    #[error("the value was changed or does not belong here")]
    Forged,
}

const VERSION: &str = "seal1";

impl Key {
    /// Returns the key whose bytes were read or freshly drawn.
    pub fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        let mut digest = Digest::builder("seal key id/1");
        digest.bytes(&bytes[..]);
        let mut id = [0; 8];
        id.copy_from_slice(&digest.finish().as_bytes()[..8]);
        Self { bytes, id: KeyId(id) }
    }

    /// Returns the key's bytes, to be written where keys are kept.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Returns the key's id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Returns `plain`, encrypted, for the place that `context` names.
    ///
    /// `nonce` must be random and fresh: two values sealed with one nonce lose
    /// their secrecy (NIST SP 800-38D, 8.2.2 allows 2^32 random ones to a key).
    pub fn seal(&self, context: &str, plain: &[u8], nonce: [u8; 12]) -> String {
        let mut body = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(plain);
        self.cipher()
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                self.associated(context),
                &mut body,
            )
            .expect("AES-GCM takes any text below 64 GiB because its counter has 32 bits");
        body.splice(0..0, nonce);
        format!("{VERSION}.{}.{}", self.id, hex::encode(&body))
    }

    /// Returns what was sealed for the place that `context` names.
    pub fn open(&self, context: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (id, mut body) = parse(sealed).ok_or(OpenError::Format)?;
        if id != self.id {
            return Err(OpenError::OtherKey { sealed: id, given: self.id });
        }
        let (nonce, rest) = body.split_at_mut_checked(NONCE_LEN).ok_or(OpenError::Format)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::Format)?;
        let plain = self
            .cipher()
            .open_in_place(nonce, self.associated(context), rest)
            .map_err(|_| OpenError::Forged)?;
        let plain = Zeroizing::new(plain.to_vec());
        body.zeroize();
        Ok(plain)
    }

    fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&AES_256_GCM, &self.bytes[..])
            .expect("the key fits because AES-256 takes 32 bytes");
        LessSafeKey::new(key)
    }

    /// Returns what is authenticated beside the value. None of the first two
    /// parts has a `.`, so no two sequences of parts read the same.
    fn associated(&self, context: &str) -> Aad<String> {
        Aad::from(format!("{VERSION}.{}.{context}", self.id))
    }
}

fn parse(sealed: &str) -> Option<(KeyId, Vec<u8>)> {
    let (id, body) = sealed.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')?;
    Some((KeyId(hex::decode(id)?.try_into().ok()?), hex::decode(body)?))
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    const CONTEXT: &str = "access_key/AKIAIOSFODNN7EXAMPLE";

    fn of(bytes: [u8; 32]) -> Key {
        Key::from_bytes(Zeroizing::new(bytes))
    }

    fn key(n: u8) -> Key {
        of([n; 32])
    }

    #[test]
    fn the_format_is_fixed() {
        let sealed = key(1).seal(CONTEXT, b"secret", [7; 12]);
        expect!["seal1.c902def3683dbacc.070707070707070707070707fe9689d66ada87031416518aa0fda68299688e783ac3"].assert_eq(&sealed);
        assert_eq!(key(1).open(CONTEXT, &sealed).unwrap().as_slice(), b"secret");
    }

    #[test]
    fn a_key_shows_its_id_only() {
        expect!["Key(c902def3683dbacc)"].assert_eq(&format!("{:?}", key(1)));
        assert_ne!(key(1).id(), key(2).id());
        assert_eq!(key(3).as_bytes(), &[3; 32]);
    }

    #[test]
    fn other_texts_are_no_sealed_values() {
        let id = key(1).id();
        for text in [
            "",
            "secret",
            "seal1",
            "seal1.",
            "seal2.0.0",
            &format!("seal1.{id}"),
            &format!("seal1.{id}.00"),
            &format!("seal1.{id}.0"),
            &format!("seal1.{id}.zz"),
            &format!("seal2.{id}.{}", "00".repeat(40)),
        ] {
            assert_eq!(key(1).open(CONTEXT, text).unwrap_err(), OpenError::Format, "{text}");
        }
        let short = format!("seal1.{id}.{}", "00".repeat(12));
        assert_eq!(key(1).open(CONTEXT, &short).unwrap_err(), OpenError::Forged);
    }

    proptest! {
        #[test]
        fn what_was_sealed_is_opened(
            bytes in any::<[u8; 32]>(),
            context in any::<String>(),
            plain in any::<Vec<u8>>(),
            nonce in any::<[u8; 12]>(),
        ) {
            let sealed = of(bytes).seal(&context, &plain, nonce);
            let opened = of(bytes).open(&context, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), plain);
        }

        #[test]
        fn another_key_or_place_opens_nothing(
            (one, other) in any::<([u8; 32], [u8; 32])>(),
            (here, there) in any::<(String, String)>(),
            plain in any::<Vec<u8>>(),
        ) {
            let (one, other) = (of(one), of(other));
            let sealed = one.seal(&here, &plain, [0; 12]);
            if other.id() != one.id() {
                let error = OpenError::OtherKey { sealed: one.id(), given: other.id() };
                prop_assert_eq!(other.open(&here, &sealed).unwrap_err(), error);
            }
            if here != there {
                prop_assert_eq!(one.open(&there, &sealed).unwrap_err(), OpenError::Forged);
            }
        }

        #[test]
        fn any_flipped_bit_is_noticed(
            plain in any::<Vec<u8>>(),
            nonce in any::<[u8; 12]>(),
            at in any::<proptest::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let key = key(9);
            let mut bytes = key.seal(CONTEXT, &plain, nonce).into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(text) = String::from_utf8(bytes) {
                key.open(CONTEXT, &text).unwrap_err();
            }
        }
    }
}
