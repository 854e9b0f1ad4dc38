//! Tokens of resources: encrypted in the ledger, and refreshed by one process at a time.

use std::time::Duration;

use maitre_core::{OauthGrant, ResourceId};
use maitre_http::Token;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep, timeout};

use crate::{connection::Connection, error::Error};

/// Name of the token in the ledger's store.
const TOKEN: &str = "token";
/// Name of the lock of a refresh.
const REFRESH: &str = "refresh";
/// Timeout of a refresh. It is shorter than the lock, so that two refreshes never overlap.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(20);
/// Time after which the lock expires.
const LOCK_DURATION: Duration = Duration::from_secs(30);
/// Longest wait for the refresh of another task or process.
const LOCK_WAIT: Duration = Duration::from_mins(1);
/// First and longest pause between two checks whether another process has finished its refresh.
const LOCK_POLL: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(250));

/// A token and its version in the store.
struct VersionedToken {
    token: Token,
    version: i64,
}

/// Access to a marketplace that issues a token for each resource.
pub trait IssuesTokens: Connection {
    /// Obtains the first token of a resource.
    ///
    /// # Errors
    /// Returns an error if the grant cannot be exchanged.
    fn exchange(
        &self,
        resource: &ResourceId,
        grant: &OauthGrant,
    ) -> impl Future<Output = Result<Token, Error<Self::CallError>>> + Send;

    /// Obtains the next token of a resource.
    ///
    /// # Errors
    /// Returns an error if the token cannot be refreshed.
    fn refresh(
        &self,
        resource: &ResourceId,
        token: &Token,
    ) -> impl Future<Output = Result<Token, Error<Self::CallError>>> + Send;
}

/// Stored form of a token.
#[derive(Serialize, Deserialize)]
struct StoredToken {
    access: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
    #[serde(with = "time::serde::timestamp::option", default)]
    expires_at: Option<OffsetDateTime>,
}

impl From<&Token> for StoredToken {
    fn from(token: &Token) -> Self {
        Self {
            access: token.access_token().expose().to_owned(),
            refresh: token.refresh_token().map(|token| token.expose().to_owned()),
            expires_at: token.expires_at(),
        }
    }
}

impl From<StoredToken> for Token {
    fn from(stored: StoredToken) -> Self {
        let token = Self::new(stored.access);
        let token = stored.refresh.into_iter().fold(token, Self::with_refresh_token);
        stored.expires_at.into_iter().fold(token, Self::with_expiry)
    }
}

/// Returns the token of this resource, refreshed if it is about to expire.
///
/// # Errors
/// Returns [`Error::NoToken`] if the resource has no token, and an error if the refresh fails.
pub async fn token<P: IssuesTokens>(platform: &P, resource: &ResourceId) -> Result<Token, Error<P::CallError>> {
    Ok(current(platform, resource).await?.token)
}

/// Makes a call with the token of this resource. If the marketplace answers 401, refreshes the token and calls again, once.
///
/// # Errors
/// Returns the call's error, [`Error::NoToken`] if the resource has no token, and an error if the refresh fails.
pub async fn call_with_token<P, T, F>(
    platform: &P,
    resource: &ResourceId,
    call: impl Fn(Token) -> F,
) -> Result<T, Error<P::CallError>>
where
    P: IssuesTokens,
    F: Future<Output = Result<T, P::CallError>>,
{
    let VersionedToken { token, version } = current(platform, resource).await?;
    match call(token).await {
        Err(error) if error.as_ref().is_unauthorized() => {
            let renewed = newer(platform, resource, version).await?;
            Ok(call(renewed.token).await?)
        }
        result => Ok(result?),
    }
}

async fn current<P: IssuesTokens>(platform: &P, resource: &ResourceId) -> Result<VersionedToken, Error<P::CallError>> {
    let current = existing(platform, resource).await?;
    if current.token.needs_refresh(platform.now()) {
        return newer(platform, resource, current.version).await;
    }
    Ok(current)
}

async fn stored<P: IssuesTokens>(
    platform: &P,
    resource: &ResourceId,
) -> Result<Option<VersionedToken>, Error<P::CallError>> {
    let stored = platform.store().read(platform.addon(), resource, TOKEN).await;
    let Some(stored) = stored.map_err(|failure| Error::store(&failure))? else { return Ok(None) };
    let token: StoredToken = serde_json::from_slice(&stored.value)
        .map_err(|error| Error::Store(format!("cannot parse the stored token of {resource}: {error}")))?;
    Ok(Some(VersionedToken { token: token.into(), version: stored.version }))
}

