//! Keys with which Vercel signs tokens.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

/// RSA key of 2048 bits with an id, created at run time.
///
/// ```
/// use maitre_testkit::vercel::SigningKey;
///
/// let key = SigningKey::generate("key-1");
/// assert_eq!((&key.jwk()["kid"], &key.jwk()["alg"]), (&"key-1".into(), &"RS256".into()));
/// assert_ne!(key.jwk()["n"], SigningKey::generate("key-1").jwk()["n"]);
/// ```
///
/// `Debug` prints the id only.
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    pair: Arc<KeyPair>,
}

impl SigningKey {
    /// Generates a key with this id.
    ///
    /// # Panics
    /// Panics if the operating system has no random numbers.
    #[must_use]
    pub fn generate(kid: &str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("random numbers");
        Self { kid: kid.to_owned(), pair: Arc::new(pair) }
    }

    /// Returns the same key with another id.
    #[must_use]
    pub fn with_kid(&self, kid: &str) -> Self {
        Self { kid: kid.to_owned(), pair: self.pair.clone() }
    }

    /// Returns the id, the `kid` in the headers of tokens.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the public key as it is published in the key set (RFC 7517).
    #[must_use]
    pub fn jwk(&self) -> Value {
        let public = self.pair.public_key();
        json!({
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": self.kid,
            "n": BASE64_URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            "e": BASE64_URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
        })
    }

    /// Returns the public key as PEM, the form in which many libraries expect it.
    ///
    /// ```
    /// use maitre_testkit::vercel::SigningKey;
    ///
    /// let pem = SigningKey::generate("key-1").public_key_pem();
    /// assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\nMIIB"));
    /// ```
    ///
    /// # Panics
    /// Does not panic: every generated key has this form.
    #[must_use]
    pub fn public_key_pem(&self) -> String {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().expect("a public key has this form");
        let text = BASE64_STANDARD.encode(der.as_ref());
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.extend(line.iter().copied().map(char::from).chain(['\n']));
        }
        pem + "-----END PUBLIC KEY-----\n"
    }

    /// Signs bytes with RS256 (RSASSA-PKCS1-v1_5 with SHA-256).
    ///
    /// # Panics
    /// Panics if the key cannot sign, which does not happen with a generated key.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .expect("the signature has the length of the modulus");
        signature
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}
