use std::fmt;

use maitre_core::{Secret, parse_timestamp};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::{ObjectRef, Person};
use crate::{lenient, open_enum::open_enum};

open_enum! {
    /// What a webhook's event is about. Heroku writes `api:addon` where one subscribes and `addon` in the event; both are
    /// the same here.
    ///
    /// ```
    /// use maitre_heroku_api::Entity;
    ///
    /// assert_eq!(Entity::from("api:addon"), Entity::from("addon"));
    /// assert_eq!(Entity::from("api:comet"), Entity::Other("comet".into()));
    /// ```
    pub enum Entity without "api:" {
        /// The add-on itself: renamed, moved, another plan, another state.
        AddOn = "addon",
        /// Attached or detached.
        AddOnAttachment = "addon-attachment",
        /// An app that the add-on touches.
        App = "app",
        /// A build of one; by permission of Heroku.
        Build = "build",
        /// Someone who works on one. Teams' members are not among them.
        Collaborator = "collaborator",
        /// A host name of one.
        Domain = "domain",
        /// A process of one; by permission of Heroku.
        Dyno = "dyno",
        /// How many processes of which kind one has; by permission of Heroku.
        Formation = "formation",
        /// A release of one; by permission of Heroku.
        Release = "release",
        /// A certificate of one.
        SniEndpoint = "sni-endpoint",
    }
}

open_enum! {
    /// How hard Heroku tries to deliver.
    pub enum Level {
        /// Once.
        Notify = "notify",
        /// Until it is taken, for up to three days.
        Sync = "sync",
    }
}

open_enum! {
    /// What happened.
    pub enum EventAction {
        /// It came to be.
        Create = "create",
        /// It changed.
        Update = "update",
        /// It is gone.
        Destroy = "destroy",
    }
}

open_enum! {
    /// What became of a delivery.
    pub enum DeliveryStatus {
        /// It was not tried yet.
        Pending = "pending",
        /// It will be tried.
        Scheduled = "scheduled",
        /// It failed, and will be tried again.
        Retrying = "retrying",
        /// It was given up.
        Failed = "failed",
        /// It was given up after one try, because the receiver had failed for long.
        Skipped = "skipped",
        /// It was taken.
        Succeeded = "succeeded",
    }
}

/// A subscription.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Webhook {
    /// Its id.
    pub id: String,
    /// What it tells of.
    #[serde(default, deserialize_with = "lenient::list")]
    pub include: Vec<Entity>,
    /// How hard it tries.
    pub level: Level,
    /// Where it posts to.
    pub url: String,
    /// The add-on.
    pub addon: Option<ObjectRef>,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient::instant")]
    pub created_at: Option<OffsetDateTime>,
    /// When it last changed.
    #[serde(default, deserialize_with = "lenient::instant")]
    pub updated_at: Option<OffsetDateTime>,
}

/// A subscription to be, or what shall be changed of one (Heroku's article on add-on webhooks).
///
/// ```
/// use maitre_heroku_api::{Entity, Level, WebhookSettings};
///
/// let order = WebhookSettings::new([Entity::AddOn, Entity::AddOnAttachment], "https://lantern.example/hooks");
/// let quieter = WebhookSettings::default().with_level(Level::Notify).with_secret("another");
/// assert!(!format!("{order:?} {quieter:?}").contains("another"));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "an order is given to subscribe or update_webhook"]
pub struct WebhookSettings {
    include: Option<Vec<Entity>>,
    url: Option<String>,
    level: Option<Level>,
    authorization: Authorization,
    secret: Option<Secret>,
}

impl WebhookSettings {
    /// Tells of these things, by posting to this URL, until it is taken.
    pub fn new(include: impl IntoIterator<Item = Entity>, url: impl Into<String>) -> Self {
        Self::default().with_include(include).with_url(url).with_level(Level::Sync)
    }

    /// Tells of these things.
    pub fn with_include(mut self, include: impl IntoIterator<Item = Entity>) -> Self {
        self.include = Some(include.into_iter().collect());
        self
    }

    /// Posts to this URL.
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Tries so hard.
    pub fn with_level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Comes with this `Authorization` header, as it stands.
    pub fn with_authorization(mut self, authorization: impl Into<Secret>) -> Self {
        self.authorization = Authorization::Set(authorization.into());
        self
    }

