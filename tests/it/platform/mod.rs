//! An add-on at Heroku's API: grants, tokens, what is told later, rotation, webhooks, reconciling. The other side is the
//! platform of the test kit, which writes down every breach of Heroku's rules.

mod app_process;
mod processes;
mod provisioning;
mod reconciling;
mod rotation;
mod setup;
mod tokens;
mod webhooks;

use setup::{House, World};
