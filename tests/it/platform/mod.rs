//! Heroku's Platform API: grants, tokens, notifications, rotation, webhooks, reconciliation. The other side is the
//! platform of the test kit, which records every violation of Heroku's rules.

mod app_process;
mod processes;
mod provisioning;
mod reconciling;
mod rotation;
mod setup;
mod tokens;
mod traces;
mod webhooks;

pub(crate) use setup::{App, Fixture};
