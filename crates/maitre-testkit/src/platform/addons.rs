//! The routes of an add-on itself: what it is, its config vars, and the two calls that end an asynchronous provision.

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use serde_json::{Value, json};

use super::{
    Platform,
    addon::Cause,
    auth::Caller,
    problem::{Problem, json_text},
    range::page,
    record::ExchangeId,
    state::State as Stage,
    violation::Rule,
    world::PlatformState,
};

/// `GET /addons`: those that the token reaches, which is one.
pub(super) async fn list(
    State(platform): State<Platform>,
    Extension(Caller(own)): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    let world = platform.world();
    page(vec![world.addon_object(&own)], &["id", "name"], &headers, world.settings.page_size)
}

/// `GET /apps/{app}/addons`.
pub(super) async fn of_app(
    State(platform): State<Platform>,
    Extension(Caller(own)): Extension<Caller>,
    Path(app): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let world = platform.world();
    let app = &world.reachable_app(&own, &app)?.id;
    let found = (world.addon(&own).app == *app).then(|| world.addon_object(&own));
    Ok(page(found.into_iter().collect(), &["id", "name"], &headers, world.settings.page_size))
}

/// `GET /addons/{addon}`.
pub(super) async fn get(
    State(platform): State<Platform>,
    Extension(Caller(own)): Extension<Caller>,
    Path(addon): Path<String>,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    world.reachable(&own, &addon)?;
    Ok(object(&world, &own))
}

/// `GET /addons/{addon}/config`.
pub(super) async fn config(
    State(platform): State<Platform>,
    Extension(Caller(own)): Extension<Caller>,
    Path(addon): Path<String>,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    world.reachable(&own, &addon)?;
    Ok(config_vars(&world, &own))
}

/// `PATCH /addons/{addon}/config`: a null unsets. On a provisioned add-on, every such call restarts the app.
pub(super) async fn change_config(
    State(platform): State<Platform>,
    Extension(Caller(own)): Extension<Caller>,
    Path(addon): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    world.reachable(&own, &addon)?;
    let changes = changes(&read(&body)?)?;
    world.set_config(&own, changes)?;
    let addon = world.addon_mut(&own);
    addon.call_counts.config_patches += 1;
    addon.call_counts.restarts += u64::from(addon.state == Stage::Provisioned);
    Ok(config_vars(&world, &own))
}

/// `POST /addons/{addon}/actions/provision`.
pub(super) async fn provision(
    State(platform): State<Platform>,
    Extension(Caller(own)): Extension<Caller>,
    Path(addon): Path<String>,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    let state = world.reachable(&own, &addon)?.state;
    match state {
        Stage::Provisioning => {
            if world.addon(&own).config.is_empty() && world.has_config_vars() {
                world.violation(&own, Rule::ConfigMissing, "it was marked provisioned before its config vars were set");
            }
            world.addon_mut(&own).call_counts.provisioned += 1;
            world.provision(&own);
            Ok(object(&world, &own))
        }
        Stage::Provisioned => {
            world.addon_mut(&own).call_counts.repeated_provisions += 1;
            match world.settings.repeated_provision_status {
                200 => Ok(object(&world, &own)),
                status => Err(Problem::invalid_params("The add-on is provisioned.").with_status(status)),
            }
        }
        Stage::Deprovisioning | Stage::Deprovisioned => {
            Err(Problem::invalid_params("The add-on is being deprovisioned."))
        }
    }
}

/// `POST /addons/{addon}/actions/deprovision`: from here on the token is dead.
pub(super) async fn deprovision(
    State(platform): State<Platform>,
    Extension(arrived): Extension<ExchangeId>,
    Extension(Caller(own)): Extension<Caller>,
    Path(addon): Path<String>,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    if world.reachable(&own, &addon)?.state == Stage::Provisioned {
        let message = "Only an add-on that is being provisioned or deprovisioned can be marked deprovisioned.";
        return Err(Problem::invalid_params(message));
    }
    world.addon_mut(&own).call_counts.deprovisioned += 1;
    world.remove(&own, Cause::Call(arrived.seq));
    Ok(object(&world, &own))
}

fn object(world: &PlatformState, uuid: &str) -> Response {
    json_text(200, world.addon_object(uuid).to_string())
}

fn config_vars(world: &PlatformState, uuid: &str) -> Response {
    let vars = world.addon(uuid).config.iter().map(|(name, value)| json!({ "name": name, "value": value }));
    json_text(200, Value::Array(vars.collect()).to_string())
}

pub(super) fn read(body: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::bad_request(format!("The body is no JSON: {error}.")))
}

fn changes(body: &Value) -> Result<Vec<(String, Option<String>)>, Problem> {
    let invalid = || Problem::invalid_params(r#"config is a list of {"name", "value"} with values of text or null."#);
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
