//! Single sign-on and the dashboard.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use maitre_testkit::sign;

use super::{Fault, PASSWORD, SALT, SampleAddon, Unread, internal_error, read, refusal};

type Form = HashMap<String, String>;

const FIELDS: [&str; 11] = [
    "resource_id",
    "resource_token",
    "user_scoped_resource_token",
    "timestamp",
    "user_id",
    "email",
    "app",
    "context_app",
    "id",
    "token",
    "nav-data",
];

const DASHBOARD: &str = "/dashboard";

pub(super) async fn sign_on(addon: SampleAddon, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if addon.is(Fault::SignOnIsGuarded)
        && let Some(refusal) = addon.refuses(&parts.headers)
    {
        return refusal;
    }
    let bytes = match read(&addon, body).await {
        Ok(bytes) => bytes,
        Err(Unread::TooLong) => return refusal(413, "The form is too large."),
        Err(_) => return refusal(400, "Invalid form."),
    };
    if addon.is(Fault::OddFormIs500) && std::str::from_utf8(&bytes).is_err() {
        return internal_error();
    }
    let bytes = if addon.is(Fault::FormIsNotParsed) { Vec::new() } else { bytes };
    let mut form: Form = form_urlencoded::parse(&bytes).into_owned().collect();
    if addon.is(Fault::FormInTheQuery) {
        let query = parts.uri.query().unwrap_or_default();
        form.extend(form_urlencoded::parse(query.as_bytes()).into_owned());
    }
    answer(&addon, &form, &parts.headers)
}

/// Single sign-on of version 1, with the id in the path and the other fields in the query.
pub(super) fn sign_on_by_get(addon: &SampleAddon, id: String, request: &Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let mut form: Form = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    form.insert("id".to_owned(), id);
    answer(addon, &form, request.headers())
}

fn answer(addon: &SampleAddon, form: &Form, headers: &HeaderMap) -> Response {
    match verify(addon, form) {
        Ok(resource) => open_session(addon, form, headers, resource),
        Err(Refusal::Crash) => internal_error(),
        Err(Refusal::Unknown) => page(StatusCode::NOT_FOUND, "Resource not found."),
        Err(Refusal::Forbidden) => forbidden(addon, form),
    }
}

enum Refusal {
    Forbidden,
    Unknown,
    Crash,
}

fn forbidden(addon: &SampleAddon, form: &Form) -> Response {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    match addon.fault {
        Fault::RedirectsTheRefused => (StatusCode::FOUND, [("location", "/")]).into_response(),
        Fault::EchoesExpectedToken => {
            let right = sign::resource_token(field("resource_id"), SALT, field("timestamp"));
            page(StatusCode::FORBIDDEN, &format!("The token is not {right}."))
        }
        Fault::SessionForAll => {
            let mut response = page(StatusCode::FORBIDDEN, "Please go back and try again.");
            let session = addon.unique();
            addon.store().sessions.insert(session.clone(), field("resource_id").to_owned());
            response.headers_mut().append("set-cookie", cookie(addon, &session));
            response
        }
        _ => page(StatusCode::FORBIDDEN, "Please go back and try again."),
    }
}

fn page(status: StatusCode, text: &str) -> Response {
    (status, [("content-type", "text/html")], format!("<!DOCTYPE html><title>Lantern</title><p>{text}")).into_response()
}

/// Verifies the form and returns the uuid of the resource.
fn verify(addon: &SampleAddon, form: &Form) -> Result<String, Refusal> {
    if addon.is(Fault::KnownFieldsOfTheForm) && form.keys().any(|name| !FIELDS.contains(&name.as_str())) {
        return Err(Refusal::Forbidden);
    }
    let timestamp = match form.get("timestamp") {
        Some(timestamp) => timestamp.as_str(),
        None if addon.is(Fault::NoTimestampIs500) => return Err(Refusal::Crash),
        None => return Err(Refusal::Forbidden),
    };
    check_age(addon, timestamp)?;
    let name = ["resource_id", "id"].into_iter().find_map(|field| form.get(field)).ok_or(Refusal::Forbidden)?;
    let resource = addon.store().find(name).cloned();
    let (uuid, id) = resource.as_ref().map_or((name, name), |resource| (&resource.uuid, &resource.id));
    let decider = verify_token(addon, form, uuid, id, timestamp)?;
    use_once(addon, &decider, form, uuid, id, timestamp)?;
    match resource {
        Some(resource) if resource.removed && !addon.is(Fault::RemovedLetsIn) => Err(Refusal::Unknown),
        None if !addon.is(Fault::UnknownLetsIn) => Err(Refusal::Unknown),
        _ => Ok(uuid.clone()),
    }
}

