//! Heroku's exchanges, one by one.

mod authentication;
mod deprovision;
mod legacy;
mod plan_change;
mod provision;
mod sso;
mod sso_tokens;
