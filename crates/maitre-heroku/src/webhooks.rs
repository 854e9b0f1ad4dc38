use std::{fmt, pin::Pin, sync::Arc};

use maitre_core::{AddonId, Failure, Job, PlatformStore};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::{Event, Platform, WebhookSecret};

/// What an errand to handle an event is called.
pub(crate) const EVENT: &str = "event";

/// What the vendor does about an event.
pub(crate) type Handler =
    Arc<dyn Fn(Event) -> Pin<Box<dyn Future<Output = maitre_core::Result<()>> + Send>> + Send + Sync>;

/// The door for an add-on's webhooks: it lets in what is signed, and writes it down before it says so.
///
/// `maitre::heroku_webhooks` makes a router of it. What is written down is handled by
/// [`Platform::on_event`](crate::Platform::on_event), in this process or another.
///
/// `Debug` shows the add-on.
#[derive(Clone)]
pub struct Webhooks {
    addon: AddonId,
    records: Arc<dyn PlatformStore>,
    secrets: Vec<WebhookSecret>,
}

impl Platform {
    /// The door for the webhooks of this add-on. Each subscription may have a secret of its own, and two for the time of a
    /// change.
    #[must_use]
    pub fn webhooks(&self, secrets: impl IntoIterator<Item = WebhookSecret>) -> Webhooks {
        let secrets = secrets.into_iter().collect();
        Webhooks { addon: self.0.addon.clone(), records: self.0.records.clone(), secrets }
    }

    pub(crate) async fn handle_event(&self, body: &[u8]) -> maitre_core::Result<()> {
        let unreadable = |error| Failure::refused(format!("a webhook that is signed and cannot be read: {error}"));
        let event: Event = serde_json::from_slice(body).map_err(unreadable)?;
        let handler = self.0.on_event.as_ref().ok_or_else(|| {
            Failure::unavailable("nobody here handles events: give the platform of this process on_event()")
        })?;
        handler(event).await
    }
}

/// What became of a delivery.
#[derive(Debug)]
#[non_exhaustive]
pub enum Received {
    /// It is written down.
    Recorded,
    /// It was written down before.
    Known,
    /// It is not signed with any of the secrets: somebody else's, or of a subscription whose secret is missing here.
    NotSigned,
    /// It could not be written down: Heroku is to deliver it again. The cause.
    NotRecorded(Failure),
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Webhooks {
    /// Takes the body of a delivery, and the header [`WEBHOOK_SIGNATURE`](crate::api::WEBHOOK_SIGNATURE) if there is one.
    ///
    /// The signature is looked at before anything else, in constant time. An event is known by its id; one that is signed
    /// and cannot be read is known by its bytes, and parked when it is handled, so that it does not hold the others up.
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
    /// # let platform = maitre_heroku::Platform::new("lantern", client, ledger.store());
    /// use maitre_heroku::{Received, WebhookSecret};
    ///
    /// let door = platform.webhooks([WebhookSecret::new("lantern-webhook-secret")?]);
    /// let body = br#"{"id":"e1","action":"update"}"#;
    /// let signature = Some("UzZ9lxyUHKEcIS19mrzX0UYf6I4YaEhPtUlDgI0AZWw=");
    ///
    /// assert!(matches!(door.receive(signature, body).await, Received::Recorded));
    /// assert!(matches!(door.receive(signature, body).await, Received::Known));
    /// assert!(matches!(door.receive(None, body).await, Received::NotSigned));
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn receive(&self, signature: Option<&str>, body: &[u8]) -> Received {
        if !signature.is_some_and(|signature| WebhookSecret::any_verifies(&self.secrets, signature, body)) {
            return Received::NotSigned;
        }
        let name = match serde_json::from_slice(body) {
            Ok(Named { id }) if !id.is_empty() && id.len() <= 200 => id,
            _ => format!("sha256:{}", hex::encode(Sha256::digest(body))),
        };
        match self.records.enqueue(&self.addon, Job::new(EVENT, name, body.to_vec())).await {
            Ok(true) => Received::Recorded,
            Ok(false) => Received::Known,
            Err(failure) => Received::NotRecorded(failure),
        }
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").field("addon", &self.addon).finish_non_exhaustive()
    }
}
