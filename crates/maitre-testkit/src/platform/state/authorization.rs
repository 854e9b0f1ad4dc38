//! Issuing, exchanging and revoking tokens.

use super::{
    error::RequestError,
    exchange::ExchangeNumber,
    settings::RefreshTokens,
    store::{Due, PlatformState},
    tokens::{Access, Grant, GrantRecord, NewTokens, Refresh},
    violation::Rule,
};
use crate::generate::new_uuid;

impl PlatformState {
    /// Issues a grant. Earlier grants stay valid until they expire.
    pub(crate) fn grant(&mut self, uuid: &str) -> Grant {
        let code = new_uuid();
        let expires_at = self.after(self.settings.grant_lifetime);
        let grant = GrantRecord { addon: uuid.to_owned(), expires_at, exchanged_by: None };
        self.tokens.grants.insert(code.clone(), grant);
        self.schedule(expires_at, Due::Grant(code.clone()));
        let addon = self.addon_mut(uuid);
        addon.call_counts.grants += 1;
        let grant = Grant { code, expires_at };
        addon.grant = Some(grant.clone());
        grant
    }

    /// Records a lost grant, unless it was exchanged, the add-on has ended, or it has a token from another grant.
    pub(crate) fn grant_expires(&mut self, code: &str) {
        let Some(grant) = self.tokens.grants.get(code) else { return };
        let uuid = grant.addon.clone();
        let addon = self.addon(&uuid);
        if grant.exchanged_by.is_some() || addon.removal.is_some() || addon.call_counts.exchanges > 0 {
            return;
        }
        self.addon_mut(&uuid).call_counts.lost_grants += 1;
        self.record_violation(&uuid, Rule::LostGrant, "its grant expired before it was exchanged");
    }

    /// Returns the add-on of a grant.
    pub(crate) fn grant_owner(&self, code: &str) -> Option<&str> {
        self.tokens.grants.get(code).map(|grant| grant.addon.as_str())
    }

    pub(crate) fn refresh_token_owner(&self, token: &str) -> Option<&str> {
        self.tokens.refresh.get(token).map(|refresh| refresh.addon.as_str())
    }

    pub(crate) fn exchange(&mut self, code: &str, number: ExchangeNumber) -> Result<NewTokens, RequestError> {
        let now = self.now;
        let Some(grant) = self.tokens.grants.get_mut(code) else { return Err(RequestError::Unauthorized) };
        let uuid = grant.addon.clone();
        if let Some(earlier) = grant.exchanged_by {
            self.addon_mut(&uuid).call_counts.repeated_exchanges += 1;
            if !self.journal.is_response_dropped(earlier) {
                self.record_violation(&uuid, Rule::RepeatedExchange, "its grant was exchanged again");
            }
            return Err(RequestError::Unauthorized);
        }
        if grant.expires_at <= now {
            return Err(RequestError::Unauthorized);
        }
        grant.exchanged_by = Some(number);
        self.addon_mut(&uuid).call_counts.exchanges += 1;
        let access_token = self.issue_access_token(&uuid);
        let refresh_token = Some(self.issue_refresh_token(&uuid));
        let user_id = self.service.id.clone();
        Ok(NewTokens { user_id, access_token, refresh_token, expires_in: Some(self.life()) })
    }

    pub(crate) fn refresh(&mut self, token: &str) -> Result<NewTokens, RequestError> {
        let known = self.tokens.refresh.get_mut(token).filter(|refresh| !refresh.retired);
        let Some(refresh) = known else { return Err(RequestError::Unauthorized) };
        let uuid = refresh.addon.clone();
        refresh.retired = self.settings.refresh_tokens == RefreshTokens::Rotated;
        self.addon_mut(&uuid).call_counts.refreshes += 1;
        let refresh_token = match self.settings.refresh_tokens {
            RefreshTokens::Same => token.to_owned(),
            RefreshTokens::Renewed | RefreshTokens::Rotated => self.issue_refresh_token(&uuid),
        };
        Ok(NewTokens {
            user_id: self.service.id.clone(),
            access_token: self.issue_access_token(&uuid),
            refresh_token: self.settings.refresh_includes_refresh_token.then_some(refresh_token),
            expires_in: self.settings.refresh_includes_expiry.then(|| self.life()),
        })
    }

    /// Returns the add-on of a token, whether the token is valid or not.
    pub(crate) fn token_owner(&self, token: &str) -> Option<&str> {
        self.tokens.access.get(token).map(|access| access.addon.as_str())
    }

    /// Whether the token is valid, regardless of its add-on.
    pub(crate) fn is_live(&self, token: &str) -> bool {
        self.tokens.access.get(token).is_some_and(|access| !access.revoked && self.now < access.expires_at)
    }

    /// Revokes all access tokens, or those of one add-on. Refresh tokens stay valid.
    pub(crate) fn revoke(&mut self, uuid: Option<&str>) {
        let affected = self.tokens.access.values_mut().filter(|access| uuid.is_none_or(|uuid| access.addon == uuid));
        affected.for_each(|access| access.revoked = true);
    }

    fn life(&self) -> u64 {
        self.settings.token_lifetime.as_secs()
    }

    fn issue_access_token(&mut self, uuid: &str) -> String {
        let token = format!("HRKU-{}", new_uuid());
        let expires_at = self.after(self.settings.token_lifetime);
        let access = Access { addon: uuid.to_owned(), expires_at, revoked: false };
        self.tokens.access.insert(token.clone(), access);
        token
    }

    fn issue_refresh_token(&mut self, uuid: &str) -> String {
        let token = format!("HRKU-{}", new_uuid());
        self.tokens.refresh.insert(token.clone(), Refresh { addon: uuid.to_owned(), retired: false });
        token
    }
}
