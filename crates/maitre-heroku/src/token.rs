//! The tokens of resources: sealed in the records, and refreshed by one at a time over all processes.

use std::time::Duration;

use maitre_core::ResourceId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep, timeout};

use crate::{Error, Platform, api::Token};

/// Its name in the records.
const TOKEN: &str = "token";
/// The hold of who refreshes it.
const REFRESH: &str = "refresh";
/// A refresh that takes longer is given up,
const REFRESH_TAKES: Duration = Duration::from_secs(20);
/// before somebody else may begin one.
const HELD: Duration = Duration::from_secs(30);
/// The longest that anybody waits for another's refresh.
const WAITS: Duration = Duration::from_mins(1);

/// A token, and which one it is of all that this resource had.
pub(crate) struct Held {
    pub(crate) token: Token,
    pub(crate) version: i64,
}

#[derive(Serialize, Deserialize)]
struct Written {
    access: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
    #[serde(with = "time::serde::timestamp::option", default)]
    expires_at: Option<OffsetDateTime>,
}

impl From<&Token> for Written {
    fn from(token: &Token) -> Self {
        Self {
            access: token.access_token().expose().to_owned(),
            refresh: token.refresh_token().map(|token| token.expose().to_owned()),
            expires_at: token.expires_at(),
        }
    }
}

impl From<Written> for Token {
    fn from(written: Written) -> Self {
        let token = Self::new(written.access);
        let token = written.refresh.into_iter().fold(token, Self::with_refresh_token);
        written.expires_at.into_iter().fold(token, Self::with_expiry)
    }
}

impl Platform {
    /// The token of this resource, refreshed if it is due.
    pub(crate) async fn token(&self, resource: &ResourceId) -> Result<Held, Error> {
        match self.stored_token(resource).await? {
            Some(held) if held.token.is_due(self.now()) => self.refresh(resource, held.version).await,
            Some(held) => Ok(held),
            None => Err(Error::NoToken(resource.clone())),
        }
    }

    pub(crate) async fn stored_token(&self, resource: &ResourceId) -> Result<Option<Held>, Error> {
        let records = &self.0.records;
        let Some(record) = records.read(&self.0.addon, resource, TOKEN).await.map_err(|e| Error::records(&e))? else {
            return Ok(None);
        };
        let written: Written = serde_json::from_slice(&record.value)
            .map_err(|error| Error::Records(format!("the token of {resource} cannot be read: {error}")))?;
        Ok(Some(Held { token: written.into(), version: record.version }))
    }

    /// Keeps a token in the place of the one of this version, or of none. Says no where another one stands there by now,
    /// or the resource is removed.
    pub(crate) async fn store_token(&self, resource: &ResourceId, token: &Token, over: i64) -> Result<bool, Error> {
        let written = serde_json::to_vec(&Written::from(token)).map_err(|error| Error::Records(error.to_string()))?;
        let stored = self.0.records.write(&self.0.addon, resource, TOKEN, &written, over).await;
        stored.map_err(|failure| Error::records(&failure))
    }

    /// A token in the place of the one of this version: made here, or by whoever came first.
    pub(crate) async fn refresh(&self, resource: &ResourceId, stale: i64) -> Result<Held, Error> {
        let (addon, records) = (&self.0.addon, &self.0.records);
        let (end, mut pause) = (Instant::now() + WAITS, Duration::from_millis(20));
        loop {
            let held = self.stored_token(resource).await?.ok_or_else(|| Error::NoToken(resource.clone()))?;
            if held.version != stale {
                return Ok(held);
            }
            if records.try_lock(addon, resource, REFRESH, HELD).await.map_err(|e| Error::records(&e))? {
                let refreshed = self.refresh_held(resource, stale).await;
                if let Err(failure) = records.unlock(addon, resource, REFRESH).await {
                    tracing::warn!(%resource, ?failure, "cannot give back the hold of a refresh: it ends by itself");
                }
                return refreshed;
            }
            if Instant::now() >= end {
                return Err(Error::RefreshTakesLong(resource.clone()));
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(250));
        }
    }

    async fn refresh_held(&self, resource: &ResourceId, stale: i64) -> Result<Held, Error> {
        // somebody may have come between the look and the hold
        let no_token = || Error::NoToken(resource.clone());
        let held = self.stored_token(resource).await?.ok_or_else(no_token)?;
        if held.version != stale {
            return Ok(held);
        }
        let taking = timeout(REFRESH_TAKES, async {
            match self.0.client.refresh(&held.token).await {
                Err(error) if !error.is_transient() && self.0.lost_grants => self.new_token(resource).await,
                result => Ok(result?),
            }
        });
        let token = taking.await.map_err(|_| Error::RefreshTakesLong(resource.clone()))??;
        if self.store_token(resource, &token, stale).await? {
            return Ok(Held { token, version: stale + 1 });
        }
        self.stored_token(resource).await?.ok_or_else(no_token)
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.0.client.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn read(json: &str) -> Token {
        serde_json::from_str::<Written>(json).expect("it was written so").into()
    }

    #[test]
    fn a_token_is_written_as_it_will_be_read_by_the_next_version() {
        let token = Token::new("HRKU-1").with_refresh_token("HRKU-2").with_expiry(datetime!(2026-03-04 13:06:07 UTC));
        let written = serde_json::to_string(&Written::from(&token)).unwrap();
        assert_eq!(written, r#"{"access":"HRKU-1","refresh":"HRKU-2","expires_at":1772629567}"#);
        assert_eq!(read(&written).expires_at(), token.expires_at());
        assert_eq!(read(&written).refresh_token().unwrap().expose(), "HRKU-2");
    }

    #[test]
    fn a_token_may_have_neither_an_end_nor_a_successor() {
        let written = serde_json::to_string(&Written::from(&Token::new("HRKU-1"))).unwrap();
        let token = read(&written);
        assert_eq!(token.access_token().expose(), "HRKU-1");
        assert!(token.refresh_token().is_none() && token.expires_at().is_none());
    }
}
