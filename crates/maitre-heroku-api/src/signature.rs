//! Verification of webhook signatures.

use std::{error, fmt};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use maitre_core::Secret;
use sha2::Sha256;
use time::OffsetDateTime;

/// Name of the header that contains the signature of a webhook.
pub const WEBHOOK_SIGNATURE: &str = "Heroku-Webhook-Hmac-SHA256";

/// Secret of a webhook subscription, which verifies its signatures (Heroku's article on add-on webhooks).
///
/// The signature is the base64-encoded HMAC-SHA256 of the received body. It contains no timestamp, so detect duplicates by
/// the [event's id](crate::Event::id).
///
/// ```
/// use maitre_heroku_api::WebhookSecret;
///
/// let (new, old) = (WebhookSecret::new("lantern-webhook-secret")?, WebhookSecret::new("older")?);
/// let body = br#"{"id":"e1","action":"update"}"#;
/// let signature = "UzZ9lxyUHKEcIS19mrzX0UYf6I4YaEhPtUlDgI0AZWw=";
///
/// assert!(new.verifies(signature, body));
/// assert!(WebhookSecret::any_verifies(&[old, new], signature, body)); // during a change of the secret
/// # Ok::<(), maitre_heroku_api::EmptySecret>(())
/// ```
///
/// `Debug` does not print the secret.
#[derive(Clone)]
pub struct WebhookSecret {
    mac: Hmac<Sha256>,
    expires_at: Option<OffsetDateTime>,
}

impl WebhookSecret {
    /// Creates a secret from the value that was set or returned when subscribing.
    ///
    /// # Errors
    /// Returns an error if the secret is empty, because everyone could sign with it.
    pub fn new(secret: impl Into<Secret>) -> Result<Self, EmptySecret> {
        let secret = secret.into();
        if secret.expose().is_empty() {
            return Err(EmptySecret);
        }
        let mac = Hmac::new_from_slice(secret.expose().as_bytes()).map_err(|_| EmptySecret)?;
        Ok(Self { mac, expires_at: None })
    }

    /// Sets the first instant at which signatures by this secret are refused. A secret with an end is an old one, which is
    /// being replaced.
    #[must_use]
    pub fn with_expiry(mut self, expires_at: OffsetDateTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Whether the secret is accepted at `now`.
    ///
    /// ```
    /// use maitre_heroku_api::WebhookSecret;
    /// use time::macros::datetime;
    ///
    /// let old = WebhookSecret::new("older")?.with_expiry(datetime!(2026-03-01 0:00 UTC));
    /// assert!(old.is_active(datetime!(2026-02-28 23:59 UTC)) && !old.is_active(datetime!(2026-03-01 0:00 UTC)));
    /// # Ok::<(), maitre_heroku_api::EmptySecret>(())
    /// ```
    #[must_use]
    pub fn is_active(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether the secret has an end.
    #[must_use]
    pub fn is_old(&self) -> bool {
        self.expires_at.is_some()
    }

    /// Whether the [header](WEBHOOK_SIGNATURE) is this secret's signature of the body. Compares in constant time.
    #[must_use]
    pub fn verifies(&self, signature: &str, body: &[u8]) -> bool {
        Self::any_verifies([self], signature, body)
    }

    /// Whether the header is the signature by one of the secrets. Tries all of them, so that the duration does not reveal
    /// which one matched.
    #[must_use]
    pub fn any_verifies<'a>(secrets: impl IntoIterator<Item = &'a Self>, signature: &str, body: &[u8]) -> bool {
        let Ok(signature) = BASE64_STANDARD.decode(signature) else { return false };
        secrets.into_iter().fold(false, |found, secret| {
            let mac = secret.mac.clone().chain_update(body);
            found | mac.verify_slice(&signature).is_ok()
        })
    }
}

/// Two secrets are equal if they verify the same signatures, whatever their ends.
impl PartialEq for WebhookSecret {
    fn eq(&self, other: &Self) -> bool {
        let sign = |secret: &Self| secret.mac.clone().chain_update([0]).finalize();
        sign(self) == sign(other)
    }
}

impl Eq for WebhookSecret {}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

/// Error for an empty webhook secret, with which everyone could sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmptySecret;

impl fmt::Display for EmptySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the webhook secret is empty: use the one returned when subscribing, or set a new one")
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
    fn a_known_signature_is_verified() {
        assert!(secret("lantern-webhook-secret").verifies(SIGNATURE, BODY));
        assert!(!secret("lantern-webhook-secre").verifies(SIGNATURE, BODY));
        assert!(!secret("lantern-webhook-secret").verifies(SIGNATURE, br#"{"id":"e1", "action":"update"}"#));
    }

    #[test]
    fn other_encodings_of_the_signature_are_rejected() {
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
    fn every_flipped_bit_is_detected() {
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
    fn one_matching_secret_is_sufficient() {
        let all = [secret("older"), secret("lantern-webhook-secret"), secret("newer")];
        assert!(WebhookSecret::any_verifies(&all, SIGNATURE, BODY));
        assert!(!WebhookSecret::any_verifies([&all[0], &all[2]], SIGNATURE, BODY));
        assert!(!WebhookSecret::any_verifies([], SIGNATURE, BODY));
    }

    #[test]
    fn an_empty_secret_is_rejected() {
        assert_eq!(WebhookSecret::new("").unwrap_err(), EmptySecret);
        assert_eq!(format!("{:?}", secret("s3cr3t")), "WebhookSecret(..)");
    }
}
