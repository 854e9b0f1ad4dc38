//! Types of Vercel's API.

mod amount;
mod interim;
mod invoice;
mod item;
mod notification;
mod people;
mod period;
mod resource;
mod secrets;
mod timestamp;

pub use self::{
    amount::{Amount, ParseAmountError},
    interim::{Balance, Balances, InterimBilling, MetricKind, UsageMetric},
    invoice::{Invoice, InvoiceState, NewInvoice, SubmittedInvoice, TestResult},
    item::{BillingItem, Discount},
    notification::Notification,
    people::{Account, Contact, Member, Revocation, Role, RotatedToken},
    period::Period,
    resource::{ImportedResource, InstallationUpdate, Ownership, Resource, ResourceStatus, ResourceUpdate},
    secrets::{Environment, Secrets},
};
