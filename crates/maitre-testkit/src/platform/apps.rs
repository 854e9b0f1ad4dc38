//! The routes about customers' apps: what they are, who works on them, where their logs go.

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use serde_json::Value;

use super::{
    Platform,
    addons::read,
    app::Drain,
    auth::Caller,
    objects,
    problem::{Problem, json_text},
    range::page,
};
use crate::endpoint::new_uuid;

type Platforms = State<Platform>;
type Own = Extension<Caller>;

/// `GET /apps`.
pub(super) async fn list(State(platform): Platforms, Extension(Caller(own)): Own, headers: HeaderMap) -> Response {
    let world = platform.world();
    let apps = world.reachable_apps(&own).map(|app| world.app_object(&app.id)).collect();
    page(apps, &["id", "name"], &headers, world.settings.page_size)
}

/// `POST /filters/apps`: those of the ids in the body that the token reaches.
pub(super) async fn filter(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let body = read(&body)?;
    let invalid = || Problem::invalid_params("in.id is a list of ids.");
    let ids = body.pointer("/in/id").and_then(Value::as_array).ok_or_else(invalid)?;
    let world = platform.world();
    let wanted = world.reachable_apps(&own).filter(|app| ids.iter().any(|id| *id == *app.id));
    let apps = wanted.map(|app| world.app_object(&app.id)).collect();
    Ok(page(apps, &["id", "name"], &headers, world.settings.page_size))
}

/// `GET /apps/{app}`.
pub(super) async fn get(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path(app): Path<String>,
) -> Result<Response, Problem> {
    let world = platform.world();
    let app = world.reachable_app(&own, &app)?;
    Ok(json_text(200, world.app_object(&app.id).to_string()))
}

/// `GET /apps/{app}/collaborators`.
pub(super) async fn collaborators(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path(app): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let world = platform.world();
    let app = world.reachable_app(&own, &app)?;
    let people = app.collaborators.iter().map(|(user, role)| objects::collaborator(app, user, role)).collect();
    Ok(page(people, &["id"], &headers, world.settings.page_size))
}

/// `GET /teams/{team}/members`, of a team that owns an app which the token reaches.
pub(super) async fn members(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path(named): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let world = platform.world();
    let mut teams = world.reachable_apps(&own).filter_map(|app| app.team.as_ref());
    let team = teams.find(|team| team.id == named || team.name == named);
    let team = team.ok_or_else(|| Problem::not_found("team"))?;
    let members = team.members.iter().map(|(user, role)| objects::member(user, role)).collect();
    Ok(page(members, &["id", "email"], &headers, world.settings.page_size))
}

/// `GET /apps/{app}/domains`.
pub(super) async fn domains(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path(app): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let world = platform.world();
    let app = world.reachable_app(&own, &app)?;
    let domains = app.domains.iter().map(|(id, hostname)| objects::domain(app, id, hostname)).collect();
    Ok(page(domains, &["id", "hostname"], &headers, world.settings.page_size))
}

/// `GET /addons/{addon}/addon-attachments`.
pub(super) async fn attachments(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path(addon): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    world.reachable(&own, &addon)?;
    let addon = world.addon(&own);
    let all = addon.attachments.iter().map(|attachment| world.attachment_object(addon, attachment)).collect();
    Ok(page(all, &["id", "name"], &headers, world.settings.page_size))
}

/// `GET /apps/{app}/addon-attachments`.
pub(super) async fn attachments_of_app(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path(app): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let world = platform.world();
    let app = &world.reachable_app(&own, &app)?.id;
    let addon = world.addon(&own);
    let here = addon.attachments.iter().filter(|attachment| attachment.app == *app);
    let all = here.map(|attachment| world.attachment_object(addon, attachment)).collect();
    Ok(page(all, &["id", "name"], &headers, world.settings.page_size))
}

/// `GET /addons/{addon}/log-drains`: where the add-on's own drain goes.
pub(super) async fn drains(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path(addon): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    world.reachable(&own, &addon)?;
    let drains = world.reachable_apps(&own).flat_map(|app| app.drains.iter().map(move |drain| (app, drain)));
    let of_addon = drains.filter(|(_, drain)| drain.addon.as_deref() == Some(own.as_str()));
    let all = of_addon.map(|(app, drain)| objects::drain(app, drain)).collect();
    Ok(page(all, &["id"], &headers, world.settings.page_size))
}

/// `PUT /addons/{addon}/log-drains/{drain}`, the drain by its id, its URL or its token: moves it to another URL.
pub(super) async fn move_drain(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path((addon, named)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, Problem> {
    let url = url(&body)?;
    let mut world = platform.world();
    let app = world.reachable(&own, &addon)?.app.clone();
    let app = world.apps.get_mut(&app).expect("an app is never forgotten");
    let is_meant = |drain: &Drain| [&drain.id, &drain.token, &drain.url].contains(&&named);
    let place = app.drains.iter().position(|drain| drain.addon.as_ref() == Some(&own) && is_meant(drain));
    let place = place.ok_or_else(|| Problem::not_found("log drain"))?;
    app.drains[place].url = url;
    Ok(json_text(200, objects::drain(app, &app.drains[place]).to_string()))
}

/// `POST /apps/{app}/log-drains`.
pub(super) async fn add_drain(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path(app): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let url = url(&body)?;
    let mut world = platform.world();
    let app = world.reachable_app(&own, &app)?.id.clone();
    let now = world.now;
    let app = world.apps.get_mut(&app).expect("an app is never forgotten");
    let drain = Drain { id: new_uuid(), token: format!("d.{}", new_uuid()), url, addon: None, created_at: now };
    let object = objects::drain(app, &drain);
    app.drains.push(drain);
    Ok(json_text(201, object.to_string()))
}

/// `DELETE /apps/{app}/log-drains/{drain}`.
pub(super) async fn remove_drain(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path((app, named)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    let app = world.reachable_app(&own, &app)?.id.clone();
    let app = world.apps.get_mut(&app).expect("an app is never forgotten");
    let is_meant = |drain: &Drain| drain.addon.is_none() && [&drain.id, &drain.token, &drain.url].contains(&&named);
    let place = app.drains.iter().position(is_meant).ok_or_else(|| Problem::not_found("log drain"))?;
    let drain = app.drains.remove(place);
    Ok(json_text(200, objects::drain(app, &drain).to_string()))
}

fn url(body: &[u8]) -> Result<String, Problem> {
    let url = read(body)?["url"].as_str().map(str::to_owned);
    url.filter(|url| url.contains("://")).ok_or_else(|| Problem::invalid_params("url is the URL of a log drain."))
}
