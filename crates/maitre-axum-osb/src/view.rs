//! Fields of a request that only service brokers receive.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maitre_axum::core::{AddonId, Fields, View};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Fields of a provision, change or bind that only service brokers receive.
///
/// ```
/// use maitre_axum::core::{AddonId, Provision};
/// use maitre_axum_osb::OsbRequest;
///
/// let mut request = Provision::new(AddonId::new("osb", "lantern"), "i-1", "basic");
/// request.details.insert("context", serde_json::json!({ "platform": "cloudfoundry" }));
/// assert_eq!(request.view::<OsbRequest>()?.context.text("platform"), Some("cloudfoundry"));
/// # Ok::<(), maitre_axum::core::ViewError>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[non_exhaustive]
#[serde(default)]
pub struct OsbRequest {
    /// The platform, and the place of the instance there.
    pub context: Fields,
    /// Organization of the instance.
    pub organization_guid: Option<String>,
    /// Space of the instance.
    pub space_guid: Option<String>,
    /// The user who caused the request.
    pub originating_identity: Option<OriginatingIdentity>,
    /// All other fields, unchanged.
    #[serde(flatten)]
    pub extra: Fields,
}

impl View for OsbRequest {
    const MARKETPLACE: &'static str = "osb";

    fn applies_to(addon: &AddonId) -> bool {
        let rest = addon.marketplace().strip_prefix(Self::MARKETPLACE);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

/// The user who caused a request, as the platform knows them.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct OriginatingIdentity {
    /// The platform, such as `cloudfoundry`.
    pub platform: String,
    /// The user; the fields depend on the platform (`cloudfoundry`: `user_id`).
    pub value: Fields,
}

/// Parses the header: a platform and a JSON object in base64. A malformed one is ignored.
pub(crate) fn originating_identity(header: Option<&str>) -> Option<Value> {
    let header = header?;
    let parsed = header.split_once(' ').and_then(|(platform, value)| {
        let value: Map<String, Value> = serde_json::from_slice(&BASE64_STANDARD.decode(value.trim()).ok()?).ok()?;
        Some(json!({ "platform": platform, "value": value }))
    });
    if parsed.is_none() {
        tracing::warn!("ignored X-Broker-API-Originating-Identity, as it is not a platform and JSON in base64");
    }
    parsed
}
