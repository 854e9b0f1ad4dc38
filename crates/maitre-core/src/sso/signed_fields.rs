//! The signed fields of a token, its hash and its verification.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::{Choice, ConstantTimeEq};
use time::OffsetDateTime;

use super::error::TokenError;
use super::window::Window;
use crate::credentials::Salt;

/// Hash algorithm of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-1 of the parts.
    Sha1,
    /// SHA-256 of the parts.
    Sha256,
    /// SHA-512 of the parts.
    Sha512,
    /// HMAC-SHA256 of the parts; the salt is its key.
    HmacSha256,
}

/// Part of a signed text. The parts are joined by colons.
///
/// `Debug` omits the values, which may identify a user.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Part<'a> {
    /// The salt.
    Salt,
    /// The timestamp, as received.
    Timestamp,
    /// A field that must not be empty.
    Field(&'a str),
    /// A field that may be empty.
    Optional(&'a str),
}

/// The fields that an SSO token signs; determines the hash algorithm.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum SignedFields<'a> {
    /// A resource: SHA-1 of `id:salt:timestamp`. The id is the UUID in Heroku's `resource_token`, and the id that the
    /// listener returned in the v1 `token` of Heroku and cloudControl.
    Id(&'a str),
    /// A resource and a user: SHA-256 of `resource_id:salt:timestamp:user_id:email`, Heroku's
    /// `user_scoped_resource_token`.
    User {
        /// UUID of the resource.
        resource_id: &'a str,
        /// Id of the user.
        user_id: &'a str,
        /// Email address of the user, form-decoded.
        email: &'a str,
    },
    /// Any other scheme: the hash of these parts, joined by colons.
    ///
    /// ```
    /// use maitre_core::Salt;
    /// use maitre_core::sso::{Algorithm, Part, SignedFields};
    ///
    /// let parts = [Part::Timestamp, Part::Field("0f6a2c3e-5d41-4b7a-9c11-2f3e4d5c6b7a")];
    /// let fields = SignedFields::Parts(Algorithm::HmacSha256, &parts);
    /// let token = fields.sign(&Salt::new("kelp-salt")?, "1700000000");
    /// assert_eq!(token, "0a5d00d652afcb4a327e61f05ccb04404d637af83fcb92eb011e423f9996f278");
    /// # Ok::<(), maitre_core::CredentialsError>(())
    /// ```
    Parts(Algorithm, &'a [Part<'a>]),
}

