use maitre_core::Secret;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::ObjectRef;
use crate::{lenient, open_enum::open_enum};

/// An add-on, as `GET /addons/{addon}` tells of it.
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
    /// Heroku's uuid: the provision's `uuid`.
    pub id: String,
    /// Its name, unique at Heroku; it may change.
    pub name: String,
    /// Where it is in its life.
    pub state: AddOnState,
    /// The `id` that the vendor answered to the provision.
    #[serde(default, deserialize_with = "lenient::text")]
    pub provider_id: Option<String>,
    /// Its plan.
    pub plan: Plan,
    /// The service it is an add-on of.
    pub addon_service: ObjectRef,
    /// The app that it belongs to. Heroku prefers [`billing_entity`](Self::billing_entity) since 2018.
    pub app: Option<ObjectRef>,
    /// Who pays.
    pub billing_entity: Option<BillingEntity>,
    /// What it costs.
    pub billed_price: Option<Price>,
    /// The names of its config vars.
    #[serde(default, deserialize_with = "lenient::list")]
    pub config_vars: Vec<String>,
    /// Links in the dashboard beside the one of single sign-on.
    #[serde(default, deserialize_with = "lenient::list")]
    pub actions: Vec<AddOnAction>,
    /// What the vendor told the customer.
    pub provision_message: Option<String>,
    /// Where single sign-on begins.
    pub web_url: Option<String>,
    /// When it was ordered.
    #[serde(default, deserialize_with = "lenient::instant")]
    pub created_at: Option<OffsetDateTime>,
    /// When it last changed.
    #[serde(default, deserialize_with = "lenient::instant")]
    pub updated_at: Option<OffsetDateTime>,
}

open_enum! {
    /// Where an add-on is in its life.
    ///
    /// ```
    /// use maitre_heroku_api::AddOnState;
    ///
    /// assert_eq!(AddOnState::from("provisioned"), AddOnState::Provisioned);
    /// assert_eq!(AddOnState::from("paused").to_string(), "paused");
    /// ```
    pub enum AddOnState {
        /// Ordered, and not marked provisioned.
        Provisioning = "provisioning",
        /// In use.
        Provisioned = "provisioned",
        /// On its way out.
        Deprovisioning = "deprovisioning",
        /// Gone.
        Deprovisioned = "deprovisioned",
    }
}

/// An add-on's plan.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// Heroku's id of it.
    #[serde(default)]
    pub id: String,
    /// Its name with the service's before it, `lantern:basic`: another form than in a provision.
    pub name: String,
}

impl Plan {
    /// The name as a provision has it, `basic`.
    #[must_use]
    pub fn bare_name(&self) -> &str {
        self.name.split_once(':').map_or(&self.name, |(_, name)| name)
    }
}

/// Who pays for an add-on.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct BillingEntity {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// `app` or `team`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// What an add-on costs.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Price {
    /// The price for a unit, in cents.
    pub cents: Option<i64>,
    /// Whether a contract says otherwise.
    #[serde(default)]
    pub contract: bool,
    /// The unit, such as `month`.
    pub unit: Option<String>,
}

/// A link in the customer's dashboard.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AddOnAction {
    /// Its id.
    #[serde(default, deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// What it is called.
    pub label: Option<String>,
    /// What single sign-on passes through as `action`.
    pub action: Option<String>,
    /// Where it leads, with `:resource_id` in the place of the uuid.
    pub url: Option<String>,
    /// Whether it is for the app's owner alone.
    #[serde(default)]
    pub requires_owner: bool,
}

/// A config var of an add-on, to be read or set.
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
    /// Its name, with the prefix of the manifest.
    pub name: String,
    /// Its value; without one it is unset.
    #[serde(default, deserialize_with = "lenient::optional_secret")]
    pub value: Option<Secret>,
}

impl ConfigVar {
    /// Sets the var to a value.
    pub fn set(name: impl Into<String>, value: impl Into<Secret>) -> Self {
        Self { name: name.into(), value: Some(value.into()) }
    }

    /// Takes the var away.
    pub fn unset(name: impl Into<String>) -> Self {
        Self { name: name.into(), value: None }
    }
}

/// A config var with its value written out: this goes to Heroku, and nowhere else.
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

/// An add-on on one app, under the name that prefixes its config vars there.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Attachment {
    /// Its id.
    pub id: String,
    /// The prefix, in place of the manifest's: `PRIMARY_DB` makes `PRIMARY_DB_URL`.
    pub name: String,
    /// A part of the add-on, for services that have such.
    pub namespace: Option<String>,
    /// The add-on.
    pub addon: AddOnOwner,
    /// The app that it is attached to.
    pub app: Option<ObjectRef>,
    /// Where single sign-on begins.
    pub web_url: Option<String>,
    /// Where to write lines into the app's log. It changes.
    #[serde(default, deserialize_with = "lenient::optional_secret")]
    pub log_input_url: Option<Secret>,
    /// When it was attached.
    #[serde(default, deserialize_with = "lenient::instant")]
    pub created_at: Option<OffsetDateTime>,
    /// When it last changed.
    #[serde(default, deserialize_with = "lenient::instant")]
    pub updated_at: Option<OffsetDateTime>,
}

/// The add-on of an attachment, and the app that it belongs to.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AddOnOwner {
    /// The add-on's uuid.
    pub id: String,
    /// The add-on's name.
    pub name: Option<String>,
    /// The app that it belongs to.
    pub app: Option<ObjectRef>,
}

/// How much of the rate limit is left.
#[derive(Clone, Copy, Debug, Deserialize)]
#[non_exhaustive]
pub struct RateLimits {
    /// Requests that may be made at once.
    pub remaining: u32,
}
