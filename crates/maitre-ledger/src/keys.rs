//! Encryption at rest: every secret column is encrypted, bound to its row, and names its key.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chacha20poly1305::aead::{Aead, Generate, Key, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use maitre_core::{Reload, ReloadError, Replaceable};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 24;

/// Encryption keys: the first one encrypts, all of them decrypt.
///
/// To rotate a key, deploy the new one everywhere as the last key, then everywhere as the first, then run
/// [`Ledger::reseal`](crate::Ledger::reseal), then remove the old one.
///
/// ```
/// use maitre_ledger::Keys;
///
/// let old = "00".repeat(32);
/// let new = "11".repeat(32);
/// let keys: Keys = format!("{new},{old}").parse()?;
/// assert_eq!(format!("{keys:?}"), "Keys { count: 2, .. }");
/// assert!("0011".parse::<Keys>().is_err());
/// # Ok::<(), maitre_ledger::KeyError>(())
/// ```
///
/// Clones share the keys, which [`Reload`] replaces.
#[derive(Clone)]
pub struct Keys(Replaceable<Vec<Arc<SealingKey>>>);

struct SealingKey {
    id: [u8; KEY_ID],
    cipher: XChaCha20Poly1305,
}

/// Error of reading keys. It never contains a key.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// A key is not 64 hex digits; with its position in the list, from 1.
    NotHex(usize),
    /// The key file cannot be read or created.
    File(PathBuf, std::io::Error),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHex(position) => {
                write!(f, "key {position} in MAITRE_KEY is not 64 hex digits: generate it with `openssl rand -hex 32`")
            }
            Self::File(path, _) => {
                write!(f, "cannot read or create the key file {}: set MAITRE_KEY instead", path.display())
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

/// A value that no key decrypts, or that was moved from another row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Undecryptable;

impl Keys {
    /// Parses keys of 64 hex digits, separated by commas, the newest first: the format of `MAITRE_KEY`. The same as
    /// [`FromStr`].
    ///
    /// # Errors
    /// [`KeyError::NotHex`] with the position of the first invalid key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        text.parse()
    }

    /// Creates a random key.
    #[cfg(feature = "sqlite")]
    pub(crate) fn generate() -> Self {
        let key = SealingKey::new(Key::<XChaCha20Poly1305>::generate().into());
        Self(Replaceable::new(vec![Arc::new(key)]))
    }

    /// Encrypts `plain` with the associated data `aad`, without which it cannot be decrypted.
    pub(crate) fn seal(&self, aad: &str, plain: &[u8]) -> Vec<u8> {
        let key = &self.0.get()[0];
        let nonce = XNonce::generate();
        let payload = Payload { msg: plain, aad: aad.as_bytes() };
        // XChaCha20-Poly1305 refuses only messages of more than 256 GiB
        let sealed = key.cipher.encrypt(&nonce, payload).unwrap_or_default();
        [&[VERSION], key.id.as_slice(), nonce.as_slice(), &sealed].concat()
    }

    pub(crate) fn open(&self, aad: &str, sealed: &[u8]) -> Result<Vec<u8>, Undecryptable> {
        let (head, text) = sealed.split_at_checked(1 + KEY_ID + NONCE).ok_or(Undecryptable)?;
        let (id, nonce) = head[1..].split_at(KEY_ID);
        let nonce = XNonce::try_from(nonce).map_err(|_| Undecryptable)?;
        let keys = self.0.get();
        let (position, key) =
            keys.iter().enumerate().find(|(_, key)| head[0] == VERSION && key.id == id).ok_or(Undecryptable)?;
        if position > 0 {
            crate::metrics::old_key_use(&key.id);
        }
        key.cipher.decrypt(&nonce, Payload { msg: text, aad: aad.as_bytes() }).map_err(|_| Undecryptable)
    }

    /// Whether the value was encrypted with the first key.
    pub(crate) fn is_current(&self, sealed: &[u8]) -> bool {
        sealed.get(1..=KEY_ID) == Some(self.0.get()[0].id.as_slice())
    }
}

impl FromStr for Keys {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let key = |(index, text): (usize, &str)| {
            let mut bytes = [0; 32];
            hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| KeyError::NotHex(index + 1))?;
            Ok(Arc::new(SealingKey::new(bytes)))
        };
        text.split(',').enumerate().map(key).collect::<Result<_, _>>().map(|keys| Self(Replaceable::new(keys)))
    }
}

/// The text has the format of `MAITRE_KEY`. A key that is no longer in it decrypts until the process ends, whatever the
/// overlap, so that no record becomes unreadable by a key that was removed too early.
///
/// ```
/// use std::time::Duration;
/// use maitre_core::Reload;
/// use maitre_ledger::Keys;
/// use time::OffsetDateTime;
///
/// let (old, new) = ("00".repeat(32), "11".repeat(32));
/// let keys = Keys::parse(&old)?;
/// keys.reload(&format!("{new}\n"), OffsetDateTime::UNIX_EPOCH, Duration::ZERO)?;
/// assert_eq!(format!("{keys:?}"), "Keys { count: 2, .. }");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Reload for Keys {
    fn reload(&self, text: &str, _: OffsetDateTime, _: Duration) -> Result<(), ReloadError> {
        let new = Self::parse(text.trim()).map_err(ReloadError::new)?;
        let mut keys = Vec::clone(&new.0.get());
        for old in self.0.get().iter() {
            if keys.iter().all(|key| key.id != old.id) {
                keys.push(old.clone());
            }
        }
        self.0.replace(keys);
        Ok(())
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
        f.debug_struct("Keys").field("count", &self.0.get().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(digits: &[&str]) -> Keys {
        Keys::parse(&digits.iter().map(|digit| digit.repeat(64)).collect::<Vec<_>>().join(",")).unwrap()
    }

    #[test]
    fn a_value_is_decrypted_only_with_its_associated_data() {
        let keys = keys(&["1"]);
        let sealed = keys.seal("resource 1", b"secret");
        assert_eq!(keys.open("resource 1", &sealed).unwrap(), b"secret");
        assert_eq!(keys.open("resource 2", &sealed), Err(Undecryptable));
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
    }

    #[test]
    fn a_flipped_bit_is_detected_everywhere() {
        let keys = keys(&["1"]);
        let sealed = keys.seal("", b"secret");
        for position in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[position] ^= 1;
            assert_eq!(keys.open("", &altered), Err(Undecryptable), "byte {position}");
            assert_eq!(keys.open("", &sealed[..position]), Err(Undecryptable), "cut at {position}");
        }
    }

    #[test]
    fn the_first_key_encrypts_and_old_keys_still_decrypt() {
        let (old, both, new) = (keys(&["1"]), keys(&["2", "1"]), keys(&["2"]));
        let sealed = old.seal("", b"secret");
        assert_eq!(both.open("", &sealed).unwrap(), b"secret");
        assert!(!both.is_current(&sealed));
        let resealed = both.seal("", b"secret");
        assert!(both.is_current(&resealed));
        assert_eq!(new.open("", &resealed).unwrap(), b"secret");
        assert_eq!(new.open("", &sealed), Err(Undecryptable));
    }

    #[test]
    fn an_invalid_key_is_reported_by_its_position() {
        for text in ["", "00", &"0".repeat(63), &"g".repeat(64), &format!("{},", "0".repeat(64))] {
            assert!(matches!(Keys::parse(text), Err(KeyError::NotHex(_))), "{text}");
        }
    }
}
