//! Grants, access tokens and refresh tokens.

use std::{collections::HashMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::exchange::ExchangeNumber;
use crate::heroku::grant_json;

#[derive(Default)]
pub(crate) struct Tokens {
    pub(crate) grants: HashMap<String, GrantRecord>,
    pub(crate) access: HashMap<String, Access>,
    pub(crate) refresh: HashMap<String, Refresh>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct GrantRecord {
    pub(crate) addon: String,
    pub(crate) expires_at: OffsetDateTime,
    /// The exchange that spent it.
    pub(crate) spent: Option<ExchangeNumber>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Access {
    pub(crate) addon: String,
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) revoked: bool,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Refresh {
    pub(crate) addon: String,
    pub(crate) retired: bool,
}

/// What a provision carries, to be exchanged once for a token (Heroku's add-on partner API reference, `oauth_grant`).
///
/// `Debug` keeps the code to itself.
#[derive(Clone)]
pub struct Grant {
    pub(crate) code: String,
    pub(crate) expires_at: OffsetDateTime,
}

impl Grant {
    /// The code, good for one exchange.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The first instant at which it is refused, by the platform's clock.
    #[must_use]
    pub fn expires_at(&self) -> OffsetDateTime {
        self.expires_at
    }

    /// As a provision's body holds it, under `oauth_grant`.
    #[must_use]
    pub fn json(&self) -> Value {
        grant_json(&self.code, self.expires_at)
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// What the token endpoint hands out.
pub(crate) struct NewTokens {
    /// Whom the token belongs to: the service that sells the add-on.
    pub(crate) user_id: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) expires_in: Option<u64>,
}