    /// Comes with no `Authorization` header.
    pub fn without_authorization(mut self) -> Self {
        self.authorization = Authorization::Cleared;
        self
    }

    /// Signs with this secret, in place of one that Heroku draws.
    pub fn with_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// The body, secrets written out: this goes to Heroku, and nowhere else.
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
            Authorization::Kept => {}
            Authorization::Cleared => drop(put("authorization", Value::Null)),
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
    Kept,
    Cleared,
    Set(Secret),
}

/// A new subscription, and its secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Subscription {
    /// The subscription.
    pub webhook: Webhook,
    /// The secret that Heroku drew, which it will not tell again: keep it. `None` where you chose one.
    pub secret: Option<Secret>,
}

/// An event on its way to a subscription.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct WebhookDelivery {
    /// Its id.
    pub id: String,
    /// What is delivered.
    pub event: EventRef,
    /// To which subscription.
    pub webhook: WebhookRef,
    /// What became of it.
    pub status: DeliveryStatus,
    /// How often it was tried.
    #[serde(default)]
    pub num_attempts: u32,
    /// When it is tried next.
    #[serde(default, deserialize_with = "lenient::instant")]
    pub next_attempt_at: Option<OffsetDateTime>,
    /// How the last try went.
    pub last_attempt: Option<DeliveryAttempt>,
}

/// The event of a delivery.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct EventRef {
    /// Its id, the same over all tries.
    pub id: String,
    /// What it is about.
    pub include: Option<Entity>,
}

/// The subscription of a delivery.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct WebhookRef {
    /// Its id.
    pub id: String,
    /// How hard it tries.
    pub level: Option<Level>,
}

/// One try of a delivery.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct DeliveryAttempt {
    /// Its id.
    pub id: String,
    /// The status that the receiver answered.
    pub code: Option<u16>,
    /// What went wrong where none was answered.
    pub error_class: Option<String>,
    /// What became of it.
    pub status: Option<DeliveryStatus>,
}

/// An event as Heroku keeps it.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct WebhookEvent {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub include: Option<Entity>,
    /// What is delivered of it.
    pub payload: Event,
}

/// The body of a webhook: what happened, and how it is now.
///
/// Check its [signature](crate::WebhookSecret) over the bytes before you read it.
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
/// `Debug` shows no data: log URLs and people's addresses may be among it.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// Its id, the same over all tries: what duplicates are known by.
    pub id: String,
    /// What happened.
    pub action: EventAction,
    /// To what.
    pub resource: Entity,
    /// Who did it.
    pub actor: Option<Person>,
    /// How it is now, whole.
    #[serde(default)]
    pub data: Value,
    /// What was different of it before.
    #[serde(default)]
    pub previous_data: Value,
    /// When it happened.
    #[serde(default, deserialize_with = "lenient::instant")]
    pub created_at: Option<OffsetDateTime>,
    /// When the event last changed.
    #[serde(default, deserialize_with = "lenient::instant")]
    pub updated_at: Option<OffsetDateTime>,
    /// When it was told.
    #[serde(default, deserialize_with = "lenient::instant")]
    pub published_at: Option<OffsetDateTime>,
    /// Its place among others, where there is one: go by [`changed_at`](Self::changed_at) instead.
    #[serde(default, deserialize_with = "lenient::text")]
    pub sequence: Option<String>,
    /// In which version of the API the data is written.
    #[serde(default, deserialize_with = "lenient::text")]
    pub version: Option<String>,
    /// By which way it came.
    pub webhook_metadata: Option<EventMetadata>,
    /// Every field that is not documented, as it came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Event {
    /// The data as an object of this crate, or of yours.
    ///
    /// # Errors
    /// It has another shape.
    pub fn data_as<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        T::deserialize(&self.data)
    }

    /// When what it is about last changed: events come in any order, and the one with the latest is true.
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

/// By which way an event came.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct EventMetadata {
    /// The try, another one each time.
    pub attempt: Option<ObjectRef>,
    /// The delivery.
    pub delivery: Option<ObjectRef>,
    /// The event.
    pub event: Option<EventRef>,
    /// The subscription.
    pub webhook: Option<ObjectRef>,
}