impl SignedFields<'_> {
    /// Computes the token as the marketplace does, in lowercase hex.
    #[must_use]
    pub fn sign(&self, salt: &Salt, timestamp: &str) -> String {
        self.hex(salt, timestamp, str::to_owned)
    }

    /// Verifies a token and its timestamp.
    ///
    /// # Errors
    /// Returns the first rule that the token violates.
    pub fn verify(
        &self,
        token: &str,
        timestamp: &str,
        salts: &[Salt],
        window: Window,
        now: OffsetDateTime,
    ) -> Result<(), TokenError> {
        if !self.is_complete() || token.is_empty() {
            return Err(TokenError::Incomplete);
        }
        window.check(timestamp, now)?;
        self.verify_hash(token, timestamp, salts, now)
    }

    /// Verifies a token without its timestamp, which the caller checks with [`Window::check_unix`].
    ///
    /// # Errors
    /// Returns [`TokenError::Incomplete`] or [`TokenError::Wrong`].
    pub fn verify_hash(
        &self,
        token: &str,
        timestamp: &str,
        salts: &[Salt],
        now: OffsetDateTime,
    ) -> Result<(), TokenError> {
        if !self.is_complete() || token.is_empty() {
            return Err(TokenError::Incomplete);
        }
        let matches = salts.iter().filter(|salt| salt.is_active(now)).fold(Choice::from(0), |matches, salt| {
            matches | self.hex(salt, timestamp, |hex| hex.as_bytes().ct_eq(token.as_bytes()))
        });
        if matches.into() { Ok(()) } else { Err(TokenError::Wrong) }
    }

    /// Returns whether all fields are present. A colon in a field that another field follows, such as the user's id, could
    /// shift the boundary between the two without changing the hash.
    fn is_complete(&self) -> bool {
        match self {
            Self::Id(id) => !id.is_empty(),
            Self::User { resource_id, user_id, email } => {
                !resource_id.is_empty() && !user_id.is_empty() && !user_id.contains(':') && !email.is_empty()
            }
            Self::Parts(_, parts) => {
                let present = parts.iter().all(|part| !matches!(part, Part::Field("")));
                present && parts.windows(2).all(|pair| pair[1].is_constant() || !pair[0].text().contains(':'))
            }
        }
    }

    fn hex<T>(&self, salt: &Salt, timestamp: &str, f: impl FnOnce(&str) -> T) -> T {
        let salt = salt.expose();
        let mut buffer = [0; 128];
        let hex = match self {
            Self::Id(id) => encode(&joined::<Sha1>(&[id, salt, timestamp]), &mut buffer),
            Self::User { resource_id, user_id, email } => {
                encode(&joined::<Sha256>(&[resource_id, salt, timestamp, user_id, email]), &mut buffer)
            }
            Self::Parts(algorithm, parts) => {
                let parts = parts.iter().map(|part| match part {
                    Part::Salt => salt,
                    Part::Timestamp => timestamp,
                    Part::Field(text) | Part::Optional(text) => text,
                });
                let parts: Vec<&str> = parts.collect();
                match algorithm {
                    Algorithm::Sha1 => encode(&joined::<Sha1>(&parts), &mut buffer),
                    Algorithm::Sha256 => encode(&joined::<Sha256>(&parts), &mut buffer),
                    Algorithm::Sha512 => encode(&joined::<Sha512>(&parts), &mut buffer),
                    Algorithm::HmacSha256 => encode(&hmac(salt, &parts), &mut buffer),
                }
            }
        };
        f(hex)
    }
}

impl fmt::Debug for SignedFields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => f.debug_tuple("Id").field(id).finish(),
            Self::User { resource_id, .. } => {
                f.debug_struct("User").field("resource_id", resource_id).finish_non_exhaustive()
            }
            Self::Parts(algorithm, parts) => f.debug_tuple("Parts").field(algorithm).field(parts).finish(),
        }
    }
}

impl<'a> Part<'a> {
    /// Returns the text of a field, which the caller chooses.
    fn text(&self) -> &'a str {
        match self {
            Self::Field(text) | Self::Optional(text) => text,
            Self::Salt | Self::Timestamp => "",
        }
    }

    /// Returns whether the caller does not choose the text: no colon can be shifted past it.
    fn is_constant(&self) -> bool {
        matches!(self, Self::Salt)
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Salt => "Salt",
            Self::Timestamp => "Timestamp",
            Self::Field(_) => "Field",
            Self::Optional(_) => "Optional",
        })
    }
}

fn joined<H: Digest>(parts: &[&str]) -> impl AsRef<[u8]> + use<H> {
    let mut hash = H::new();
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            hash.update(b":");
        }
        hash.update(part.as_bytes());
    }
    hash.finalize()
}

fn hmac(key: &str, parts: &[&str]) -> impl AsRef<[u8]> + use<> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC accepts a key of any length");
    mac.update(parts.join(":").as_bytes());
    mac.finalize().into_bytes()
}

