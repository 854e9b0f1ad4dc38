//! Vercel's public keys: cached, refreshed in the background, and fetched again for an unknown key at most once per interval.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::http::{Http, HttpError};

/// Shortest time between two fetches until the first one succeeds.
const FIRST_INTERVAL: Duration = Duration::from_secs(1);

/// Cached key set.
pub(crate) struct KeySet {
    source: Http,
    max_age: Duration,
    interval: Duration,
    keys: RwLock<Arc<Keys>>,
    /// Held during a fetch: the time of the last one.
    fetching: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Keys {
    by_id: HashMap<String, Arc<DecodingKey>>,
    fetched_at: Option<Instant>,
}

/// Reason for a missing key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeyError {
    /// The key set has no such key.
    Unknown,
    /// The key set was never fetched.
    Unavailable,
}

impl KeySet {
    pub(crate) fn new(source: Http, max_age: Duration, interval: Duration) -> Self {
        Self { source, max_age, interval, keys: RwLock::default(), fetching: Mutex::default() }
    }

    pub(crate) fn with_source(&self, source: Http) -> Self {
        Self::new(source, self.max_age, self.interval)
    }

    pub(crate) fn with_times(&self, max_age: Duration, interval: Duration) -> Self {
        Self::new(self.source.clone(), max_age, interval)
    }

    /// Returns a key. A known one never waits for a fetch; an unknown one waits for at most one.
    pub(crate) async fn get(self: &Arc<Self>, id: &str) -> Result<Arc<DecodingKey>, KeyError> {
        let keys = self.current();
        if let Some(key) = keys.by_id.get(id) {
            if keys.fetched_at.is_none_or(|at| at.elapsed() >= self.max_age) {
                self.refresh();
            }
            return Ok(key.clone());
        }
        let mut last = self.fetching.lock().await;
        // another request may have fetched the keys in the meantime
        if let Some(key) = self.current().by_id.get(id) {
            return Ok(key.clone());
        }
        if self.may_fetch(*last) {
            *last = Some(Instant::now());
            self.fetch().await;
        }
        drop(last);
        let keys = self.current();
        match keys.by_id.get(id) {
            Some(key) => Ok(key.clone()),
            None if keys.fetched_at.is_none() => Err(KeyError::Unavailable),
            None => Err(KeyError::Unknown),
        }
    }

    fn current(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn may_fetch(&self, last: Option<Instant>) -> bool {
        let interval = if self.current().fetched_at.is_some() { self.interval } else { FIRST_INTERVAL };
        last.is_none_or(|at| at.elapsed() >= interval.min(self.interval))
    }

    /// Fetches the keys in a task, unless a fetch is running or was just made.
    fn refresh(self: &Arc<Self>) {
        let this = self.clone();
        tokio::spawn(async move {
            let Ok(mut last) = this.fetching.try_lock() else { return };
            let is_old = this.current().fetched_at.is_none_or(|at| at.elapsed() >= this.max_age);
            if is_old && this.may_fetch(*last) {
                *last = Some(Instant::now());
                this.fetch().await;
            }
        });
    }

    /// Fetches the keys. If that fails, the old ones stay.
    async fn fetch(&self) {
        match self.download().await {
            Ok(by_id) => {
                let keys = Keys { by_id, fetched_at: Some(Instant::now()) };
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
            }
            Err(error) => {
                let known = self.current().by_id.len();
                tracing::error!(error, known, "cannot fetch Vercel's keys: the known ones stay in use");
            }
        }
    }

    async fn download(&self) -> Result<HashMap<String, Arc<DecodingKey>>, String> {
        let text = |error: HttpError| match error {
            HttpError::Refused(status) => format!("status {status}"),
            HttpError::Unavailable(cause) => cause,
        };
        let mut document = self.source.get().await.map_err(text)?;
        if let Some(url) = document.get("jwks_uri").and_then(Value::as_str) {
            let keys = Http::new(url).map_err(|error| error.to_string())?;
            document = keys.get().await.map_err(text)?;
        }
        let keys = parse(&document);
        if keys.is_empty() { Err("the key set has no usable key".to_owned()) } else { Ok(keys) }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet").field("keys", &self.current().by_id.len()).finish_non_exhaustive()
    }
}

/// Public key in a key set, as far as it is used.
#[derive(Deserialize)]
struct Jwk {
    kid: String,
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    n: String,
    e: String,
}

/// Returns the RSA keys for signatures. Keys of other kinds are ignored.
fn parse(document: &Value) -> HashMap<String, Arc<DecodingKey>> {
    let keys = document.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let keys = keys.iter().filter_map(|key| Jwk::deserialize(key).ok());
    keys.filter(|key| key.kty == "RSA" && key.purpose.as_deref().is_none_or(|purpose| purpose == "sig"))
        .filter_map(|key| Some((key.kid, Arc::new(DecodingKey::from_rsa_components(&key.n, &key.e).ok()?))))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_of_other_kinds_and_purposes_are_ignored() {
        let key = |kid: &str, kty: &str, purpose: &str| json!({ "kid": kid, "kty": kty, "use": purpose, "n": "yucK", "e": "AQAB" });
        let document = json!({ "keys": [key("a", "RSA", "sig"), key("b", "RSA", "enc"), key("c", "oct", "sig"), 7,
            { "kid": "d", "kty": "RSA", "n": "yucK", "e": "AQAB" }, { "kty": "RSA", "n": "yucK", "e": "AQAB" }] });
        let mut ids: Vec<_> = parse(&document).into_keys().collect();
        ids.sort();
        assert_eq!(ids, ["a", "d"]);
        assert!(parse(&json!({})).is_empty() && parse(&json!({ "keys": {} })).is_empty());
    }
}
