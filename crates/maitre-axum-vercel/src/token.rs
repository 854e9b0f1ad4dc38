//! Verification of Vercel's tokens. The order of the checks is part of the contract.

use std::sync::LazyLock;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;

use crate::Vercel;
use crate::keys::KeyError;

/// Longest token in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// Validates the signature. The claims are checked by [`Claims::check`], by the add-on's clock.
static SIGNATURE_ONLY: LazyLock<Validation> = LazyLock::new(|| {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    validation
});

/// Tolerance for clocks that differ, in seconds.
const LEEWAY: i64 = 60;

/// Purpose for which a token is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Api,
    SignOn,
}

impl Purpose {
    fn token_type(self) -> &'static str {
        match self {
            Self::Api => "access_token",
            Self::SignOn => "id_token",
        }
    }
}

/// Reason to refuse a token, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Malformed,
    Algorithm,
    UnknownKey,
    Signature,
    Issuer,
    Audience,
    Expired,
    NotYetValid,
    Type,
    Claims,
    /// The keys were never fetched, so no token can be verified.
    NoKeys,
}

/// Claims of a verified token. `aud` must be one text, so a list is refused.
#[derive(Deserialize, Debug)]
pub(crate) struct Claims {
    iss: String,
    aud: String,
    exp: i64,
    nbf: Option<i64>,
    pub(crate) iat: Option<i64>,
    #[serde(rename = "type")]
    token_type: Option<String>,
    sub: Option<String>,
    account_id: Option<String>,
    pub(crate) installation_id: Option<String>,
    user_id: Option<String>,
    user_role: Option<String>,
    user_email: Option<String>,
    user_name: Option<String>,
}

/// The caller of a request, as its token names it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VercelCaller {
    /// The Vercel team; absent before it has installed the integration.
    pub team: Option<String>,
    /// The installation.
    pub installation: Option<String>,
    /// The user; `None` for a request of Vercel itself.
    pub user: Option<VercelUser>,
}

/// A user of Vercel.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VercelUser {
    /// The user's id, which differs between installations.
    pub id: String,
    /// Whether the user may change the installation and its resources.
    pub is_admin: bool,
    /// Email address.
    pub email: Option<String>,
    /// Display name.
    pub name: Option<String>,
}

/// Prints no personal data.
impl std::fmt::Debug for VercelCaller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VercelCaller")
            .field("installation", &self.installation)
            .field("is_user", &self.user.is_some())
            .finish_non_exhaustive()
    }
}

/// Prints no personal data.
impl std::fmt::Debug for VercelUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VercelUser").field("is_admin", &self.is_admin).finish_non_exhaustive()
    }
}

impl Vercel {
    /// Verifies a token at `now`, in seconds since 1970.
    pub(crate) async fn verify(&self, token: &str, now: i64, purpose: Purpose) -> Result<Claims, Refusal> {
        if token.len() > MAX_TOKEN {
            return Err(Refusal::Malformed);
        }
        // also with another number of parts, or an algorithm without a name here, such as `none`
        let header = decode_header(token).map_err(|_| Refusal::Malformed)?;
        if header.alg != Algorithm::RS256 {
            return Err(Refusal::Algorithm);
        }
        let id = header.kid.ok_or(Refusal::UnknownKey)?;
        let key = self.keys.get(&id).await.map_err(|error| match error {
            KeyError::Unknown => Refusal::UnknownKey,
            KeyError::Unavailable => Refusal::NoKeys,
        })?;
        let claims: Claims = match decode(token, &key, &SIGNATURE_ONLY) {
            Ok(data) => data.claims,
            Err(error) => {
                return Err(match error.kind() {
                    jsonwebtoken::errors::ErrorKind::Json(_) => Refusal::Claims,
                    _ => Refusal::Signature,
                });
            }
        };
        claims.check(self, now, purpose).map(|()| claims)
    }
}

impl Claims {
    fn check(&self, vercel: &Vercel, now: i64, purpose: Purpose) -> Result<(), Refusal> {
        if self.iss != vercel.issuer {
            return Err(Refusal::Issuer);
        }
        if self.aud != vercel.integration {
            return Err(Refusal::Audience);
        }
        if now > self.exp.saturating_add(LEEWAY) {
            return Err(Refusal::Expired);
        }
        if self.nbf.is_some_and(|begin| now < begin.saturating_sub(LEEWAY)) {
            return Err(Refusal::NotYetValid);
        }
        match self.token_type.as_deref() {
            Some(token_type) if token_type != purpose.token_type() => Err(Refusal::Type),
            _ => Ok(()),
        }
    }

    /// Returns the caller. The claims tell whether it is a user, and are then complete.
    pub(crate) fn caller(&self) -> Result<VercelCaller, Refusal> {
        let sub = self.sub.as_deref().unwrap_or_default();
        let is_user = self.user_id.is_some() || self.user_role.is_some();
        if !sub.is_empty() && sub.contains(":user:") != is_user {
            return Err(Refusal::Claims);
        }
        let user = match (&self.user_id, self.user_role.as_deref()) {
            (None, None) => None,
            (Some(id), Some(role)) if self.account_id.is_some() && self.installation_id.is_some() => Some(VercelUser {
                id: id.clone(),
                is_admin: role == "ADMIN",
                email: self.user_email.clone(),
                name: self.user_name.clone(),
            }),
            _ => return Err(Refusal::Claims),
        };
        Ok(VercelCaller { team: self.account_id.clone(), installation: self.installation_id.clone(), user })
    }
}
