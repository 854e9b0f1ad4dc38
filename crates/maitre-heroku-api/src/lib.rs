#![doc = include_str!("../README.md")]

mod api;
mod base;
mod call;
mod client;
mod error;
mod inventory;
mod lenient;
mod list;
mod objects;
mod open_enum;
mod pace;
mod retry;
mod send;
mod signature;
mod token;

pub use self::{
    api::Api,
    call::Call,
    client::{Client, ClientBuilder},
    error::Error,
    inventory::Install,
    list::List,
    objects::{
        AddOn, AddOnAction, AddOnOwner, AddOnState, App, Attachment, BillingEntity, Collaborator, ConfigVar,
        DeliveryAttempt, DeliveryStatus, Domain, Entity, Event, EventAction, EventMention, EventMetadata, Level,
        LogDrain, Member, Mention, Permission, Person, Pipeline, PipelineCoupling, Plan, Price, RateLimits, Subscribed,
        Webhook, WebhookDelivery, WebhookEvent, WebhookMention, WebhookOrder,
    },
    send::Answer,
    signature::{EmptySecret, WEBHOOK_SIGNATURE, WebhookSecret},
    token::Token,
};
pub use maitre_core::{OauthGrant, Secret};