fn encode<'b>(digest: &impl AsRef<[u8]>, buffer: &'b mut [u8; 128]) -> &'b str {
    let buffer = &mut buffer[..2 * digest.as_ref().len()];
    let written = hex::encode_to_slice(digest, buffer).ok().and_then(|()| std::str::from_utf8(buffer).ok());
    written.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    const USER: SignedFields<'_> = SignedFields::User {
        resource_id: "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21",
        user_id: "c4b1f2d0-8e2a-4d6b-9c11-5a7e3f9d2b64",
        email: "ada+ops@example.org",
    };

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).unwrap()
    }

    fn salts() -> [Salt; 1] {
        [Salt::new(SALT).unwrap()]
    }

    #[test]
    fn tokens_match_the_published_examples() {
        for (fields, salt, timestamp, token) in [
            (
                SignedFields::Id("123"),
                "2f97bfa52ca102f8874716e2eb1d3b4920ad0be4",
                "1267597772",
                "bb466eb1d6bc345d11072c3cd25c311f21be130d",
            ),
            (SignedFields::Id("1"), "SSO_SALT", "1262304000", "b6010f6fbb850887a396c2bc0ab23974003008f6"),
            (SignedFields::Id("4711"), SALT, "1772000000", "a8f6e6c591b80b8d12222f8823a613e65b4dfbf7"),
            (
                SignedFields::Id("7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21"),
                SALT,
                "1772000000",
                "ac96a81ac9555ffb7077cce9dd00850ae85c267d",
            ),
            (SignedFields::Id("789"), "rock salt", "1700000000", "9b65f5836299bfe5dce9af06e2fa59d3044a8cc9"),
            (USER, SALT, "1772000000", "8ba47704978c8957e89c392ca68d70ab5a3f0aebe21924c3abc452a97eb50f0d"),
        ] {
            assert_eq!(fields.sign(&Salt::new(salt).unwrap(), timestamp), token);
        }
    }

    #[test]
    fn tokens_of_other_schemes_match_their_published_examples() {
        use Part::{Field, Optional, Salt as S, Timestamp as T};
        let clever_cloud = |timestamp| {
            let fields = [
                Field("res_42"),
                Field("user_11111111-2222-3333-4444-555555555555"),
                Field("ada@example.test"),
                Optional(""),
                S,
                T,
            ];
            SignedFields::Parts(Algorithm::Sha512, &fields).sign(&Salt::new("plum-salt").unwrap(), timestamp)
        };
        assert_eq!(
            clever_cloud("1700000000000"),
            "9314c44dd5ea9305aecce39c7cbdb699778512e520e992e30426226f82ef01dbad3a75928900eacd82d8be696c9c66dc07a4efd71817df2\
             cebe6bf70cfeacc11"
        );
        assert_eq!(
            clever_cloud("1700000000"),
            "dee79ee94b72e6017a8d1a9da356d8fc850526febcf99b2a1d57155747c4de3e58e3018d9f09b6a8b0a275705e810620ccef5f9b292c659\
             73bbd2e0337c95abb"
        );
        let parts = [Field("ad-7d0c2b8e"), S, T];
        let scalingo = SignedFields::Parts(Algorithm::Sha1, &parts);
        assert_eq!(
            scalingo.sign(&Salt::new("orange-salt").unwrap(), "1700000000"),
            "3a751389dfbbb8db220922b22026a2cf27aa814f"
        );
        let heroku = [Field("7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21"), S, T, Field("u"), Field("ada@example.org")];
        let user = SignedFields::User {
            resource_id: "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21",
            user_id: "u",
            email: "ada@example.org",
        };
        let salt = &salts()[0];
        assert_eq!(SignedFields::Parts(Algorithm::Sha256, &heroku).sign(salt, "1"), user.sign(salt, "1"));
    }

    #[test]
    fn a_colon_is_refused_in_a_field_before_another_field_only() {
        use Part::{Field, Optional, Salt as S, Timestamp as T};
        let verify = |parts: &[Part<'_>]| {
            let fields = SignedFields::Parts(Algorithm::Sha512, parts);
            let token = fields.sign(&salts()[0], "1");
            fields.verify_hash(&token, "1", &salts(), at(1))
        };
        assert_eq!(verify(&[Field("r"), Field("u"), Optional("a:b"), S, T]), Ok(()));
        assert_eq!(verify(&[Field("r:s"), S, Optional(""), T]), Ok(()));
        assert_eq!(verify(&[Field("r:s"), Field("u"), S, T]), Err(TokenError::Incomplete));
        assert_eq!(verify(&[Field("r:s"), T]), Err(TokenError::Incomplete));
        assert_eq!(verify(&[Field(""), S, T]), Err(TokenError::Incomplete));
    }

    #[test]
    fn the_default_window_is_300_s_back_and_60_s_ahead() {
        let made = 1_772_000_000;
        let token = USER.sign(&salts()[0], "1772000000");
        for (now, answer) in [
            (made - 61, Err(TokenError::TooFarAhead)),
            (made - 60, Ok(())),
            (made, Ok(())),
            (made + 300, Ok(())),
            (made + 301, Err(TokenError::TooOld)),
        ] {
            assert_eq!(USER.verify(&token, "1772000000", &salts(), Window::default(), at(now)), answer, "{now}");
        }
    }

    #[test]
    fn a_timestamp_is_digits_within_range() {
        for timestamp in
            ["", " 1772000000", "+1772000000", "-1", "1772000000junk", "1.7e9", "١٧٧٢", "99999999999999999999"]
        {
            let token = USER.sign(&salts()[0], timestamp);
            let answer = USER.verify(&token, timestamp, &salts(), Window::default(), at(1_772_000_000));
            assert_eq!(answer, Err(TokenError::Timestamp), "{timestamp}");
        }
        let latest = i64::MAX.to_string();
        let token = USER.sign(&salts()[0], &latest);
        let answer = USER.verify(&token, &latest, &salts(), Window::default(), at(-1));
        assert_eq!(answer, Err(TokenError::TooFarAhead));
    }

    #[test]
    fn a_token_is_compared_exactly() {
        let right = USER.sign(&salts()[0], "1772000000");
        for wrong in [right.to_uppercase(), right[1..].to_owned(), format!("{right} "), "0".repeat(64), "é".repeat(32)]
        {
            let answer = USER.verify(&wrong, "1772000000", &salts(), Window::default(), at(1_772_000_000));
            assert_eq!(answer, Err(TokenError::Wrong), "{wrong}");
        }
    }

    #[test]
    fn every_signed_field_matters() {
        let SignedFields::User { resource_id, user_id, email } = USER else { unreachable!() };
        let token = USER.sign(&salts()[0], "1772000000");
        for altered in [
            SignedFields::User { resource_id: "other", user_id, email },
            SignedFields::User { resource_id, user_id: "other", email },
            SignedFields::User { resource_id, user_id, email: "eve@example.org" },
        ] {
            let answer = altered.verify(&token, "1772000000", &salts(), Window::default(), at(1_772_000_000));
            assert_eq!(answer, Err(TokenError::Wrong));
        }
    }

    #[test]
    fn the_boundary_between_id_and_address_cannot_shift() {
        let signed = SignedFields::User { resource_id: "r", user_id: "u", email: "x:y@example.org" };
        let moved = SignedFields::User { resource_id: "r", user_id: "u:x", email: "y@example.org" };
        let token = signed.sign(&salts()[0], "1772000000");
        assert_eq!(token, moved.sign(&salts()[0], "1772000000"));
        let answer = moved.verify(&token, "1772000000", &salts(), Window::default(), at(1_772_000_000));
        assert_eq!(answer, Err(TokenError::Incomplete));
    }

    #[test]
    fn an_old_salt_is_valid_until_its_expiry() {
        let end = at(1_772_000_010);
        let both = [Salt::new("new").unwrap(), Salt::new(SALT).unwrap().with_expiry(end)];
        let token = USER.sign(&both[1], "1772000000");
        assert_eq!(USER.verify(&token, "1772000000", &both, Window::default(), at(1_772_000_009)), Ok(()));
        assert_eq!(USER.verify(&token, "1772000000", &both, Window::default(), end), Err(TokenError::Wrong));
    }
}
