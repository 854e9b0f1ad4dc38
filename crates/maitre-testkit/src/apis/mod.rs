//! Simulated APIs that marketplaces offer to vendors, on a port of loopback: Scalingo's, DigitalOcean's and Clever Cloud's.
//!
//! They record all calls, and answer those that differ from the marketplace's documents with an error and a
//! [problem](Api::problems). They share no code with the library under test.

mod api;
mod clever_cloud;
mod digital_ocean;
mod scalingo;

pub use self::{
    api::{Answer, Api, ApiCall, ApiRequest, ApiServer, Model, Problem},
    clever_cloud::{CleverCloudAddons, CleverCloudApi},
    digital_ocean::{DigitalOceanApi, DigitalOceanResources},
    scalingo::{ScalingoApi, ScalingoApps},
};
