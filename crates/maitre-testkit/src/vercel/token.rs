//! Tokens of Vercel's calls, and forged ones.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use time::{Duration, OffsetDateTime};

use super::{installation::Installation, key::SigningKey};

/// Lifetime of a token.
const LIFETIME: Duration = Duration::hours(1);

/// Token that can be modified before it is signed.
///
/// ```
/// use maitre_testkit::vercel::Platform;
///
/// let platform = Platform::new("oac_lantern", "client secret");
/// let installation = platform.new_installation();
/// let token = platform.user_token(&installation).claim("user_role", "USER");
/// assert_eq!(token.claims()["installation_id"], installation.id());
/// assert_eq!(token.sign().split('.').count(), 3);
/// assert!(token.unsigned().ends_with('.'));
/// ```
///
/// `Debug` prints the claims, which are not secret, and no signature.
#[derive(Clone)]
#[must_use = "a token is used when it is signed"]
pub struct Token {
    key: SigningKey,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Token {
    pub(super) fn new(key: &SigningKey, issuer: &str, audience: &str, now: OffsetDateTime) -> Self {
        let header = [("alg", "RS256".into()), ("typ", "JWT".into()), ("kid", key.kid().into())];
        let claims = [("iss", issuer.into()), ("aud", audience.into()), ("type", "access_token".into())];
        let named = |(name, value): (&str, Value)| (name.to_owned(), value);
        let token = Self {
            key: key.clone(),
            header: header.into_iter().map(named).collect(),
            claims: claims.into_iter().map(named).collect(),
        };
        token.at(now)
    }

    pub(super) fn for_account(self, installation: &Installation) -> Self {
        let account = installation.account_id();
        self.claim("sub", format!("account:{account}"))
            .claim("account_id", account)
            .claim("installation_id", installation.id())
    }

    pub(super) fn for_user(self, installation: &Installation) -> Self {
        let (account, user) = (installation.account_id(), installation.user_id());
        self.for_account(installation)
            .claim("sub", format!("account:{account}:user:{user}"))
            .claim("user_id", user)
            .claim("user_role", "ADMIN")
            .claim("user_email", "ada@customer.example")
            .claim("user_name", "Ada Example")
    }

    /// Sets the time at which the token is issued: `iat` and `nbf`, and `exp` an hour later.
    pub fn at(self, now: OffsetDateTime) -> Self {
        let issued = now.unix_timestamp();
        self.claim("iat", issued).claim("nbf", issued).claim("exp", (now + LIFETIME).unix_timestamp())
    }

    /// Sets a claim.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Omits a claim.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets a field of the header, such as `kid`.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Omits a field of the header.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Signs with another key, and sets its `kid`.
    pub fn signed_by(mut self, key: &SigningKey) -> Self {
        self.key = key.clone();
        self.header("kid", key.kid())
    }

    /// Signs with another key under the `kid` of the published one.
    pub fn forged_by(mut self, key: &SigningKey) -> Self {
        self.key = key.clone();
        self
    }

    /// Returns the claims.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Returns the token, signed with RS256.
    #[must_use]
    pub fn sign(&self) -> String {
        let signed = self.signed_part();
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// Returns a token with `alg: none` and an empty signature.
    #[must_use]
    pub fn unsigned(&self) -> String {
        format!("{}.", self.clone().header("alg", "none").signed_part())
    }

    /// Returns a token with `alg: HS256`, keyed with these bytes, such as the public key: the confusion of a verifier that
    /// lets the token choose the algorithm.
    ///
    /// # Panics
    /// Does not panic: HMAC takes keys of any length.
    #[must_use]
    pub fn sign_hs256(&self, key: &[u8]) -> String {
        let signed = self.clone().header("alg", "HS256").signed_part();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
        mac.update(signed.as_bytes());
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    /// Returns the token with one bit of its signature changed. The number is taken modulo the bits of the signature.
    #[must_use]
    pub fn with_flipped_bit(&self, bit: usize) -> String {
        let signed = self.signed_part();
        let mut signature = self.key.sign(signed.as_bytes());
        let bit = bit % (signature.len() * 8);
        signature[bit / 8] ^= 1 << (bit % 8);
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    fn signed_part(&self) -> String {
        let part = |fields: &Map<String, Value>| BASE64_URL_SAFE_NO_PAD.encode(json!(fields).to_string());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("header", &self.header).field("claims", &self.claims).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{rsa::PublicKeyComponents, signature::RSA_PKCS1_2048_8192_SHA256};

    use super::*;
    use crate::vercel::Platform;

    fn is_signed_by(token: &str, key: &SigningKey) -> bool {
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let bytes = |text: &Value| BASE64_URL_SAFE_NO_PAD.decode(text.as_str().expect("text")).expect("base64");
        let jwk = key.jwk();
        let public = PublicKeyComponents { n: bytes(&jwk["n"]), e: bytes(&jwk["e"]) };
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64");
        public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).is_ok()
    }

    #[test]
    fn a_token_is_signed_by_its_key_only() {
        let platform = Platform::new("oac_lantern", "client secret");
        let installation = platform.new_installation();
        let (key, other) = (platform.signing_key(), SigningKey::generate("other"));
        let token = platform.user_token(&installation);
        assert!(is_signed_by(&token.sign(), &key));
        assert!(!is_signed_by(&token.sign(), &other));
        assert!(!is_signed_by(&token.with_flipped_bit(17), &key));
        assert!(is_signed_by(&token.clone().forged_by(&other).sign(), &other));
        assert!(!is_signed_by(&token.sign_hs256(b"key"), &key));
    }

    #[test]
    fn claims_follow_the_kind_of_the_token() {
        let platform = Platform::new("oac_lantern", "client secret");
        let installation = platform.new_installation();
        let user = platform.user_token(&installation);
        let system = platform.system_token(&installation);
        assert_eq!(
            user.claims()["sub"],
            format!("account:{}:user:{}", installation.account_id(), installation.user_id())
        );
        assert_eq!(system.claims()["sub"], format!("account:{}", installation.account_id()));
        assert!(!system.claims().contains_key("user_role"));
        assert_eq!(platform.id_token(&installation).claims()["type"], "id_token");
        assert_eq!(user.claims()["exp"].as_i64().unwrap() - user.claims()["iat"].as_i64().unwrap(), 3_600);
    }
}
