//! Handlers of log drains.

use axum::{body::Bytes, extract::Path, response::Response};

use super::{
    super::state::{customer_app::Drain, objects},
    body,
    problem::{Problem, json_text},
    vendor::Vendor,
};
use crate::generate::new_uuid;

/// `GET /addons/{addon}/log-drains`: the add-on's own drain.
pub(crate) async fn list(vendor: Vendor, Path(addon): Path<String>) -> Result<Response, Problem> {
    let state = vendor.state_of(&addon)?;
    let drains = state.reachable_apps(&vendor.own).flat_map(|app| app.drains.iter().map(move |drain| (app, drain)));
    let of_addon = drains.filter(|(_, drain)| drain.addon.as_deref() == Some(vendor.own.as_str()));
    let all = of_addon.map(|(app, drain)| objects::drain(app, drain)).collect();
    Ok(vendor.page(all, &["id"], state.settings.page_size))
}

/// `PUT /addons/{addon}/log-drains/{drain}`: changes the URL of a drain, which is identified by its id, URL or token.
pub(crate) async fn change(
    vendor: Vendor,
    Path((addon, id_or_name)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, Problem> {
    let url = url(&body)?;
    let mut state = vendor.state();
    let app = state.reachable(&vendor.own, &addon)?.app.clone();
    let app = state.apps.get_mut(&app).expect("apps are never removed");
    let is_match = |drain: &Drain| [&drain.id, &drain.token, &drain.url].contains(&&id_or_name);
    let position = app.drains.iter().position(|drain| drain.addon.as_ref() == Some(&vendor.own) && is_match(drain));
    let position = position.ok_or_else(|| Problem::not_found("log drain"))?;
    app.drains[position].url = url;
    Ok(json_text(200, objects::drain(app, &app.drains[position]).to_string()))
}

/// `POST /apps/{app}/log-drains`.
pub(crate) async fn add(vendor: Vendor, Path(app): Path<String>, body: Bytes) -> Result<Response, Problem> {
    let url = url(&body)?;
    let mut state = vendor.state();
    let app = state.reachable_app(&vendor.own, &app)?.id.clone();
    let now = state.now;
    let app = state.apps.get_mut(&app).expect("apps are never removed");
    let drain = Drain { id: new_uuid(), token: format!("d.{}", new_uuid()), url, addon: None, created_at: now };
    let object = objects::drain(app, &drain);
    app.drains.push(drain);
    Ok(json_text(201, object.to_string()))
}

/// `DELETE /apps/{app}/log-drains/{drain}`.
pub(crate) async fn remove(
    vendor: Vendor,
    Path((app, id_or_name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let mut state = vendor.state();
    let app = state.reachable_app(&vendor.own, &app)?.id.clone();
    let app = state.apps.get_mut(&app).expect("apps are never removed");
    let is_match =
        |drain: &Drain| drain.addon.is_none() && [&drain.id, &drain.token, &drain.url].contains(&&id_or_name);
    let position = app.drains.iter().position(is_match).ok_or_else(|| Problem::not_found("log drain"))?;
    let drain = app.drains.remove(position);
    Ok(json_text(200, objects::drain(app, &drain).to_string()))
}

fn url(body: &[u8]) -> Result<String, Problem> {
    let url = body::parse(body)?["url"].as_str().map(str::to_owned);
    url.filter(|url| url.contains("://")).ok_or_else(|| Problem::invalid_params("url is the URL of a log drain."))
}
