//! A resource created by a check.

use maitre_testkit::Call;
use maitre_testkit::heroku::Provision;

use crate::response::Response;
use crate::rules::id_text;
use crate::verdict::Stop;

/// A resource, with the request that created it and the response.
#[derive(Clone)]
pub(super) struct Resource {
    pub(super) uuid: String,
    /// The id in the response.
    pub(super) id: String,
    pub(super) provision: Call<Provision>,
    pub(super) response: Response,
}

impl Resource {
    /// Reads the resource from the response; skips the check if the provision did not succeed.
    pub(super) fn from_response(provision: Call<Provision>, response: Response) -> Result<Self, Stop> {
        let id = response.json().and_then(|body| id_text(&body["id"])).filter(|id| !id.is_empty());
        match id {
            Some(id) if response.is_success() => Ok(Self { uuid: uuid_of(&provision), id, provision, response }),
            _ => {
                let status = response.status();
                let (without_id, cause) = match status {
                    401 | 403 => ("", "heroku.auth.right-credentials"),
                    200..=202 if response.object().is_err() => (" without a JSON object", "heroku.provision.json"),
                    200..=202 => (" without an id", "heroku.provision.id"),
                    _ => ("", "heroku.provision.succeeds"),
                };
                Err(Stop::skipped(format!(
                    "there is no resource to check: a provision is answered {status}{without_id} (see {cause})"
                )))
            }
        }
    }
}

/// Returns the uuid in a provision request.
pub(super) fn uuid_of(provision: &Call<Provision>) -> String {
    let field = provision.fields().into_iter().find(|(name, _)| name == "uuid");
    field.and_then(|(_, value)| id_text(&value)).unwrap_or_default()
}
