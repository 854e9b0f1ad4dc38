//! Grants, access tokens and refresh tokens: who has which, and until when.

use std::{collections::HashMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::{
    problem::Problem,
    settings::RefreshTokens,
    violation::Rule,
    world::{Due, PlatformState, Seq},
};
use crate::{endpoint::new_uuid, heroku::grant_json};

#[derive(Default)]
pub(super) struct Tokens {
    pub(super) grants: HashMap<String, GrantRecord>,
    pub(super) access: HashMap<String, Access>,
    pub(super) refresh: HashMap<String, Refresh>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct GrantRecord {
    pub(super) addon: String,
    pub(super) expires_at: OffsetDateTime,
    /// The exchange that spent it.
    spent: Option<Seq>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Access {
    addon: String,
    expires_at: OffsetDateTime,
    revoked: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Refresh {
    addon: String,
    retired: bool,
}

/// What a provision carries, to be exchanged once for a token (Heroku's add-on partner API reference, `oauth_grant`).
///
/// `Debug` keeps the code to itself.
#[derive(Clone)]
pub struct Grant {
    pub(super) code: String,
    pub(super) expires_at: OffsetDateTime,
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
pub(super) struct Minted {
    /// Whom the token belongs to: the service that sells the add-on.
    pub(super) user_id: String,
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
    pub(super) expires_in: Option<u64>,
}

impl PlatformState {
    /// Gives out a grant. The one before stays good until it expires.
    pub(super) fn grant(&mut self, uuid: &str) -> Grant {
        let code = new_uuid();
        let expires_at = self.after(self.settings.grant_lifetime);
        let grant = GrantRecord { addon: uuid.to_owned(), expires_at, spent: None };
        self.tokens.grants.insert(code.clone(), grant);
        self.plan_for(expires_at, Due::Grant(code.clone()));
        let addon = self.addon_mut(uuid);
        addon.call_counts.grants += 1;
        let grant = Grant { code, expires_at };
        addon.grant = Some(grant.clone());
        grant
    }

    /// A grant that nobody exchanged is lost, unless its add-on is gone or has its token from another grant.
    pub(super) fn grant_expires(&mut self, code: &str) {
        let Some(grant) = self.tokens.grants.get(code) else { return };
        let uuid = grant.addon.clone();
        let addon = self.addon(&uuid);
        if grant.spent.is_some() || addon.removal.is_some() || addon.call_counts.exchanges > 0 {
            return;
        }
        self.addon_mut(&uuid).call_counts.lost_grants += 1;
        self.violation(&uuid, Rule::LostGrant, "its grant expired before it was exchanged");
    }

    /// Whose grant this is, so that the call can be put down to an add-on.
    pub(super) fn grant_owner(&self, code: &str) -> Option<&str> {
        self.tokens.grants.get(code).map(|grant| grant.addon.as_str())
    }

    pub(super) fn refresh_token_owner(&self, token: &str) -> Option<&str> {
        self.tokens.refresh.get(token).map(|refresh| refresh.addon.as_str())
    }

    pub(super) fn exchange(&mut self, code: &str, seq: Seq) -> Result<Minted, Problem> {
        let now = self.now;
        let Some(grant) = self.tokens.grants.get_mut(code) else { return Err(Problem::unauthorized()) };
        let uuid = grant.addon.clone();
        if let Some(earlier) = grant.spent {
            self.addon_mut(&uuid).call_counts.repeated_exchanges += 1;
            if !self.journal.is_response_dropped(earlier) {
                self.violation(&uuid, Rule::RepeatedExchange, "its grant was exchanged again");
            }
            return Err(Problem::unauthorized());
        }
        if grant.expires_at <= now {
            return Err(Problem::unauthorized());
        }
        grant.spent = Some(seq);
        self.addon_mut(&uuid).call_counts.exchanges += 1;
        let access_token = self.mint_access(&uuid);
        let refresh_token = Some(self.mint_refresh(&uuid));
        let user_id = self.service.id.clone();
        Ok(Minted { user_id, access_token, refresh_token, expires_in: Some(self.life()) })
    }

    pub(super) fn refresh(&mut self, token: &str) -> Result<Minted, Problem> {
        let known = self.tokens.refresh.get_mut(token).filter(|refresh| !refresh.retired);
        let Some(refresh) = known else { return Err(Problem::unauthorized()) };
        let uuid = refresh.addon.clone();
        refresh.retired = self.settings.refresh_tokens == RefreshTokens::Rotated;
        self.addon_mut(&uuid).call_counts.refreshes += 1;
        let refresh_token = match self.settings.refresh_tokens {
            RefreshTokens::Same => token.to_owned(),
            RefreshTokens::Renewed | RefreshTokens::Rotated => self.mint_refresh(&uuid),
        };
        Ok(Minted {
            user_id: self.service.id.clone(),
            access_token: self.mint_access(&uuid),
            refresh_token: self.settings.refresh_includes_refresh_token.then_some(refresh_token),
            expires_in: self.settings.refresh_includes_expiry.then(|| self.life()),
        })
    }

    /// Whose token this is, good or not.
    pub(super) fn token_owner(&self, token: &str) -> Option<&str> {
        self.tokens.access.get(token).map(|access| access.addon.as_str())
    }

    /// Whether the token is good now, apart from what became of its add-on.
    pub(super) fn is_live(&self, token: &str) -> bool {
        self.tokens.access.get(token).is_some_and(|access| !access.revoked && self.now < access.expires_at)
    }

    /// Ends all access tokens at once, or those of one add-on; refresh tokens stay good.
    pub(super) fn revoke(&mut self, uuid: Option<&str>) {
        let meant = self.tokens.access.values_mut().filter(|access| uuid.is_none_or(|uuid| access.addon == uuid));
        meant.for_each(|access| access.revoked = true);
    }

    fn life(&self) -> u64 {
        self.settings.token_lifetime.as_secs()
    }

    fn mint_access(&mut self, uuid: &str) -> String {
        let token = format!("HRKU-{}", new_uuid());
        let expires_at = self.after(self.settings.token_lifetime);
        let access = Access { addon: uuid.to_owned(), expires_at, revoked: false };
        self.tokens.access.insert(token.clone(), access);
        token
    }

    fn mint_refresh(&mut self, uuid: &str) -> String {
        let token = format!("HRKU-{}", new_uuid());
        self.tokens.refresh.insert(token.clone(), Refresh { addon: uuid.to_owned(), retired: false });
        token
    }
}
