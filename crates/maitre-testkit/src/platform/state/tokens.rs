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
    /// The exchange that used the grant.
    pub(crate) exchanged_by: Option<ExchangeNumber>,
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

/// Grant of a provision, to be exchanged once for a token (Heroku's add-on partner API reference, `oauth_grant`).
///
/// `Debug` does not show the code.
#[derive(Clone)]
pub struct Grant {
    pub(crate) code: String,
    pub(crate) expires_at: OffsetDateTime,
}

impl Grant {
    /// Returns the code, which can be exchanged once.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns the time from which the grant is refused, by the platform's clock.
    #[must_use]
    pub fn expires_at(&self) -> OffsetDateTime {
        self.expires_at
    }

    /// Returns the grant as in the `oauth_grant` of a provision request.
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

/// Response of the token endpoint.
pub(crate) struct NewTokens {
    /// Owner of the token: the service that sells the add-on.
    pub(crate) user_id: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) expires_in: Option<u64>,
}
