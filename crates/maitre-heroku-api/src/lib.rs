#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod client;
mod error;
mod lenient;
mod list;
mod metrics;
mod models;
mod reload;
mod request;
mod response;
mod send;
mod signature;
mod token;
mod vendor;

pub use self::{
    api::Api,
    client::{Client, ClientBuilder},
    error::Error,
    list::List,
    models::{
        AddOn, AddOnAction, AddOnOwner, AddOnState, App, Attachment, BillingEntity, Collaborator, ConfigVar,
        DeliveryAttempt, DeliveryStatus, Domain, Entity, Event, EventAction, EventMetadata, EventRef, Level, LogDrain,
        Member, ObjectRef, Permission, Person, Pipeline, PipelineCoupling, Plan, Price, RateLimits, Subscription,
        Webhook, WebhookDelivery, WebhookEvent, WebhookRef, WebhookSettings,
    },
    request::Request,
    response::Response,
    signature::{EmptySecret, WEBHOOK_SIGNATURE, WebhookSecret},
    vendor::Install,
};
pub use maitre_core::{OauthGrant, Secret};
pub use maitre_http::Token;
