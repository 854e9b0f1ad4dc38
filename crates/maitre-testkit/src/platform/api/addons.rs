//! Handlers of add-ons, their config vars, and the two calls that complete an asynchronous operation.

use axum::{Extension, body::Bytes, extract::Path, response::Response};
use serde_json::{Value, json};

use super::{
    super::state::{addon::RemovalCause, install_state::State, store::PlatformState, violation::Rule},
    body,
    exchange_id::ExchangeId,
    problem::{Problem, json_text},
    vendor::Vendor,
};

/// `GET /addons`: the add-on of the token.
pub(crate) async fn list(vendor: Vendor) -> Response {
    let state = vendor.state();
    vendor.page(vec![state.addon_object(&vendor.own)], &["id", "name"], state.settings.page_size)
}

/// `GET /apps/{app}/addons`.
pub(crate) async fn of_app(vendor: Vendor, Path(app): Path<String>) -> Result<Response, Problem> {
    let state = vendor.state();
    let app = &state.reachable_app(&vendor.own, &app)?.id;
    let found = (state.addon(&vendor.own).app == *app).then(|| state.addon_object(&vendor.own));
    Ok(vendor.page(found.into_iter().collect(), &["id", "name"], state.settings.page_size))
}

/// `GET /addons/{addon}`.
pub(crate) async fn get(vendor: Vendor, Path(addon): Path<String>) -> Result<Response, Problem> {
    let state = vendor.state_of(&addon)?;
    Ok(object(&state, &vendor.own))
}

/// `GET /addons/{addon}/config`.
pub(crate) async fn config(vendor: Vendor, Path(addon): Path<String>) -> Result<Response, Problem> {
    let state = vendor.state_of(&addon)?;
    Ok(config_vars(&state, &vendor.own))
}

/// `PATCH /addons/{addon}/config`: null unsets a config var. On a provisioned add-on, every such call restarts the
/// app.
pub(crate) async fn change_config(vendor: Vendor, Path(addon): Path<String>, body: Bytes) -> Result<Response, Problem> {
    let mut state = vendor.state_of(&addon)?;
    let changes = changes(&body::parse(&body)?)?;
    state.set_config(&vendor.own, changes)?;
    let addon = state.addon_mut(&vendor.own);
    addon.call_counts.config_patches += 1;
    addon.call_counts.restarts += u64::from(addon.state == State::Provisioned);
    Ok(config_vars(&state, &vendor.own))
}

/// `POST /addons/{addon}/actions/provision`.
pub(crate) async fn provision(vendor: Vendor, Path(addon): Path<String>) -> Result<Response, Problem> {
    let mut state = vendor.state_of(&addon)?;
    match state.addon(&vendor.own).state {
        State::Provisioning => {
            if state.addon(&vendor.own).config.is_empty() && state.has_config_vars() {
                state.record_violation(
                    &vendor.own,
                    Rule::ConfigMissing,
                    "it was marked provisioned before its config vars were set",
                );
            }
            state.addon_mut(&vendor.own).call_counts.provisioned += 1;
            state.provision(&vendor.own);
            Ok(object(&state, &vendor.own))
        }
        State::Provisioned => {
            state.addon_mut(&vendor.own).call_counts.repeated_provisions += 1;
            match state.settings.repeated_provision_status {
                200 => Ok(object(&state, &vendor.own)),
                status => Err(Problem::invalid_params("The add-on is provisioned.").with_status(status)),
            }
        }
        State::Deprovisioning | State::Deprovisioned => {
            Err(Problem::invalid_params("The add-on is being deprovisioned."))
        }
    }
}

/// `POST /addons/{addon}/actions/deprovision`: revokes the token.
pub(crate) async fn deprovision(
    vendor: Vendor,
    Extension(exchange): Extension<ExchangeId>,
    Path(addon): Path<String>,
) -> Result<Response, Problem> {
    let mut state = vendor.state();
    if state.reachable(&vendor.own, &addon)?.state == State::Provisioned {
        let message = "Only an add-on that is being provisioned or deprovisioned can be marked deprovisioned.";
        return Err(Problem::invalid_params(message));
    }
    state.addon_mut(&vendor.own).call_counts.deprovisioned += 1;
    state.remove(&vendor.own, RemovalCause::Call(exchange.number));
    Ok(object(&state, &vendor.own))
}

fn object(state: &PlatformState, uuid: &str) -> Response {
    json_text(200, state.addon_object(uuid).to_string())
}

fn config_vars(state: &PlatformState, uuid: &str) -> Response {
    let vars = state.addon(uuid).config.iter().map(|(name, value)| json!({ "name": name, "value": value }));
    json_text(200, Value::Array(vars.collect()).to_string())
}

fn changes(body: &Value) -> Result<Vec<(String, Option<String>)>, Problem> {
    let invalid = || Problem::invalid_params(r#"config is a list of {"name", "value"} with string or null values."#);
    let vars = body["config"].as_array().ok_or_else(invalid)?;
    let var = |var: &Value| {
        let name = var["name"].as_str()?.to_owned();
        match &var["value"] {
            Value::String(value) => Some((name, Some(value.clone()))),
            Value::Null => Some((name, None)),
            _ => None,
        }
    };
    vars.iter().map(var).collect::<Option<_>>().ok_or_else(invalid)
}
