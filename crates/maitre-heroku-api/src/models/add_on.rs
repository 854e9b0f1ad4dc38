use maitre_core::Secret;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::ObjectRef;
use maitre_http::open_enum;

use crate::lenient;

/// An add-on as returned by `GET /addons/{addon}`.
///
/// ```
/// use maitre_heroku_api::{AddOn, AddOnState};
///
/// let json = r#"{
///     "id": "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21", "name": "lantern-curved-4821", "state": "suspended",
///     "plan": {"id": "11", "name": "lantern:basic"}, "addon_service": {"id": "5", "name": "lantern"}, "new": "field"
/// }"#;
/// let add_on: AddOn = serde_json::from_str(json)?;
/// assert_eq!(add_on.plan.bare_name(), "basic");
/// assert_eq!(add_on.state, AddOnState::Other("suspended".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AddOn {
    /// Heroku's uuid, equal to the `uuid` of the provision.
    pub id: String,
    /// Name, unique at Heroku. It may change.
    pub name: String,
    /// State in the life cycle.
    pub state: AddOnState,
    /// The `id` that the vendor returned for the provision.
    #[serde(default, deserialize_with = "lenient::text")]
    pub provider_id: Option<String>,
    /// Plan.
    pub plan: Plan,
    /// Service that the add-on is an instance of.
    pub addon_service: ObjectRef,
    /// App that owns the add-on. Since 2018 Heroku recommends [`billing_entity`](Self::billing_entity) instead.
    pub app: Option<ObjectRef>,
    /// App or team that is billed.
    pub billing_entity: Option<BillingEntity>,
    /// Billed price.
    pub billed_price: Option<Price>,
    /// Names of the config vars.
    #[serde(default, deserialize_with = "lenient::list")]
    pub config_vars: Vec<String>,
    /// Links in the dashboard in addition to single sign-on.
    #[serde(default, deserialize_with = "lenient::list")]
    pub actions: Vec<AddOnAction>,
    /// The vendor's message to the customer.
    pub provision_message: Option<String>,
    /// URL that starts single sign-on.
    pub web_url: Option<String>,
    /// Time of the provision.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub created_at: Option<OffsetDateTime>,
    /// Time of the last change.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub updated_at: Option<OffsetDateTime>,
}

open_enum! {
    /// State of an add-on in its life cycle.
    ///
    /// ```
    /// use maitre_heroku_api::AddOnState;
    ///
    /// assert_eq!(AddOnState::from("provisioned"), AddOnState::Provisioned);
    /// assert_eq!(AddOnState::from("paused").to_string(), "paused");
    /// ```
    pub enum AddOnState {
        /// Requested and not yet marked as provisioned.
        Provisioning = "provisioning",
        /// In use.
        Provisioned = "provisioned",
        /// Being deprovisioned.
        Deprovisioning = "deprovisioning",
        /// Deprovisioned.
        Deprovisioned = "deprovisioned",
    }
}

/// Plan of an add-on.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// Heroku's id of the plan.
    #[serde(default)]
    pub id: String,
    /// Name with the service as prefix, `lantern:basic`. A provision contains the name without prefix.
    pub name: String,
}

impl Plan {
    /// Returns the name without the prefix, `basic`, as in a provision.
    #[must_use]
    pub fn bare_name(&self) -> &str {
        self.name.split_once(':').map_or(&self.name, |(_, name)| name)
    }
}

/// App or team that is billed for an add-on.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct BillingEntity {
    /// Id.
    pub id: String,
    /// Name.
    pub name: Option<String>,
    /// `app` or `team`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// Price of an add-on.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Price {
    /// Price per unit in cents.
    pub cents: Option<i64>,
    /// Whether a contract defines the price.
    #[serde(default)]
    pub contract: bool,
    /// Unit, such as `month`.
    pub unit: Option<String>,
}

/// A link in the customer's dashboard.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AddOnAction {
    /// Id.
    #[serde(default, deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// Label.
    pub label: Option<String>,
    /// Value that single sign-on passes as `action`.
    pub action: Option<String>,
    /// Target URL, with the placeholder `:resource_id` for the uuid.
    pub url: Option<String>,
    /// Whether only the owner of the app may use the link.
    #[serde(default)]
    pub requires_owner: bool,
}

/// A config var of an add-on, as read or to be set.
///
/// ```
/// use maitre_heroku_api::ConfigVar;
///
/// let vars = [ConfigVar::set("LANTERN_URL", "https://u4:pw@eu1.lantern.example"), ConfigVar::unset("LANTERN_OLD")];
/// assert!(!format!("{vars:?}").contains("pw"));
/// ```
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ConfigVar {
    /// Name, with the prefix from the manifest.
    pub name: String,
    /// Value; `None` unsets the config var.
    #[serde(default, deserialize_with = "lenient::optional_secret")]
    pub value: Option<Secret>,
}

impl ConfigVar {
    /// Creates a change that sets the config var.
    pub fn set(name: impl Into<String>, value: impl Into<Secret>) -> Self {
        Self { name: name.into(), value: Some(value.into()) }
    }

    /// Creates a change that removes the config var.
    pub fn unset(name: impl Into<String>) -> Self {
        Self { name: name.into(), value: None }
    }
}

/// Serializable form of a config var with its value exposed. Only for requests to Heroku.
#[derive(Serialize)]
pub(crate) struct Exposed<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

impl<'a> From<&'a ConfigVar> for Exposed<'a> {
    fn from(var: &'a ConfigVar) -> Self {
        Self { name: &var.name, value: var.value.as_ref().map(Secret::expose) }
    }
}

/// Attachment of an add-on to an app. Its name is the prefix of the config vars there.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Attachment {
    /// Id.
    pub id: String,
    /// Prefix that replaces the manifest's: `PRIMARY_DB` leads to `PRIMARY_DB_URL`.
    pub name: String,
    /// Namespace within the add-on, for services that have them.
    pub namespace: Option<String>,
    /// Add-on.
    pub addon: AddOnOwner,
    /// App that the add-on is attached to.
    pub app: Option<ObjectRef>,
    /// URL that starts single sign-on.
    pub web_url: Option<String>,
    /// URL that accepts lines for the app's log. It may change.
    #[serde(default, deserialize_with = "lenient::optional_secret")]
    pub log_input_url: Option<Secret>,
    /// Time of the attachment.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub created_at: Option<OffsetDateTime>,
    /// Time of the last change.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub updated_at: Option<OffsetDateTime>,
}

/// Add-on of an attachment, and the app that owns it.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AddOnOwner {
    /// Uuid of the add-on.
    pub id: String,
    /// Name of the add-on.
    pub name: Option<String>,
    /// App that owns the add-on.
    pub app: Option<ObjectRef>,
}

/// Remaining rate limit.
#[derive(Clone, Copy, Debug, Deserialize)]
#[non_exhaustive]
pub struct RateLimits {
    /// Number of requests that may be sent now.
    pub remaining: u32,
}
