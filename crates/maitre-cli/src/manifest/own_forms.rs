//! Manifests in the forms of Clever Cloud and Scalingo.

use serde::Serialize;

/// Addresses of an add-on.
#[derive(Clone, Serialize)]
pub(super) struct Urls {
    pub(super) base_url: String,
    pub(super) sso_url: String,
}

/// New manifest for Clever Cloud, with its fields in the order of the documentation.
#[derive(Serialize)]
pub(super) struct CleverCloudManifest<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) api: CleverCloudApi,
}

#[derive(Serialize)]
pub(super) struct CleverCloudApi {
    pub(super) config_vars: Vec<String>,
    pub(super) regions: Vec<String>,
    pub(super) password: String,
    pub(super) sso_salt: String,
    pub(super) production: Urls,
    pub(super) test: Urls,
}

/// New manifest for Scalingo, with its fields in the order of the documentation.
#[derive(Serialize)]
pub(super) struct ScalingoManifest<'a> {
    pub(super) name: &'a str,
    pub(super) username: &'a str,
    pub(super) password: String,
    pub(super) sso_salt: String,
    pub(super) logo_url: String,
    pub(super) short_description: String,
    pub(super) description: String,
    pub(super) log_drain: bool,
    pub(super) config_vars: Vec<String>,
    pub(super) production: Urls,
    pub(super) test: Urls,
    pub(super) plans: Vec<ScalingoPlan<'a>>,
}

#[derive(Serialize)]
pub(super) struct ScalingoPlan<'a> {
    name: &'a str,
    display_name: &'a str,
    /// Euros for 30 days.
    price: f64,
    description: String,
}

impl<'a> ScalingoPlan<'a> {
    /// Reads `NAME[=CENTS]`.
    pub(super) fn parse(text: &'a str) -> Self {
        let (name, cents) = text.split_once('=').unwrap_or((text, "0"));
        let price = cents.parse::<u32>().map_or(0.0, |cents| f64::from(cents) / 100.0);
        Self { name, display_name: name, price, description: format!("The plan {name}.") }
    }
}
