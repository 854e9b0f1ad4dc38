//! Handler of the list of installs. Heroku serves it on another host.

use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use serde_json::{Value, json};

use super::{
    super::state::{install_state::State as InstallState, shared::SharedState},
    auth::is_vendor,
    problem::{Problem, json_text},
};

/// `GET /api/v3/apps`, with the add-on's Basic credentials. Pages and fields are those of the older list, `GET
/// /vendor/apps`.
pub(crate) async fn list(
    State(state): State<SharedState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let state = state.lock();
    if !is_vendor(&headers, &state) {
        return Err(Problem::unauthorized());
    }
    let query = query.unwrap_or_default();
    let asked = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "offset");
    let offset: usize = match asked {
        Some((_, offset)) => offset.parse().map_err(|_| Problem::bad_request("offset is a number."))?,
        None => 0,
    };
    let size = state.settings.inventory_page_size;
    let live: Vec<_> = state.addons.values().filter(|addon| addon.state != InstallState::Deprovisioned).collect();
    let installs = live.iter().skip(offset).take(size).map(|addon| {
        json!({
            "callback_url": format!("{}/addons/{}", state.api_url(), addon.uuid),
            "plan": addon.plan,
            "provider_id": addon.provider_id,
            "resource": { "uuid": addon.uuid, "name": addon.name },
        })
    });
    let mut response = json_text(200, Value::Array(installs.collect()).to_string());
    let link = |rel: &str, offset: usize| format!("<{}/api/v3/apps?offset={offset}>; rel=\"{rel}\"", state.api_url());
    let mut links = Vec::new();
    if offset + size < live.len() {
        links.push(link("next", offset + size));
    }
    if offset > 0 {
        links.push(link("prev", offset.saturating_sub(size)));
    }
    if !links.is_empty() {
        response.headers_mut().insert("link", links.join(", ").parse().expect("links are plain ASCII"));
    }
    Ok(response)
}
