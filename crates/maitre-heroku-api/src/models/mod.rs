//! Objects of the Platform API that its published schema describes for vendors.
//!
//! Heroku may add fields and states at any time: unknown fields are ignored, sets of names are open, and fields that may
//! be missing are options.

mod add_on;
mod app;
mod log_drain;
mod pipeline;
mod webhook;

pub(crate) use add_on::Exposed;
pub use add_on::{
    AddOn, AddOnAction, AddOnOwner, AddOnState, Attachment, BillingEntity, ConfigVar, Plan, Price, RateLimits,
};
pub use app::{App, Collaborator, Domain, Member, Permission, Person};
pub use log_drain::LogDrain;
pub use pipeline::{Pipeline, PipelineCoupling};
pub use webhook::{
    DeliveryAttempt, DeliveryStatus, Entity, Event, EventAction, EventMetadata, EventRef, Level, Subscription, Webhook,
    WebhookDelivery, WebhookEvent, WebhookRef, WebhookSettings,
};

use serde::Deserialize;

/// Reference to another object.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ObjectRef {
    /// Id, which never changes.
    #[serde(default)]
    pub id: String,
    /// Name, which may change.
    pub name: Option<String>,
}
