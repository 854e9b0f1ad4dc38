//! The objects of the Platform API, as far as its published schema describes them to a vendor.
//!
//! Heroku adds fields and states when it likes: what is not known here is passed over, names are open, and fields that
//! may be missing are options.

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

/// What another object is mentioned by.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ObjectRef {
    /// Its id, which never changes.
    #[serde(default)]
    pub id: String,
    /// Its name, which may.
    pub name: Option<String>,
}
