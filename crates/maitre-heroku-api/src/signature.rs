//! Whether a webhook came from Heroku.

use std::{error, fmt};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use maitre_core::Secret;
use sha2::Sha256;

/// The header that a webhook's signature comes in.
pub const WEBHOOK_SIGNATURE: &str = "Heroku-Webhook-Hmac-SHA256";

/// The secret of a webhook subscription, by which its signatures are verified (Heroku's article on add-on webhooks).
///
/// The signature is HMAC-SHA256 over the body's bytes as they came, in base64. There is no time in it, so know
/// duplicates by the [event's id](crate::Event::id).
///
/// ```
/// use maitre_heroku_api::WebhookSecret;
///
/// let (today, leaving) = (WebhookSecret::new("lantern-webhook-secret")?, WebhookSecret::new("older")?);
/// let body = br#"{"id":"e1","action":"update"}"#;
/// let signature = "UzZ9lxyUHKEcIS19mrzX0UYf6I4YaEhPtUlDgI0AZWw=";
///
/// assert!(today.verifies(signature, body));
/// assert!(WebhookSecret::any_verifies(&[leaving, today], signature, body)); // while it is being changed
/// # Ok::<(), maitre_heroku_api::EmptySecret>(())
/// ```
///
/// `Debug` prints nothing of it.
#[derive(Clone)]
pub struct WebhookSecret(Hmac<Sha256>);

impl WebhookSecret {
    /// A secret, as it was chosen or told when subscribing.
    ///
    /// # Errors
    /// It is empty: anybody could sign with it.
    pub fn new(secret: impl Into<Secret>) -> Result<Self, EmptySecret> {
        let secret = secret.into();
        if secret.expose().is_empty() {
            return Err(EmptySecret);
        }
        Hmac::new_from_slice(secret.expose().as_bytes()).map(Self).map_err(|_| EmptySecret)
    }

    /// Whether the [header](WEBHOOK_SIGNATURE) is this secret's signature of the body. It takes the same time for any
    /// wrong one.
    #[must_use]
    pub fn verifies(&self, signature: &str, body: &[u8]) -> bool {
        Self::any_verifies([self], signature, body)
    }

    /// Whether it is that of one of them: all are tried, so that the time does not tell which.
    #[must_use]
    pub fn any_verifies<'a>(secrets: impl IntoIterator<Item = &'a Self>, signature: &str, body: &[u8]) -> bool {
        let Ok(signature) = BASE64_STANDARD.decode(signature) else { return false };
        secrets.into_iter().fold(false, |found, secret| {
            let mac = secret.0.clone().chain_update(body);
            found | mac.verify_slice(&signature).is_ok()
        })
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

/// A secret of no characters, with which anybody could sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmptySecret;

impl fmt::Display for EmptySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the webhook's secret is empty: take the one that was told when subscribing, or set a new one")
    }
}

impl error::Error for EmptySecret {}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"e1","action":"update"}"#;
    const SIGNATURE: &str = "UzZ9lxyUHKEcIS19mrzX0UYf6I4YaEhPtUlDgI0AZWw=";

    fn secret(text: &str) -> WebhookSecret {
        WebhookSecret::new(text).unwrap()
    }

    #[test]
    fn the_known_answer() {
        assert!(secret("lantern-webhook-secret").verifies(SIGNATURE, BODY));
        assert!(!secret("lantern-webhook-secre").verifies(SIGNATURE, BODY));
        assert!(!secret("lantern-webhook-secret").verifies(SIGNATURE, br#"{"id":"e1", "action":"update"}"#));
    }

    #[test]
    fn hex_and_other_spellings_are_no_signature() {
        let key = secret("lantern-webhook-secret");
        for other in [
            "",
            "=",
            "53367d971c941ca11c212d7d9abcd7d1461fe88e1868484fb5494380 8d00656c",
            "UzZ9lxyUHKEcIS19mrzX0UYf6I4YaEhPtUlDgI0AZWw",
            "UzZ9lxyUHKEcIS19mrzX0UYf6I4YaEhPtUlDgI0AZWx=",
            " UzZ9lxyUHKEcIS19mrzX0UYf6I4YaEhPtUlDgI0AZWw=",
            "uzZ9lxyUHKEcIS19mrzX0UYf6I4YaEhPtUlDgI0AZWw=",
            "UzZ9lxyUHKEcIS19mrzX0UYf6I4YaEhPtUlDgI0A",
        ] {
            assert!(!key.verifies(other, BODY), "{other}");
        }
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let key = secret("lantern-webhook-secret");
        for bit in 0..BODY.len() * 8 {
            let mut body = BODY.to_vec();
            body[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verifies(SIGNATURE, &body), "bit {bit} of the body");
        }
        for bit in 0..SIGNATURE.len() * 8 {
            let mut signature = SIGNATURE.as_bytes().to_vec();
            signature[bit / 8] ^= 1 << (bit % 8);
            let signature = String::from_utf8_lossy(&signature).into_owned();
            assert!(!key.verifies(&signature, BODY), "bit {bit} of the signature");
        }
    }

    #[test]
    fn one_of_several_is_enough_and_none_is_not() {
        let all = [secret("older"), secret("lantern-webhook-secret"), secret("newer")];
        assert!(WebhookSecret::any_verifies(&all, SIGNATURE, BODY));
        assert!(!WebhookSecret::any_verifies([&all[0], &all[2]], SIGNATURE, BODY));
        assert!(!WebhookSecret::any_verifies([], SIGNATURE, BODY));
    }

    #[test]
    fn an_empty_secret_is_none() {
        assert_eq!(WebhookSecret::new("").unwrap_err(), EmptySecret);
        assert_eq!(format!("{:?}", secret("s3cr3t")), "WebhookSecret(..)");
    }
}
