//! Heroku's partner API, endpoint by endpoint.

mod authentication;
mod deprovision;
mod legacy;
mod plan_change;
mod provision;
mod sso;
mod sso_tokens;
mod sso_vectors;
