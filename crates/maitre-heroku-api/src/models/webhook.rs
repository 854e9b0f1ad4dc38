use std::fmt;

use maitre_core::{Secret, parse_timestamp};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::{ObjectRef, Person};
use maitre_http::open_enum;

use crate::lenient;

open_enum! {
    /// Type of object that a webhook event describes. Heroku uses `api:addon` in subscriptions and `addon` in events; both
    /// are equal here.
    ///
    /// ```
    /// use maitre_heroku_api::Entity;
    ///
    /// assert_eq!(Entity::from("api:addon"), Entity::from("addon"));
    /// assert_eq!(Entity::from("api:comet"), Entity::Other("comet".into()));
    /// ```
    pub enum Entity without "api:" {
        /// Add-on: name, owner, plan or state changed.
        AddOn = "addon",
        /// Attachment of the add-on to an app.
        AddOnAttachment = "addon-attachment",
        /// App that the add-on is attached to.
        App = "app",
        /// Build of an app; requires permission from Heroku.
        Build = "build",
        /// Collaborator of an app. Does not include team members.
        Collaborator = "collaborator",
        /// Host name of an app.
        Domain = "domain",
        /// Process of an app; requires permission from Heroku.
        Dyno = "dyno",
        /// Process types and counts of an app; requires permission from Heroku.
        Formation = "formation",
        /// Release of an app; requires permission from Heroku.
        Release = "release",
        /// Certificate of an app.
        SniEndpoint = "sni-endpoint",
    }
}

open_enum! {
    /// Delivery guarantee.
    pub enum Level {
        /// One attempt.
        Notify = "notify",
        /// Attempts until the receiver accepts the event, for up to three days.
        Sync = "sync",
    }
}

open_enum! {
    /// Action that caused an event.
    pub enum EventAction {
        /// Created.
        Create = "create",
        /// Updated.
        Update = "update",
        /// Destroyed.
        Destroy = "destroy",
    }
}

open_enum! {
    /// Status of a delivery.
    pub enum DeliveryStatus {
        /// Not attempted yet.
        Pending = "pending",
        /// Scheduled.
        Scheduled = "scheduled",
        /// Failed, and will be retried.
        Retrying = "retrying",
        /// Given up.
        Failed = "failed",
        /// Given up after one attempt, because the receiver had been failing for a long time.
        Skipped = "skipped",
        /// Accepted by the receiver.
        Succeeded = "succeeded",
    }
}

/// A webhook subscription.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Webhook {
    /// Id.
    pub id: String,
    /// Types of events.
    #[serde(default, deserialize_with = "lenient::list")]
    pub include: Vec<Entity>,
    /// Delivery guarantee.
    pub level: Level,
    /// URL of the receiver.
    pub url: String,
    /// Add-on.
    pub addon: Option<ObjectRef>,
    /// Time of creation.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub created_at: Option<OffsetDateTime>,
    /// Time of the last change.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub updated_at: Option<OffsetDateTime>,
}

/// Settings of a new subscription, or changes to an existing one (Heroku's article on add-on webhooks).
///
/// The default changes nothing.
///
/// ```
/// use maitre_heroku_api::{Entity, Level, WebhookSettings};
///
/// let settings = WebhookSettings::new([Entity::AddOn, Entity::AddOnAttachment], "https://lantern.example/hooks");
/// let changes = WebhookSettings::default().with_level(Level::Notify).with_secret("another");
/// assert!(!format!("{settings:?} {changes:?}").contains("another"));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "pass the settings to subscribe or update_webhook"]
pub struct WebhookSettings {
    include: Option<Vec<Entity>>,
    url: Option<String>,
    level: Option<Level>,
    authorization: Authorization,
    secret: Option<Secret>,
}

impl WebhookSettings {
    /// Creates settings for events of these types, which are sent to this URL at the level [`Level::Sync`].
    pub fn new(include: impl IntoIterator<Item = Entity>, url: impl Into<String>) -> Self {
        Self::default().with_include(include).with_url(url).with_level(Level::Sync)
    }

    /// Sets the types of events.
    pub fn with_include(mut self, include: impl IntoIterator<Item = Entity>) -> Self {
        self.include = Some(include.into_iter().collect());
        self
    }

    /// Sets the URL of the receiver.
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Sets the delivery guarantee.
    pub fn with_level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Sets the value of the `Authorization` header of deliveries.
    pub fn with_authorization(mut self, authorization: impl Into<Secret>) -> Self {
        self.authorization = Authorization::Set(authorization.into());
        self
    }

    /// Removes the `Authorization` header from deliveries.
    pub fn without_authorization(mut self) -> Self {
        self.authorization = Authorization::Removed;
        self
    }

    /// Sets the secret of the signatures. Without it, Heroku generates one.
    pub fn with_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Returns the request body with exposed secrets. Only for requests to Heroku.
    pub(crate) fn exposed(&self) -> Value {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        if let Some(include) = &self.include {
            put("include", include.iter().map(|entity| format!("api:{entity}")).collect());
        }
        if let Some(url) = &self.url {
            put("url", url.as_str().into());
        }
        if let Some(level) = &self.level {
            put("level", level.as_str().into());
        }
        match &self.authorization {
            Authorization::Unchanged => {}
            Authorization::Removed => drop(put("authorization", Value::Null)),
            Authorization::Set(authorization) => drop(put("authorization", authorization.expose().into())),
        }
        if let Some(secret) = &self.secret {
            put("secret", secret.expose().into());
        }
        Value::Object(body)
    }
}

