//! Events that Vercel delivers to the webhooks of an integration.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use maitre_testkit::vercel::{Installation, Vercel};
use maitre_testkit::{Call, Raw};
use serde_json::{Value, json};
use time::OffsetDateTime;

/// The path to which Vercel delivers events.
#[derive(Clone)]
pub(super) struct Webhooks {
    vercel: Vercel,
    path: String,
    next: Arc<AtomicU64>,
}

impl Webhooks {
    /// Returns the path at a Vercel that calls the origin of the URL.
    pub(super) fn new(vercel: Vercel, path: &str) -> Self {
        Self { vercel, path: path.to_owned(), next: Arc::default() }
    }

    /// Returns a signed event about an installation.
    pub(super) fn event(&self, kind: &str, installation: &str, mut payload: Value) -> Call<Raw> {
        payload["configuration"] = json!({ "id": installation });
        payload["installationId"] = installation.into();
        self.signed(&self.envelope(kind, &payload))
    }

    /// Returns an event with an id of its own.
    pub(super) fn envelope(&self, kind: &str, payload: &Value) -> Value {
        let now = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
        let id = format!("evt_{now}_{}", self.next.fetch_add(1, Ordering::Relaxed));
        json!({ "id": id, "type": kind, "createdAt": i64::try_from(now).unwrap_or_default(), "region": null,
                "payload": payload })
    }

    /// Returns an event with the signature of its body.
    pub(super) fn signed(&self, event: &Value) -> Call<Raw> {
        self.vercel.webhook(&self.path, event)
    }

    /// Returns the event after which an installation no longer exists.
    pub(super) fn removed(&self, installation: &Installation) -> Call<Raw> {
        let payload = json!({ "team": { "id": "team_1" }, "user": { "id": installation.user_id() } });
        self.event("integration-configuration.removed", installation.id(), payload)
    }
}
