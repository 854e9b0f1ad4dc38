//! Single sign-on of the sample add-on.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::HeaderValue;
use axum::response::{IntoResponse as _, Response};
use maitre_conformance::Marketplace;
use maitre_testkit::sign;

use super::fault::Fault;
use super::{Call, SALT, SampleMarket, status};

/// Fields of a form.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }
}

pub(super) fn handle(addon: &SampleMarket, path: &str, call: &Call) -> Response {
    if path == "/dashboard" {
        let cookie = call.headers.get("cookie").and_then(|value| value.to_str().ok()).unwrap_or_default();
        return if cookie.contains("session=") { "The dashboard".into_response() } else { status(401) };
    }
    let method = if addon.is_scalingo() { "GET" } else { "POST" };
    if call.method != method {
        return status(405);
    }
    let in_query = addon.is_scalingo() || (addon.is(Fault::FormInQuery) && !call.query.is_empty());
    let source = if in_query { call.query.as_bytes() } else { &call.body };
    let fields =
        Fields(form_urlencoded::parse(source).map(|(name, value)| (name.into_owned(), value.into_owned())).collect());
    let mut response = match verify(addon, &fields) {
        Ok(()) if addon.is(Fault::OpenRedirect) => {
            axum::response::Redirect::to(fields.get("next").unwrap_or("/dashboard")).into_response()
        }
        Ok(()) if addon.is(Fault::SignOnIs200) => "The dashboard".into_response(),
        Ok(()) => axum::response::Redirect::to("/dashboard").into_response(),
        Err(code) => status(code),
    };
    let is_open = response.status().as_u16() < 400 || addon.is(Fault::SessionBeforeToken);
    let has_session = call.headers.contains_key("cookie");
    if is_open && !(has_session && addon.is(Fault::KeepsSession)) {
        let attributes = if addon.is(Fault::CookieForScripts) { "Path=/" } else { "Path=/; HttpOnly" };
        let cookie = HeaderValue::from_str(&format!("session=1; {attributes}")).unwrap();
        response.headers_mut().insert("set-cookie", cookie);
    }
    if !addon.is(Fault::NoReferrerPolicy) {
        response.headers_mut().insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    }
    response
}

/// Returns the status of a refusal.
fn verify(addon: &SampleMarket, fields: &Fields) -> Result<(), u16> {
    let refused = if addon.is_digitalocean() { 401 } else { 403 };
    let id_field = if addon.is_digitalocean() { "resource_uuid" } else { "id" };
    let Some(id) = fields.get(id_field) else {
        return Err(if addon.is(Fault::SignOnWithoutResourceIs500) { 500 } else { refused });
    };
    let Some(timestamp) = fields.get("timestamp") else {
        return Err(if addon.is(Fault::NoTimestampIs500) { 500 } else { refused });
    };
    if addon.is(Fault::RefusesTokens) || (addon.is(Fault::SignOnDeniesUnknownFields) && fields.get("action").is_some())
    {
        return Err(refused);
    }
    if addon.is(Fault::NavDataRequired) && fields.get("nav-data").is_none() {
        return Err(refused);
    }
    let token_field = if addon.marketplace == Marketplace::CleverCloud { "signature" } else { "token" };
    if !has_valid_token(addon, fields, id, timestamp, fields.get(token_field)) {
        return Err(refused);
    }
    let Some(seconds) = seconds(addon, timestamp) else {
        return Err(if addon.is(Fault::NoNumberIs500) { 500 } else { refused });
    };
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    if !is_in_window(addon, now - seconds) {
        return Err(refused);
    }
    let (is_known, is_removed) = {
        let mut store = addon.store();
        (store.find(id).is_some(), store.removed.contains(id))
    };
    let is_allowed = match addon.fault {
        Fault::UnknownResourceSignsOn => is_known || !is_removed,
        Fault::RemovedResourceSignsOn => is_known || is_removed,
        _ => is_known,
    };
    if !is_allowed {
        return Err(404);
    }
    let is_unused = addon.store().used_tokens.insert(format!("{id} {timestamp}"));
    if is_unused || addon.is(Fault::ManyUses) { Ok(()) } else { Err(refused) }
}

