use std::{fmt, sync::Arc};

use maitre_core::{AddonId, Failure, Job, PlatformStore, Replaceable};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::{
    api::{Client, Event, WebhookSecret},
    job::JobKind,
    platform::Platform,
};

/// Longest event id that becomes the name of a job.
const MAX_ID_LENGTH: usize = 200;

/// Webhook receiver: verifies the signature and stores the event before acknowledging it.
///
/// `maitre::heroku_webhooks` converts it into a router. Stored events are handled by
/// [`PlatformBuilder::on_event`](crate::PlatformBuilder::on_event), in any process that runs a worker.
///
/// Clones share the secrets, which [`Reload`](maitre_core::Reload) replaces. `Debug` prints the add-on only.
#[derive(Clone)]
pub struct WebhookReceiver {
    addon: AddonId,
    store: Arc<dyn PlatformStore>,
    client: Client,
    pub(crate) secrets: Replaceable<Vec<WebhookSecret>>,
}

impl Platform {
    /// Returns the receiver of this add-on's webhooks. Each subscription may have its own secret, and two of them while
    /// the secret is being changed.
    #[must_use]
    pub fn webhook_receiver(&self, secrets: impl IntoIterator<Item = WebhookSecret>) -> WebhookReceiver {
        let secrets = Replaceable::new(secrets.into_iter().collect());
        let (addon, store, client) = (self.0.addon.clone(), self.0.store.clone(), self.0.client.clone());
        WebhookReceiver { addon, store, client, secrets }
    }

    pub(crate) async fn handle_event(&self, body: &[u8]) -> maitre_core::Result<()> {
        let unreadable = |error| Failure::refused(format!("cannot parse a webhook with a valid signature: {error}"));
        let event: Event = serde_json::from_slice(body).map_err(unreadable)?;
        let handler = self.0.event_handler.as_ref().ok_or_else(|| {
            Failure::unavailable("no webhook event handler configured: call on_event() on the platform's builder")
        })?;
        handler(event).await
    }
}

/// Result of a webhook delivery.
#[derive(Debug)]
#[non_exhaustive]
pub enum Received {
    /// The event was stored.
    Accepted,
    /// The event had been stored before.
    Duplicate,
    /// The signature is missing or matches none of the secrets: a forgery, or a subscription whose secret is not
    /// configured.
    InvalidSignature,
    /// The event could not be stored, and Heroku must deliver it again; contains the cause.
    NotStored(Failure),
}

#[derive(Deserialize)]
struct EventId {
    id: String,
}

impl WebhookReceiver {
    /// Receives a delivery: its body, and the header [`WEBHOOK_SIGNATURE`](crate::api::WEBHOOK_SIGNATURE) if present.
    ///
    /// The signature is verified first, in constant time. Duplicates are detected by the event's id. An event that is
    /// signed and cannot be parsed is identified by a hash of its body; its job is parked, so that it does not delay
    /// other events.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("maitre-receive-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let database = format!("sqlite://{}", folder.join("maitre.db").display());
    /// # maitre_ledger::Ledger::migrate(&database).await?;
    /// # let ledger = maitre_ledger::Ledger::open(&database).await?;
    /// # let client = maitre_heroku::Client::builder("client secret").build()?;
    /// # let platform = maitre_heroku::Platform::builder("lantern", client, ledger.store()).build();
    /// use maitre_heroku::{Received, WebhookSecret};
    ///
    /// let receiver = platform.webhook_receiver([WebhookSecret::new("lantern-webhook-secret")?]);
    /// let body = br#"{"id":"e1","action":"update"}"#;
    /// let signature = Some("UzZ9lxyUHKEcIS19mrzX0UYf6I4YaEhPtUlDgI0AZWw=");
    ///
    /// assert!(matches!(receiver.receive(signature, body).await, Received::Accepted));
    /// assert!(matches!(receiver.receive(signature, body).await, Received::Duplicate));
    /// assert!(matches!(receiver.receive(None, body).await, Received::InvalidSignature));
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn receive(&self, signature: Option<&str>, body: &[u8]) -> Received {
        let (now, secrets) = (self.client.now(), self.secrets.get());
        let verifies = |old: bool| {
            let secrets = secrets.iter().filter(|secret| secret.is_active(now) && secret.is_old() == old);
            signature.is_some_and(|signature| WebhookSecret::any_verifies(secrets, signature, body))
        };
        match (verifies(false), verifies(true)) {
            (true, _) => {}
            (false, true) => crate::metrics::old_secret_use(&self.addon),
            (false, false) => return Received::InvalidSignature,
        }
        let name = match serde_json::from_slice(body) {
            Ok(EventId { id }) if !id.is_empty() && id.len() <= MAX_ID_LENGTH => id,
            _ => format!("sha256:{}", hex::encode(Sha256::digest(body))),
        };
        match self.store.enqueue(&self.addon, Job::new(JobKind::Event.as_str(), name, body.to_vec())).await {
            Ok(true) => Received::Accepted,
            Ok(false) => Received::Duplicate,
            Err(failure) => Received::NotStored(failure),
        }
    }
}

impl fmt::Debug for WebhookReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookReceiver").field("addon", &self.addon).finish_non_exhaustive()
    }
}
