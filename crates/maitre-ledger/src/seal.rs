//! Encryption at rest: every secret column is sealed, bound to its row, and names the key that opens it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, Generate, Key, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 24;

/// The keys that seal what the ledger keeps: the first one seals, all of them open.
///
/// To change a key, roll the new one out everywhere as the last (a reader), then everywhere as the first, then run
/// [`Ledger::reseal`](crate::Ledger::reseal), then take the old one out.
///
/// ```
/// use maitre_ledger::Keys;
///
/// let old = "00".repeat(32);
/// let new = "11".repeat(32);
/// let keys = Keys::parse(&format!("{new},{old}"))?;
/// assert_eq!(format!("{keys:?}"), "Keys { count: 2, .. }");
/// assert!(Keys::parse("0011").is_err());
/// # Ok::<(), maitre_ledger::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Keys(Arc<Vec<SealingKey>>);

struct SealingKey {
    id: [u8; KEY_ID],
    cipher: XChaCha20Poly1305,
}

/// Why there are no keys. It never holds one.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// A key is not 64 hex digits; the number says which of the list, from 1.
    NotHex(usize),
    /// The key file cannot be read or made.
    File(PathBuf, std::io::Error),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHex(place) => {
                write!(f, "key {place} in MAITRE_KEY is not 64 hex digits: draw one with `openssl rand -hex 32`")
            }
            Self::File(path, _) => {
                write!(f, "cannot read or make the key file {}: set MAITRE_KEY instead", path.display())
            }
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotHex(_) => None,
            Self::File(_, error) => Some(error),
        }
    }
}

/// A sealed value that none of the keys opens, or that was moved from another row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unopenable;

impl fmt::Display for Unopenable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sealed value cannot be opened: is the key that sealed it still in MAITRE_KEY?")
    }
}

impl std::error::Error for Unopenable {}

impl Keys {
    /// Keys of 64 hex digits, separated by commas, the newest first: what `MAITRE_KEY` holds.
    ///
    /// # Errors
    /// [`KeyError::NotHex`] names the place of the first that is none.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let key = |(place, text): (usize, &str)| {
            let mut bytes = [0; 32];
            hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| KeyError::NotHex(place + 1))?;
            Ok(SealingKey::new(bytes))
        };
        text.split(',').enumerate().map(key).collect::<Result<_, _>>().map(|keys| Self(Arc::new(keys)))
    }

    /// Seals `plain` for the place that `bound_to` names; it opens nowhere else.
    pub(crate) fn seal(&self, bound_to: &str, plain: &[u8]) -> Vec<u8> {
        let key = &self.0[0];
        let nonce = XNonce::generate();
        let payload = Payload { msg: plain, aad: bound_to.as_bytes() };
        // XChaCha20-Poly1305 refuses only messages of more than 256 GiB
        let sealed = key.cipher.encrypt(&nonce, payload).unwrap_or_default();
        [&[VERSION], key.id.as_slice(), nonce.as_slice(), &sealed].concat()
    }

    pub(crate) fn open(&self, bound_to: &str, sealed: &[u8]) -> Result<Vec<u8>, Unopenable> {
        let (head, text) = sealed.split_at_checked(1 + KEY_ID + NONCE).ok_or(Unopenable)?;
        let (id, nonce) = head[1..].split_at(KEY_ID);
        let nonce = XNonce::try_from(nonce).map_err(|_| Unopenable)?;
        let key = self.0.iter().find(|key| head[0] == VERSION && key.id == id).ok_or(Unopenable)?;
        key.cipher.decrypt(&nonce, Payload { msg: text, aad: bound_to.as_bytes() }).map_err(|_| Unopenable)
    }

    /// Whether it was sealed with the key that seals today.
    pub(crate) fn is_current(&self, sealed: &[u8]) -> bool {
        sealed.get(1..=KEY_ID) == Some(self.0[0].id.as_slice())
    }
}

impl SealingKey {
    fn new(bytes: [u8; 32]) -> Self {
        let mut id = [0; KEY_ID];
        id.copy_from_slice(&Sha256::digest(bytes)[..KEY_ID]);
        Self { id, cipher: XChaCha20Poly1305::new(&Key::<XChaCha20Poly1305>::from(bytes)) }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("count", &self.0.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(digits: &[&str]) -> Keys {
        Keys::parse(&digits.iter().map(|digit| digit.repeat(64)).collect::<Vec<_>>().join(",")).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_at_its_own_place_alone() {
        let keys = keys(&["1"]);
        let sealed = keys.seal("resource 1", b"secret");
        assert_eq!(keys.open("resource 1", &sealed).unwrap(), b"secret");
        assert_eq!(keys.open("resource 2", &sealed), Err(Unopenable));
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
    }

    #[test]
    fn a_flipped_bit_is_found_wherever_it_is() {
        let keys = keys(&["1"]);
        let sealed = keys.seal("", b"secret");
        for place in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[place] ^= 1;
            assert_eq!(keys.open("", &altered), Err(Unopenable), "byte {place}");
            assert_eq!(keys.open("", &sealed[..place]), Err(Unopenable), "cut at {place}");
        }
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_still_opens() {
        let (old, both, new) = (keys(&["1"]), keys(&["2", "1"]), keys(&["2"]));
        let sealed = old.seal("", b"secret");
        assert_eq!(both.open("", &sealed).unwrap(), b"secret");
        assert!(!both.is_current(&sealed));
        let resealed = both.seal("", b"secret");
        assert!(both.is_current(&resealed));
        assert_eq!(new.open("", &resealed).unwrap(), b"secret");
        assert_eq!(new.open("", &sealed), Err(Unopenable));
    }

    #[test]
    fn a_key_that_is_none_is_told_by_its_place() {
        for text in ["", "00", &"0".repeat(63), &"g".repeat(64), &format!("{},", "0".repeat(64))] {
            assert!(matches!(Keys::parse(text), Err(KeyError::NotHex(_))), "{text}");
        }
    }
}