fn now() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp()
}

fn check_age(addon: &SampleAddon, timestamp: &str) -> Result<(), Refusal> {
    let digits = match addon.fault {
        Fault::JunkBehind => &timestamp[..timestamp.find(|c: char| !c.is_ascii_digit()).unwrap_or(timestamp.len())],
        _ => timestamp,
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let made: i64 = match digits.parse() {
        Ok(made) if plain => made,
        _ if addon.is(Fault::NoNumberIs500) => return Err(Refusal::Crash),
        _ if addon.is(Fault::NoNumberIsNow) && !timestamp.is_empty() => now(),
        _ => return Err(Refusal::Forbidden),
    };
    let age = now().saturating_sub(made);
    let year = 31_536_000;
    let (oldest, ahead) = match addon.fault {
        Fault::NoAge => (i64::MAX, 60),
        Fault::NarrowWindow => (30, 60),
        Fault::NoSkew => (300, 0),
        Fault::FutureLetsIn => (300, i64::MAX),
        Fault::FarFutureLetsIn if age < -year => return Ok(()),
        _ => (300, 60),
    };
    let age = if addon.is(Fault::AgeWithinADay) && age > 0 { age % 86_400 } else { age };
    if age <= oldest && age >= -ahead { Ok(()) } else { Err(Refusal::Forbidden) }
}

/// Returns the valid token that decides.
fn verify_token(addon: &SampleAddon, form: &Form, uuid: &str, id: &str, timestamp: &str) -> Result<String, Refusal> {
    let strongest = ["user_scoped_resource_token", "resource_token", "token"];
    let is_usual_user = form.get("user_id").is_some_and(|user| user.starts_with("c4b1f2d0"));
    let kinds = match addon.fault {
        Fault::NoUserScoped => &strongest[1..],
        Fault::EmailIsNotCovered if form.contains_key("resource_token") => &strongest[1..],
        Fault::UserIsNotCovered if !is_usual_user => &strongest[1..],
        Fault::NoVersion1 => &strongest[..2],
        _ => &strongest[..],
    };
    let mut sent = kinds.iter().filter_map(|kind| Some((*kind, form.get(*kind)?.as_str())));
    let Some((kind, token)) = sent.next() else {
        return if addon.is(Fault::NoTokenLetsIn) { Ok(addon.unique()) } else { Err(Refusal::Forbidden) };
    };
    if addon.is(Fault::NoResourceToken) && kind == "resource_token" {
        return Err(Refusal::Forbidden);
    }
    if is_right(addon, form, kind, token, uuid, id, timestamp) {
        return Ok(token.to_owned());
    }
    match addon.fault {
        Fault::AnyToken | Fault::AnyTokenByGet => Ok(addon.unique()),
        Fault::FallsBack => match sent.next() {
            Some((kind, token)) if is_right(addon, form, kind, token, uuid, id, timestamp) => Ok(token.to_owned()),
            _ => Err(Refusal::Forbidden),
        },
        _ => Err(Refusal::Forbidden),
    }
}

fn is_right(addon: &SampleAddon, form: &Form, kind: &str, token: &str, uuid: &str, id: &str, timestamp: &str) -> bool {
    let expected = |uuid: &str, id: &str, salt: &str, timestamp: &str| {
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let email = field("email");
        let email = if addon.is(Fault::PlusIsASpace) { email.replace('+', " ") } else { email.to_owned() };
        match kind {
            "user_scoped_resource_token" => {
                sign::user_scoped_resource_token(uuid, salt, timestamp, field("user_id"), &email)
            }
            "resource_token" => sign::resource_token(uuid, salt, timestamp),
            _ => sign::token(id, salt, timestamp),
        }
    };
    let clock = now().to_string();
    let right = expected(uuid, id, SALT, if addon.is(Fault::OwnClock) { &clock } else { timestamp });
    if token == right {
        return true;
    }
    match addon.fault {
        Fault::EmptyTokenLetsIn => token.is_empty(),
        Fault::BeginningOfToken => !token.is_empty() && right.starts_with(token),
        Fault::EmptySalt => token == expected(uuid, id, "", timestamp),
        Fault::PasswordIsASalt => token == expected(uuid, id, PASSWORD, timestamp),
        Fault::TokenOfAny => {
            let resources = addon.store().resources.clone();
            resources.iter().any(|resource| token == expected(&resource.uuid, &resource.id, SALT, timestamp))
        }
        Fault::TimeIsNotSigned => (0..300).any(|back| token == expected(uuid, id, SALT, &(now() - back).to_string())),
        _ => false,
    }
}

/// Marks the token as used, together with the weaker ones of the same timestamp.
fn use_once(
    addon: &SampleAddon,
    decider: &str,
    form: &Form,
    uuid: &str,
    id: &str,
    timestamp: &str,
) -> Result<(), Refusal> {
    let mut store = addon.store();
    if addon.is(Fault::ReplayLater) {
        store.used.retain(|_, used| used.elapsed() < Duration::from_mins(1));
    }
    if store.used.insert(decider.to_owned(), Instant::now()).is_some() && !addon.is(Fault::Replay) {
        return Err(Refusal::Forbidden);
    }
    if form.get("user_scoped_resource_token").is_some_and(|token| token == decider) && !addon.is(Fault::ReplayStripped)
    {
        store.used.insert(sign::resource_token(uuid, SALT, timestamp), Instant::now());
        store.used.insert(sign::token(id, SALT, timestamp), Instant::now());
    }
    Ok(())
}

fn open_session(addon: &SampleAddon, form: &Form, headers: &HeaderMap, resource: String) -> Response {
    let existing = session_of(headers);
    let session = match existing {
        Some(existing) if addon.is(Fault::KeepsSession) => existing,
        _ => addon.unique(),
    };
    if !addon.is(Fault::LostSession) {
        addon.store().sessions.insert(session.clone(), resource);
    }
    let return_to = form.get("return_to").map(String::as_str);
    let token = form.get("user_scoped_resource_token").cloned().unwrap_or_default();
    let location = match (addon.fault, return_to) {
        (Fault::OpenRedirect, Some(url)) => url.to_owned(),
        (Fault::BackslashRedirect, Some(url)) if url.starts_with('/') && !url.starts_with("//") => url.to_owned(),
        (Fault::TokenInRedirect, _) => format!("{DASHBOARD}?token={token}"),
        _ => DASHBOARD.to_owned(),
    };
    let mut response = (StatusCode::FOUND, [("location", location)]).into_response();
    response.headers_mut().append("set-cookie", cookie(addon, &session));
    nav_data(addon, form, response.headers_mut());
    response
}

fn cookie(addon: &SampleAddon, session: &str) -> HeaderValue {
    let attributes = match addon.fault {
        Fault::ScriptCookie => "Path=/; SameSite=Lax",
        Fault::StrictCookie => "Path=/; HttpOnly; SameSite=Strict",
        _ => "Path=/; HttpOnly; SameSite=Lax",
    };
    format!("lantern={session}; {attributes}").parse().unwrap()
}

fn nav_data(addon: &SampleAddon, form: &Form, headers: &mut HeaderMap) {
    let Some(sent) = form.get("nav-data") else { return };
    let mut lines = sent.split("\r\n");
    if addon.is(Fault::HeaderInjection) {
        for (name, value) in lines.by_ref().skip(1).filter_map(|line| line.split_once(": ")) {
            headers.append(axum::http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
    } else if sent.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte)) {
        let path = if addon.is(Fault::NavDataHere) { "" } else { "; Path=/" };
        headers.append("set-cookie", format!("heroku-nav-data={sent}{path}; HttpOnly; SameSite=Lax").parse().unwrap());
    }
}

fn session_of(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get("cookie")?.to_str().ok()?;
    cookies.split("; ").find_map(|cookie| cookie.strip_prefix("lantern=")).map(ToOwned::to_owned)
}

pub(super) fn dashboard(addon: &SampleAddon, request: &Request) -> Response {
    let mut store = addon.store();
    let resource = session_of(request.headers()).and_then(|session| store.sessions.get(&session).cloned());
    let Some(resource) = resource else { return page(StatusCode::FORBIDDEN, "You are not signed in.") };
    let is_gone = store.find(&resource).is_none_or(|resource| resource.removed);
    if is_gone && !matches!(addon.fault, Fault::UnknownLetsIn | Fault::RemovedLetsIn) {
        return page(StatusCode::FORBIDDEN, "You are not signed in.");
    }
    if addon.is(Fault::DashboardIs500) {
        return internal_error();
    }
    page(StatusCode::OK, "Your resource is ready.")
}
