//! Heroku's provision and single sign-on.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Form, Json, Router};
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Caller, Secrets};

pub(super) fn routes() -> Router<Arc<Secrets>> {
    Router::new().route("/heroku/resources", post(provision)).route("/heroku/resources/sso", post(single_sign_on))
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "all documented fields are parsed, also those that this add-on does not use")]
struct Provision {
    uuid: Uuid,
    name: Option<String>,
    plan: String,
    region: String,
    callback_url: String,
    oauth_grant: Option<Grant>,
    options: Option<Options>,
    log_input_url: Option<String>,
    log_drain_token: Option<String>,
}

type Options = std::collections::HashMap<String, String>;

#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct Grant {
    code: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(with = "heroku_time")]
    expires_at: OffsetDateTime,
}

time::serde::format_description!(
    heroku_time,
    OffsetDateTime,
    "[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory][offset_minute]"
);

#[derive(Serialize)]
struct Provisioned {
    id: Uuid,
    config: Config,
    message: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Config {
    tally_url: String,
    tally_token: &'static str,
}

async fn provision(_: Caller, Json(request): Json<Provision>) -> Json<Provisioned> {
    Json(Provisioned {
        id: request.uuid,
        config: Config {
            tally_url: format!("https://tally.example/counters/{}", request.uuid),
            tally_token: "9b1e7c04d5f24e0fa6d8c3b2a1907f5e",
        },
        message: "Tally is ready.",
    })
}

/// Only the strongest token is verified; Heroku also sends the two older ones.
#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct SingleSignOn {
    resource_id: Uuid,
    resource_token: Option<String>,
    user_scoped_resource_token: String,
    timestamp: String,
    user_id: Uuid,
    email: String,
    app: Option<String>,
    context_app: Option<String>,
    id: Option<String>,
    token: Option<String>,
    #[serde(rename = "nav-data")]
    nav_data: Option<String>,
}

async fn single_sign_on(
    State(secrets): State<Arc<Secrets>>,
    form: Result<Form<SingleSignOn>, FormRejection>,
) -> Result<Response, StatusCode> {
    let Form(form) = form.map_err(|_| StatusCode::FORBIDDEN)?;
    if !form.is_fresh() || !form.is_signed_with(&secrets.salt) {
        return Err(StatusCode::FORBIDDEN);
    }
    let mut headers = HeaderMap::with_capacity(2);
    headers.insert(LOCATION, header(format!("/dashboard/{}", form.resource_id))?);
    if let Some(nav_data) = form.nav_data.filter(|nav_data| is_plain(nav_data)) {
        let cookie = Cookie::build(("heroku-nav-data", nav_data));
        let cookie = cookie.path("/").http_only(true).same_site(SameSite::Lax).secure(true);
        headers.insert(SET_COOKIE, header(cookie.to_string())?);
    }
    Ok((StatusCode::FOUND, headers).into_response())
}

impl SingleSignOn {
    fn is_fresh(&self) -> bool {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        self.timestamp.parse::<i64>().is_ok_and(|then| (-60..=300).contains(&now.saturating_sub(then)))
    }

    fn is_signed_with(&self, salt: &str) -> bool {
        let mut hash = Sha256::new();
        hash.update(self.resource_id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        for part in [":", salt, ":", &self.timestamp, ":"] {
            hash.update(part);
        }
        hash.update(self.user_id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        hash.update(":");
        hash.update(&self.email);
        let mut token = [0; 64];
        hex::encode_to_slice(hash.finalize(), &mut token).is_ok()
            && token.ct_eq(self.user_scoped_resource_token.as_bytes()).into()
    }
}

/// Whether the value is base64url, as Heroku sends it; the field is not signed.
fn is_plain(nav_data: &str) -> bool {
    nav_data.len() <= 2048 && nav_data.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_=-".contains(&byte))
}

fn header(text: String) -> Result<HeaderValue, StatusCode> {
    HeaderValue::try_from(text).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
