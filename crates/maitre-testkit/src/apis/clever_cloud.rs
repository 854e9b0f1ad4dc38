//! Clever Cloud's Add-on Infos API.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::api::{Answer, Api, ApiRequest, Model, Problem};

/// Number of add-ons that one call lists.
const PAGE_SIZE: usize = 2;

/// State of [`CleverCloudApi`].
#[derive(Debug)]
pub struct CleverCloudAddons {
    id: String,
    password: String,
    addons: BTreeMap<String, Addon>,
}

#[derive(Debug)]
struct Addon {
    provider_id: String,
    plan: String,
    config: Map<String, Value>,
    costs: Vec<Value>,
}

/// Clever Cloud's Add-on Infos API for one provider. One call lists two add-ons.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use maitre_testkit::apis::CleverCloudApi;
///
/// let clever_cloud = CleverCloudApi::new("quince", "password");
/// clever_cloud.add_addon("addon_1", "q-81", "dev");
/// let server = clever_cloud.serve().await?;
/// let url = format!("{}/vendor/apps/addon_1", server.url());
/// let body = serde_json::json!({ "config": { "QUINCE_URL": "https://quince.example" } });
/// let call = reqwest::Client::new().put(url).basic_auth("quince", Some("password")).json(&body);
/// assert_eq!(call.send().await?.status(), 200);
/// assert_eq!(clever_cloud.config("addon_1")["QUINCE_URL"], "https://quince.example");
/// # Ok(())
/// # }
/// ```
pub type CleverCloudApi = Api<CleverCloudAddons>;

impl CleverCloudApi {
    /// Returns an API without add-ons, for the provider with this id and password.
    #[must_use]
    pub fn new(id: &str, password: &str) -> Self {
        let (id, password) = (id.to_owned(), password.to_owned());
        Self::with_state(CleverCloudAddons { id, password, addons: BTreeMap::new() })
    }

    /// Adds an add-on, whose id by the vendor is `provider_id`.
    pub fn add_addon(&self, addon_id: &str, provider_id: &str, plan: &str) {
        let (provider_id, plan) = (provider_id.to_owned(), plan.to_owned());
        let addon = Addon { provider_id, plan, config: Map::new(), costs: Vec::new() };
        self.state().addons.insert(addon_id.to_owned(), addon);
    }

    /// Replaces the config vars of an add-on, for example by those of the vendor's response.
    pub fn set_config(&self, addon_id: &str, config: BTreeMap<String, String>) {
        if let Some(addon) = self.state().addons.get_mut(addon_id) {
            addon.config = config.into_iter().map(|(name, value)| (name, value.into())).collect();
        }
    }

    /// Removes an add-on, without a request to the vendor.
    pub fn remove_addon(&self, addon_id: &str) {
        self.state().addons.remove(addon_id);
    }

    /// Returns the config vars of an add-on.
    #[must_use]
    pub fn config(&self, addon_id: &str) -> Map<String, Value> {
        self.state().addons.get(addon_id).map(|addon| addon.config.clone()).unwrap_or_default()
    }

    /// Returns the costs that the vendor has reported for an add-on.
    #[must_use]
    pub fn costs(&self, addon_id: &str) -> Vec<Value> {
        self.state().addons.get(addon_id).map(|addon| addon.costs.clone()).unwrap_or_default()
    }
}

impl Model for CleverCloudAddons {
    fn answer(&mut self, request: &ApiRequest<'_>) -> Answer {
        request.require_basic(&self.id, &self.password)?;
        match (request.method, &request.path[..]) {
            ("GET", ["vendor", "apps"]) => {
                let offset = request.number("offset").unwrap_or_default();
                let list = self.addons.iter().skip(offset).take(PAGE_SIZE);
                Ok((200, list.map(|(addon_id, addon)| addon.summary(addon_id)).collect()))
            }
            ("GET", ["vendor", "apps", addon_id]) => Ok((200, self.addon(addon_id)?.details())),
            ("PUT", ["vendor", "apps", addon_id]) => {
                self.addon(addon_id)?.config.clone_from(request.config()?);
                Ok((200, json!({})))
            }
            ("POST", ["vendor", "apps", addon_id, "consumptions"]) => {
                let addon = self.addon(addon_id)?;
                let fields = request.body.as_object().filter(|fields| fields.len() == 1);
                let cost = fields.and_then(|fields| fields.get("cost")).filter(|cost| cost.is_number());
                addon.costs.push(cost.ok_or_else(|| Problem::new(400, "the body is not {\"cost\": number}"))?.clone());
                Ok((200, json!({})))
            }
            _ => Err(Problem::new(404, "not found")),
        }
    }
}

impl CleverCloudAddons {
    fn addon(&mut self, addon_id: &str) -> Result<&mut Addon, Problem> {
        self.addons.get_mut(addon_id).ok_or_else(|| Problem::new(404, "no such add-on"))
    }
}

impl Addon {
    fn summary(&self, addon_id: &str) -> Value {
        json!({
            "provider_id": self.provider_id, "addon_id": addon_id, "plan": self.plan, "owner_id": "orga_9e",
            "callback_url": format!("https://api.clever-cloud.com/v2/vendor/apps/{addon_id}"),
        })
    }

    fn details(&self) -> Value {
        json!({
            "id": self.provider_id, "name": "quince-db", "config": self.config, "owner_id": "orga_9e",
            "owner_email": "ada@customer.example", "owner_name": "Quince Labs", "owner_emails": ["ada@customer.example"],
            "region": "EU", "domains": [],
        })
    }
}
