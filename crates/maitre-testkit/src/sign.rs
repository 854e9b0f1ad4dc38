//! Values that a marketplace computes for a request: the `Authorization` header and the sign-on tokens.
//!
//! Every function is tested with known answers rather than against another implementation of this project, so a
//! verifier that agrees with them agrees with the marketplace. Timestamps are text because the text that is sent is
//! the text that is hashed. Digests are lowercase hex.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::{Digest as _, Sha1};
use sha2::{Sha256, Sha512};

/// Returns the value of an `Authorization: Basic` header, as Heroku and cloudControl send it: the add-on's slug and
/// the password of its manifest (Heroku's add-on partner API reference, authentication).
///
/// ```
/// use maitre_testkit::sign;
///
/// assert_eq!(sign::basic("lantern", "s3cr3t-example"), "Basic bGFudGVybjpzM2NyM3QtZXhhbXBsZQ==");
/// ```
#[must_use]
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

/// Returns the sign-on token of the first generation, `token`: SHA-1 of the id that the vendor returned, the salt and
/// the timestamp, joined by colons (Heroku's add-on single sign-on article). It is cloudControl's only token.
///
/// ```
/// use maitre_testkit::sign;
///
/// assert_eq!(sign::token("1", "SSO_SALT", "1262304000"), "b6010f6fbb850887a396c2bc0ab23974003008f6");
/// ```
#[must_use]
pub fn token(id: &str, salt: &str, timestamp: &str) -> String {
    hex::encode(Sha1::digest([id, salt, timestamp].join(":")))
}

/// Returns DigitalOcean's sign-on token: HMAC-SHA256 of the timestamp and the resource's UUID, joined by a colon; the
/// salt is its key.
///
/// ```
/// use maitre_testkit::sign;
///
/// assert_eq!(
///     sign::digitalocean("0f6a2c3e-5d41-4b7a-9c11-2f3e4d5c6b7a", "kelp-salt", "1700000000"),
///     "0a5d00d652afcb4a327e61f05ccb04404d637af83fcb92eb011e423f9996f278",
/// );
/// ```
#[must_use]
pub fn digitalocean(uuid: &str, salt: &str, timestamp: &str) -> String {
    hex::encode(hmac_sha256(salt, format!("{timestamp}:{uuid}").as_bytes()))
}

