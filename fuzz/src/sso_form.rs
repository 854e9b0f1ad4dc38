//! Sign-on forms: a form is accepted only if the strongest token in it is correct.
//!
//! `{user}`, `{resource}` and `{legacy}` in the input stand for the correct tokens of its fields, so that the fuzzer finds
//! forms that are accepted.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::Request;
use futures_util::FutureExt as _;
use maitre_axum::{Head, SingleSignOn as _};
use maitre_axum_heroku::Heroku;
use maitre_core::doctest::Widgets;
use maitre_core::{Addon, SignOn};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

const SALT: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const NOW: i64 = 1_772_000_000;
const SINGLE: [&str; 11] = [
    "resource_id",
    "id",
    "timestamp",
    "user_id",
    "email",
    "user_scoped_resource_token",
    "resource_token",
    "token",
    "app",
    "context_app",
    "nav-data",
];

type Fields = Vec<(String, String)>;

static HEROKU: LazyLock<Heroku> =
    LazyLock::new(|| Heroku::new("lantern", "s3cr3t-example", SALT).expect("credentials"));

/// Checks one form. The first byte selects the settings.
pub fn check(data: &[u8]) {
    let Some((mode, body)) = data.split_first() else { return };
    let (legacy, user_only) = (mode & 1 != 0, mode & 2 != 0);
    let body = with_tokens(body);
    let fields: Fields = form_urlencoded::parse(&body).into_owned().collect();

    let heroku = HEROKU.clone().with_legacy_token(legacy).with_user_scoped_token_only(user_only);
    let addon = Addon::new(heroku, Widgets).with_clock(|| OffsetDateTime::from_unix_timestamp(NOW).expect("a time"));
    let request = Request::post("/resources/sso").body(Bytes::from(body)).expect("a request");
    let request = Head::new(addon, request);
    let found = request.addon().marketplace().sign_on(&request).now_or_never().expect("no waiting");

    match (expected(&fields, legacy, user_only), found) {
        (Some((resource, verified)), Ok(request)) => {
            assert_eq!((request.resource.as_str(), request.identity.is_verified()), (resource, verified));
            check_unsigned(&fields, &request);
        }
        (Some(_), Err(error)) => assert!(is_unusual(&fields), "rejected: {error}"),
        (None, Ok(_)) => panic!("accepted"),
        (None, Err(_)) => {}
    }
}

fn with_tokens(body: &[u8]) -> Vec<u8> {
    let fields: Fields = form_urlencoded::parse(body).into_owned().collect();
    let value = |name| value(&fields, name).unwrap_or_default();
    let mut text = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((first, tail)) = rest.split_first() {
        let token = [("{user}", 0), ("{resource}", 1), ("{legacy}", 2)];
        let token = token.iter().find(|(name, _)| rest.starts_with(name.as_bytes()));
        let Some((name, kind)) = token else {
            text.push(*first);
            rest = tail;
            continue;
        };
        rest = &rest[name.len()..];
        let timestamp = value("timestamp");
        let token = match kind {
            0 => user_token(value("resource_id"), timestamp, value("user_id"), value("email")),
            1 => id_token(value("resource_id"), timestamp),
            _ => id_token(value("id"), timestamp),
        };
        text.extend_from_slice(token.as_bytes());
    }
    text
}

fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
}

fn id_token(id: &str, timestamp: &str) -> String {
    hex::encode(Sha1::digest(format!("{id}:{SALT}:{timestamp}")))
}

fn user_token(resource: &str, timestamp: &str, user: &str, email: &str) -> String {
    hex::encode(Sha256::digest(format!("{resource}:{SALT}:{timestamp}:{user}:{email}")))
}

/// Returns the resource, and whether the identity is verified, if Heroku's rules accept the form.
fn expected(fields: &Fields, legacy: bool, user_only: bool) -> Option<(&str, bool)> {
    if SINGLE.iter().any(|name| fields.iter().filter(|(field, _)| field == name).count() > 1) {
        return None;
    }
    let timestamp = value(fields, "timestamp")?;
    let seconds: i64 = timestamp.parse().ok()?;
    if timestamp.contains(|c: char| !c.is_ascii_digit()) || !(NOW - 300..=NOW + 60).contains(&seconds) {
        return None;
    }
    let get = |name| value(fields, name).unwrap_or_default();
    let resource = get("resource_id");
    if let Some(token) = value(fields, "user_scoped_resource_token") {
        let (user, email) = (get("user_id"), get("email"));
        let complete = !resource.is_empty() && !user.is_empty() && !user.contains(':') && !email.is_empty();
        return (complete && token == user_token(resource, timestamp, user, email)).then_some((resource, true));
    }
    let (token, id, allowed) = match value(fields, "resource_token") {
        Some(token) => (token, resource, !user_only),
        None => (value(fields, "token")?, get("id"), legacy && !user_only),
    };
    (allowed && !id.is_empty() && token == id_token(id, timestamp)).then_some((id, false))
}

/// Checks that no field is lost, and that the token does not reach the listener.
fn check_unsigned(fields: &Fields, request: &SignOn) {
    assert_eq!(request.app.as_deref(), value(fields, "app"));
    assert_eq!(request.nav_data.as_deref(), value(fields, "nav-data"));
    let known = SINGLE.iter().copied();
    let others: BTreeSet<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    let others: BTreeSet<&str> = others.difference(&known.collect()).copied().collect();
    assert_eq!(request.extra.keys().map(String::as_str).collect::<BTreeSet<_>>(), others);
    for (name, value) in &request.extra {
        assert!(fields.contains(&(name.clone(), value.clone())));
    }
}

/// Whether a correctly signed form may still be rejected, for its control characters or its length.
fn is_unusual(fields: &Fields) -> bool {
    fields.iter().any(|(name, value)| name.len() + value.len() > 200 || value.contains(char::is_control))
}
