//! A resource created by a check.

use maitre_testkit::{Call, Json};

use super::contract::BasicMarketplace;
use crate::response::Response;
use crate::rules::id_text;
use crate::verdict::Stop;

/// A resource, with the response to its provision.
#[derive(Clone)]
pub(super) struct Resource {
    /// The marketplace's key.
    pub(super) key: String,
    /// The id in the response.
    pub(super) id: String,
    /// The one of both that names the resource in paths and in sign-on.
    pub(super) name: String,
    pub(super) provision: Call<Json>,
    pub(super) response: Response,
}

impl Resource {
    /// Reads the resource from the response; skips the check if the provision did not succeed.
    pub(super) fn from_response<M: BasicMarketplace>(provision: Call<Json>, response: Response) -> Result<Self, Stop> {
        let contract = M::CONTRACT;
        let id = response.json().and_then(|body| id_text(&body["id"])).filter(|id| !id.is_empty());
        let Some(id) = id.filter(|_| response.is_success()) else {
            let status = response.status();
            let (without_id, cause) = match status {
                401 | 403 => ("", "auth.right-credentials"),
                200..=202 if response.object().is_err() => (" without a JSON object", "provision.json"),
                200..=202 => (" without an id", "provision.id"),
                _ => ("", "provision.succeeds"),
            };
            return Err(Stop::skipped(format!(
                "there is no resource to check: a provision is answered {status}{without_id} (see {}.{cause})",
                contract.marketplace
            )));
        };
        let field = provision.fields().into_iter().find(|(name, _)| name == contract.key);
        let key = field.and_then(|(_, value)| id_text(&value)).unwrap_or_default();
        let name = if contract.by_key { key.clone() } else { id.clone() };
        Ok(Self { key, id, name, provision, response })
    }
}
