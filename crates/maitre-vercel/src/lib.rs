#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod billing;
mod client;
mod error;
mod hooks;
mod models;
mod platform;

pub use self::{
    api::Api,
    billing::{Statement, StatementState, Usage},
    client::{Client, connect},
    error::Error,
    models::{
        Account, Amount, Balance, Balances, BillingItem, Contact, Discount, Environment, ImportedResource,
        InstallationUpdate, InterimBilling, Invoice, InvoiceState, Member, MetricKind, NewInvoice, Notification,
        Ownership, ParseAmountError, Period, Resource, ResourceStatus, ResourceUpdate, Revocation, Role, RotatedToken,
        Secrets, SubmittedInvoice, TestResult, UsageMetric,
    },
    platform::{Platform, PlatformBuilder, PlatformError},
};
pub use maitre_http::{CallError, JsonClient, JsonClientBuilder};
