//! Fields of a request that only QuickNode sends.

use maitre_axum::core::{Fields, Secret, View};
use serde::Deserialize;

/// The customer's blockchain endpoint: the parameters of a provision, a plan change and an update.
///
/// ```
/// use maitre_axum::core::{AddonId, Provision};
/// use maitre_axum_quicknode::QuickNodeEndpoint;
///
/// let mut request = Provision::new(AddonId::new("quicknode", "pomelo"), "qn-acc-1/ep-1", "discover");
/// request.parameters.insert("http-url", "https://x.quiknode.pro/tok/");
/// let endpoint: QuickNodeEndpoint = request.parameters.read()?;
/// assert_eq!(endpoint.http_url.as_ref().map(|url| url.expose()), Some("https://x.quiknode.pro/tok/"));
/// assert!(!format!("{endpoint:?}").contains("tok"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct QuickNodeEndpoint {
    /// Blockchain, such as `ethereum`.
    pub chain: Option<String>,
    /// Network of the blockchain, such as `mainnet`.
    pub network: Option<String>,
    /// WebSocket URL with a token; empty for chains without sockets.
    pub wss_url: Option<Secret>,
    /// HTTP URL with a token.
    pub http_url: Option<Secret>,
    /// Allowed referers. If there are any, every call to the endpoint needs one of them in `Referer`.
    pub referers: Option<Vec<String>>,
    /// Contract addresses that the endpoint is restricted to.
    #[serde(rename = "contract_addresses")]
    pub contract_addresses: Option<Vec<String>>,
}

/// Names of the fields above.
pub(crate) const ENDPOINT: [&str; 6] = ["chain", "network", "wss-url", "http-url", "referers", "contract_addresses"];

/// Fields of a provision, a plan change and an update that only QuickNode sends.
///
/// ```
/// use maitre_axum::core::{AddonId, Provision};
/// use maitre_axum_quicknode::QuickNodeRequest;
///
/// let mut request = Provision::new(AddonId::new("quicknode", "pomelo"), "qn-acc-1/ep-1", "discover");
/// request.details.insert("quicknode-id", "qn-acc-1");
/// request.details.insert("endpoint-id", "ep-1");
/// let details = request.view::<QuickNodeRequest>()?;
/// assert_eq!((details.account.as_str(), details.endpoint.as_str(), details.test), ("qn-acc-1", "ep-1", false));
/// # Ok::<(), maitre_axum::core::ViewError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct QuickNodeRequest {
    /// Account that pays (`quicknode-id`). All of its endpoints have one plan.
    #[serde(rename = "quicknode-id")]
    pub account: String,
    /// Endpoint of the account (`endpoint-id`).
    #[serde(rename = "endpoint-id")]
    pub endpoint: String,
    /// Id of the add-on, if it was sent.
    #[serde(rename = "add-on-id")]
    pub add_on_id: Option<String>,
    /// Slug of the add-on, if it was sent: one router may serve several.
    #[serde(rename = "add-on-slug")]
    pub add_on_slug: Option<String>,
    /// Whether QuickNode's staff or its test tool sent the request (`X-QN-TESTING`).
    #[serde(default)]
    pub test: bool,
    /// All undocumented fields, unchanged.
    #[serde(flatten)]
    pub extra: Fields,
}

impl View for QuickNodeRequest {
    const MARKETPLACE: &'static str = "quicknode";
}