/// Returns a JWT signed with HS256, as QuickNode sends it in a sign-on link. Header and claims are the JSON texts that are
/// signed.
///
/// ```
/// use maitre_testkit::sign;
///
/// let claims = r#"{"iat":1700000000,"jti":"1700000000/ab12cd34","quicknode_id":"qn-acc-1"}"#;
/// let jwt = sign::jwt(r#"{"alg":"HS256"}"#, claims, "pomelo-jwt-secret");
/// assert!(jwt.starts_with("eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImp0aSI6IjE3MDAwMDAwMDAvYWIxMmNkMzQi"));
/// ```
#[must_use]
pub fn jwt(header: &str, claims: &str, secret: &str) -> String {
    let signed = [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".");
    let signature = BASE64_URL_SAFE_NO_PAD.encode(hmac_sha256(secret, signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// Returns Clever Cloud's sign-on signature: SHA-512 of resource, user, address, nav-data, salt and timestamp, joined by
/// colons.
///
/// ```
/// use maitre_testkit::sign;
///
/// let user = "user_11111111-2222-3333-4444-555555555555";
/// let signature = sign::clever_cloud("res_42", user, "ada@example.test", "", "plum-salt", "1700000000");
/// assert!(signature.starts_with("dee79ee94b72e6017a8d1a9da356d8fc850526febcf99b2a1d57155747c4de3e"));
/// ```
#[must_use]
pub fn clever_cloud(id: &str, user_id: &str, email: &str, nav_data: &str, salt: &str, timestamp: &str) -> String {
    hex::encode(Sha512::digest([id, user_id, email, nav_data, salt, timestamp].join(":")))
}

/// Returns the sign-on token of the second generation, `resource_token`: like [`token`], but with the marketplace's
/// id of the resource (Heroku's add-on single sign-on article).
///
/// ```
/// use maitre_testkit::sign;
///
/// let resource = "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21";
/// assert_eq!(
///     sign::resource_token(resource, "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "1772000000"),
///     "ac96a81ac9555ffb7077cce9dd00850ae85c267d",
/// );
/// ```
#[must_use]
pub fn resource_token(resource_id: &str, salt: &str, timestamp: &str) -> String {
    token(resource_id, salt, timestamp)
}

/// Returns the sign-on token of the third generation, `user_scoped_resource_token`: SHA-256, and the only one that
/// also signs the user (Heroku's add-on single sign-on article, since February 2026). `email` is the address itself,
/// not its form encoding.
///
/// ```
/// use maitre_testkit::sign;
///
/// let token = sign::user_scoped_resource_token(
///     "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21",
///     "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
///     "1772000000",
///     "c4b1f2d0-8e2a-4d6b-9c11-5a7e3f9d2b64",
///     "ada+ops@example.org",
/// );
/// assert_eq!(token, "8ba47704978c8957e89c392ca68d70ab5a3f0aebe21924c3abc452a97eb50f0d");
/// ```
#[must_use]
pub fn user_scoped_resource_token(
    resource_id: &str,
    salt: &str,
    timestamp: &str,
    user_id: &str,
    email: &str,
) -> String {
    hex::encode(Sha256::digest([resource_id, salt, timestamp, user_id, email].join(":")))
}

/// Returns the signature of a webhook delivery, `Heroku-Webhook-Hmac-SHA256`: HMAC-SHA256 of the body's bytes as
/// sent, in base64 (Heroku's article on add-on webhooks).
///
/// ```
/// use maitre_testkit::sign;
///
/// assert_eq!(
///     sign::webhook("lantern-webhook-secret", br#"{"id":"e1","action":"update"}"#),
///     "UzZ9lxyUHKEcIS19mrzX0UYf6I4YaEhPtUlDgI0AZWw=",
/// );
/// ```
#[cfg(feature = "platform")]
#[must_use]
pub fn webhook(secret: &str, body: &[u8]) -> String {
    BASE64_STANDARD.encode(hmac_sha256(secret, body))
}

fn hmac_sha256(key: &str, text: &[u8]) -> impl AsRef<[u8]> + use<> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key may have any length");
    mac.update(text);
    mac.finalize().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    const AT: &str = "1772000000";
    const RESOURCE: &str = "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21";
    const USER: &str = "c4b1f2d0-8e2a-4d6b-9c11-5a7e3f9d2b64";

    #[test]
    fn basic_is_standard_base64_with_padding() {
        assert_eq!(basic("lantern", "s3cr3t-example"), "Basic bGFudGVybjpzM2NyM3QtZXhhbXBsZQ==");
    }

    #[test]
    fn token_matches_the_article() {
        assert_eq!(
            token("123", "2f97bfa52ca102f8874716e2eb1d3b4920ad0be4", "1267597772"),
            "bb466eb1d6bc345d11072c3cd25c311f21be130d",
        );
    }

    #[test]
    fn token_matches_kensa() {
        assert_eq!(token("1", "SSO_SALT", "1262304000"), "b6010f6fbb850887a396c2bc0ab23974003008f6");
    }

    #[test]
    fn token_of_a_numeric_provider_id() {
        assert_eq!(token("4711", SALT, AT), "a8f6e6c591b80b8d12222f8823a613e65b4dfbf7");
    }

    #[test]
    fn token_matches_cloudcontrol() {
        assert_eq!(token("789", "rock salt", "1700000000"), "9b65f5836299bfe5dce9af06e2fa59d3044a8cc9");
    }

    #[test]
    fn resource_token_of_a_uuid() {
        assert_eq!(resource_token(RESOURCE, SALT, AT), "ac96a81ac9555ffb7077cce9dd00850ae85c267d");
    }

    #[test]
    fn user_scoped_resource_token_uses_the_decoded_address() {
        assert_eq!(
            user_scoped_resource_token(RESOURCE, SALT, AT, USER, "ada+ops@example.org"),
            "8ba47704978c8957e89c392ca68d70ab5a3f0aebe21924c3abc452a97eb50f0d",
        );
    }
}