#[derive(Clone, Debug, Default)]
enum Authorization {
    #[default]
    Unchanged,
    Removed,
    Set(Secret),
}

/// A new subscription and its secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Subscription {
    /// Webhook.
    pub webhook: Webhook,
    /// Secret that Heroku generated and will not return again: store it. `None` if you set one.
    pub secret: Option<Secret>,
}

/// Delivery of an event to a subscription.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct WebhookDelivery {
    /// Id.
    pub id: String,
    /// Event.
    pub event: EventRef,
    /// Subscription.
    pub webhook: WebhookRef,
    /// Status.
    pub status: DeliveryStatus,
    /// Number of attempts.
    #[serde(default)]
    pub num_attempts: u32,
    /// Time of the next attempt.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub next_attempt_at: Option<OffsetDateTime>,
    /// Last attempt.
    pub last_attempt: Option<DeliveryAttempt>,
}

/// Reference to the event of a delivery.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct EventRef {
    /// Id, identical in all attempts.
    pub id: String,
    /// Type of object.
    pub include: Option<Entity>,
}

/// Reference to the subscription of a delivery.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct WebhookRef {
    /// Id.
    pub id: String,
    /// Delivery guarantee.
    pub level: Option<Level>,
}

/// Attempt of a delivery.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct DeliveryAttempt {
    /// Id.
    pub id: String,
    /// Status code of the receiver.
    pub code: Option<u16>,
    /// Class of the error if the receiver did not answer.
    pub error_class: Option<String>,
    /// Status.
    pub status: Option<DeliveryStatus>,
}

/// An event as stored by Heroku.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct WebhookEvent {
    /// Id.
    pub id: String,
    /// Type of object.
    pub include: Option<Entity>,
    /// Body of the deliveries.
    pub payload: Event,
}

/// Body of a webhook delivery: the action, and the current state of the object.
///
/// Verify the [signature](crate::WebhookSecret) of the received bytes before parsing them.
///
/// ```
/// use maitre_heroku_api::{AddOn, Entity, Event, EventAction};
///
/// let event: Event = serde_json::from_str(r#"{
///     "id": "2f5b", "action": "update", "resource": "addon", "sequence": null, "actor": {"id": "c4b1", "email": "ada@example.org"},
///     "data": {
///         "id": "7b0c", "name": "lantern-main", "state": "provisioned", "plan": {"id": "11", "name": "lantern:pro"},
///         "addon_service": {"name": "lantern"}, "updated_at": "2026-03-04T05:06:07Z"
///     },
///     "previous_data": {"name": "lantern-curved-4821"}, "created_at": "2026-03-04T05:06:07Z", "later": "field"
/// }"#)?;
/// assert_eq!((&event.action, &event.resource), (&EventAction::Update, &Entity::AddOn));
/// assert_eq!(event.data_as::<AddOn>()?.name, "lantern-main");
/// assert_eq!(event.previous_data["name"], "lantern-curved-4821");
/// assert_eq!(event.extra["later"], "field");
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// `Debug` omits the data, which may contain log URLs and email addresses.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// Id, identical in all attempts. It identifies duplicates.
    pub id: String,
    /// Action.
    pub action: EventAction,
    /// Type of object.
    pub resource: Entity,
    /// User who performed the action.
    pub actor: Option<Person>,
    /// Current state of the object, complete.
    #[serde(default)]
    pub data: Value,
    /// Previous values of the changed fields.
    #[serde(default)]
    pub previous_data: Value,
    /// Time of the action.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub created_at: Option<OffsetDateTime>,
    /// Time of the last change of the event.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub updated_at: Option<OffsetDateTime>,
    /// Time of publication.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub published_at: Option<OffsetDateTime>,
    /// Sequence number, if any. Order events by [`changed_at`](Self::changed_at) instead.
    #[serde(default, deserialize_with = "lenient::text")]
    pub sequence: Option<String>,
    /// API version of the data.
    #[serde(default, deserialize_with = "lenient::text")]
    pub version: Option<String>,
    /// Ids of the delivery.
    pub webhook_metadata: Option<EventMetadata>,
    /// Undocumented fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Event {
    /// Deserializes the data into a type of this crate or your own.
    ///
    /// # Errors
    /// Returns an error if the data does not have the structure of the type.
    pub fn data_as<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        T::deserialize(&self.data)
    }

    /// Returns the time at which the object last changed. Events arrive in any order; the one with the latest time is
    /// current.
    #[must_use]
    pub fn changed_at(&self) -> Option<OffsetDateTime> {
        self.data["updated_at"].as_str().and_then(parse_timestamp)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id)
            .field("action", &self.action)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

/// Ids of the delivery of an event.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct EventMetadata {
    /// Attempt, different each time.
    pub attempt: Option<ObjectRef>,
    /// Delivery.
    pub delivery: Option<ObjectRef>,
    /// Event.
    pub event: Option<EventRef>,
    /// Subscription.
    pub webhook: Option<ObjectRef>,
}
