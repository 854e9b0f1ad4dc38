//! Handler of the callback of version 1.

use axum::{
    body::Bytes,
    extract::{Extension, Path, State},
    http::HeaderMap,
    response::Response,
};
use serde_json::{Value, json};

use super::{
    super::state::{install_state::State as InstallState, shared::SharedState},
    auth::is_vendor,
    body,
    exchange_id::ExchangeId,
    problem::{Problem, json_text},
};

/// `PUT /vendor/apps/{uuid}`, the `callback_url` of version 1, with the add-on's Basic credentials: sets config vars, and
/// completes a provision that was answered 202.
pub(crate) async fn put(
    State(state): State<SharedState>,
    Extension(exchange): Extension<ExchangeId>,
    Path(uuid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let mut state = state.lock();
    if !is_vendor(&headers, &state) {
        return Err(Problem::unauthorized());
    }
    if !state.addons.contains_key(&uuid) {
        return Err(Problem::not_found("add-on"));
    }
    state.record_call(&uuid, exchange.number, &exchange.line).map_err(|_| Problem::not_found("add-on"))?;
    let changes = changes(&body::parse(&body)?)?;
    state.set_config(&uuid, changes)?;
    if state.addon(&uuid).state == InstallState::Provisioning {
        state.addon_mut(&uuid).call_counts.provisioned += 1;
        state.provision(&uuid);
    }
    Ok(json_text(200, json!({}).to_string()))
}

/// Reads `{"config": {"NAME": "value"}}`.
fn changes(body: &Value) -> Result<Vec<(String, Option<String>)>, Problem> {
    let invalid = || Problem::invalid_params("config is an object of names and strings.");
    let vars = body["config"].as_object().ok_or_else(invalid)?;
    let var = |(name, value): (&String, &Value)| Some((name.clone(), Some(value.as_str()?.to_owned())));
    vars.iter().map(var).collect::<Option<_>>().ok_or_else(invalid)
}