fn has_valid_token(addon: &SampleMarket, fields: &Fields, id: &str, timestamp: &str, token: Option<&str>) -> bool {
    if addon.is(Fault::LegacyToken) && token.is_none() {
        let legacy = if addon.is_digitalocean() { "resource_token" } else { "token" };
        return fields.text(legacy) == sign::token(id, SALT, timestamp);
    }
    if addon.is(Fault::LegacyDecides)
        && let Some(legacy) = fields.get("token")
    {
        return legacy == sign::token(id, SALT, timestamp);
    }
    let Some(token) = token else { return addon.is(Fault::NoTokenNeeded) };
    if token.is_empty() {
        return addon.is(Fault::EmptyToken);
    }
    let token = if addon.is(Fault::LowercaseOnly) { token.to_owned() } else { token.to_ascii_lowercase() };
    let expected = |id: &str, salt: &str, timestamp: &str| expected(addon, fields, id, salt, timestamp);
    let right = expected(id, SALT, timestamp);
    match addon.fault {
        Fault::AnyToken => true,
        Fault::PartOfToken => right.starts_with(&token),
        Fault::EmptySalt => token == right || token == expected(id, "", timestamp),
        Fault::OtherOrder => token == right || token == sign::digitalocean(timestamp, SALT, id),
        Fault::ResourceUnsigned => {
            let ids: Vec<_> = addon.store().resources.iter().map(|resource| resource.id.clone()).collect();
            token == right || ids.iter().any(|other| token == expected(other, SALT, timestamp))
        }
        Fault::TimeUnsigned => {
            let unit = if timestamp.len() > 11 { 1_000 } else { 1 };
            let at = timestamp.parse::<i64>().unwrap_or_default();
            (-100..=100).any(|offset| token == expected(id, SALT, &(at + offset * unit).to_string()))
        }
        _ => token == right,
    }
}

fn expected(addon: &SampleMarket, fields: &Fields, id: &str, salt: &str, timestamp: &str) -> String {
    match addon.marketplace {
        Marketplace::DigitalOcean => sign::digitalocean(id, salt, timestamp),
        Marketplace::CleverCloud => {
            let email = if addon.is(Fault::EmailUnsigned) { "ada+ops@example.org" } else { fields.text("email") };
            let user = if addon.is(Fault::UserUnsigned) {
                "user_11111111-2222-3333-4444-555555555555"
            } else {
                fields.text("user_id")
            };
            let nav_data = if addon.is(Fault::NavDataUnsigned) { "" } else { fields.text("nav-data") };
            sign::clever_cloud(id, user, email, nav_data, salt, timestamp)
        }
        _ => sign::token(id, salt, timestamp),
    }
}

/// Reads a timestamp.
fn seconds(addon: &SampleMarket, timestamp: &str) -> Option<i64> {
    let digits: String = timestamp.chars().take_while(char::is_ascii_digit).collect();
    let text = if addon.is(Fault::ParsesPrefix) { &digits } else { timestamp };
    let number = text.parse::<i64>().ok().filter(|number| *number >= 0)?;
    let is_long = number >= 100_000_000_000;
    match addon.fault {
        Fault::OnlySeconds => Some(number),
        Fault::OnlyMilliseconds => Some(number / 1_000),
        _ if is_long && addon.marketplace == Marketplace::CleverCloud => Some(number / 1_000),
        _ => Some(number),
    }
}

fn is_in_window(addon: &SampleMarket, age: i64) -> bool {
    let max_age = if addon.is_digitalocean() { 120 } else { 300 };
    let max_age = match addon.fault {
        Fault::ExpiresLate => 7_000,
        Fault::OldLinks => 3_000,
        Fault::NeverExpires => i64::MAX,
        Fault::ExpiresEarly => 30,
        _ => max_age,
    };
    let max_ahead = match addon.fault {
        Fault::NoClockSkew => 0,
        Fault::TwoHoursAhead => 7_200,
        Fault::AnyFuture => i64::MAX,
        _ => 60,
    };
    age <= max_age && -age <= max_ahead
}