/// Whether the resource has a token.
pub(crate) async fn is_stored<P: IssuesTokens>(
    platform: &P,
    resource: &ResourceId,
) -> Result<bool, Error<P::CallError>> {
    Ok(stored(platform, resource).await?.is_some())
}

async fn existing<P: IssuesTokens>(platform: &P, resource: &ResourceId) -> Result<VersionedToken, Error<P::CallError>> {
    stored(platform, resource).await?.ok_or_else(|| Error::NoToken(resource.clone()))
}

/// Stores a token in place of the one with this version, or as the first one if the version is 0. Returns `false` if
/// another token was stored meanwhile, or the resource was removed.
pub(crate) async fn store<P: IssuesTokens>(
    platform: &P,
    resource: &ResourceId,
    token: &Token,
    expected_version: i64,
) -> Result<bool, Error<P::CallError>> {
    let value = serde_json::to_vec(&StoredToken::from(token)).map_err(|error| Error::Store(error.to_string()))?;
    let stored = platform.store().write(platform.addon(), resource, TOKEN, &value, expected_version).await;
    stored.map_err(|failure| Error::store(&failure))
}

/// Returns a newer token than the one with this version: refreshes it, or waits for the process that does.
async fn newer<P: IssuesTokens>(
    platform: &P,
    resource: &ResourceId,
    stale_version: i64,
) -> Result<VersionedToken, Error<P::CallError>> {
    let (addon, store) = (platform.addon(), platform.store());
    let (mut pause, longest_pause) = LOCK_POLL;
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        let current = existing(platform, resource).await?;
        if current.version != stale_version {
            return Ok(current);
        }
        let locked = store.try_lock(addon, resource, REFRESH, LOCK_DURATION).await;
        if locked.map_err(|failure| Error::store(&failure))? {
            let refreshed = refresh_locked(platform, resource, stale_version).await;
            if let Err(failure) = store.unlock(addon, resource, REFRESH).await {
                tracing::warn!(%resource, ?failure, "cannot release the lock of a token refresh; it will expire");
            }
            return refreshed;
        }
        if Instant::now() >= deadline {
            return Err(Error::RefreshTimeout(resource.clone()));
        }
        sleep(pause).await;
        pause = (pause * 2).min(longest_pause);
    }
}

async fn refresh_locked<P: IssuesTokens>(
    platform: &P,
    resource: &ResourceId,
    stale_version: i64,
) -> Result<VersionedToken, Error<P::CallError>> {
    // Another process may have refreshed the token before this one got the lock.
    let current = existing(platform, resource).await?;
    if current.version != stale_version {
        return Ok(current);
    }
    let refresh = timeout(REFRESH_TIMEOUT, platform.refresh(resource, &current.token));
    let token = refresh.await.map_err(|_| Error::RefreshTimeout(resource.clone()))??;
    if store(platform, resource, &token, stale_version).await? {
        return Ok(VersionedToken { token, version: stale_version + 1 });
    }
    existing(platform, resource).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn parse(json: &str) -> Token {
        serde_json::from_str::<StoredToken>(json).expect("a stored token").into()
    }

    #[test]
    fn the_stored_form_of_a_token_is_stable() {
        let token = Token::new("HRKU-1").with_refresh_token("HRKU-2").with_expiry(datetime!(2026-03-04 13:06:07 UTC));
        let json = serde_json::to_string(&StoredToken::from(&token)).unwrap();
        assert_eq!(json, r#"{"access":"HRKU-1","refresh":"HRKU-2","expires_at":1772629567}"#);
        assert_eq!(parse(&json).expires_at(), token.expires_at());
        assert_eq!(parse(&json).refresh_token().unwrap().expose(), "HRKU-2");
    }

    #[test]
    fn expiry_and_refresh_token_are_optional() {
        let json = serde_json::to_string(&StoredToken::from(&Token::new("HRKU-1"))).unwrap();
        let token = parse(&json);
        assert_eq!(token.access_token().expose(), "HRKU-1");
        assert!(token.refresh_token().is_none() && token.expires_at().is_none());
    }
}
