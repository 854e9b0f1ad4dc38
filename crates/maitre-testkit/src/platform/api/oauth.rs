//! Handlers of the two token endpoints and of replacement grants.

use std::collections::HashMap;

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use serde_json::{Value, json};

use super::{
    super::state::{shared::SharedState, tokens::NewTokens, violation::Rule},
    auth::is_vendor,
    exchange_id::ExchangeId,
    problem::{Problem, json_text},
};
use crate::generate::new_uuid;

/// Request to either token endpoint.
enum TokenRequest {
    Exchange { code: String },
    Refresh { token: String },
}

/// `POST /oauth/token` (Heroku's article on OAuth), with a form. Fields in the query are accepted too, because
/// Heroku's sample add-on sends them there.
pub(crate) async fn form(
    State(state): State<SharedState>,
    Extension(exchange): Extension<ExchangeId>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    if !query.is_empty() {
        let message = format!("{} sent its fields in the query", exchange.line);
        state.lock().record_general_violation(Rule::SecretInQuery, message);
    }
    let fields = [query.as_bytes(), &body].into_iter().flat_map(|text| form_urlencoded::parse(text).into_owned());
    let mut fields: HashMap<String, String> = fields.collect();
    let mut field = |name: &str| {
        let missing = || Problem::bad_request(format!("The field {name} is missing."));
        fields.remove(name).filter(|value| !value.is_empty()).ok_or_else(missing)
    };
    let secret = field("client_secret")?;
    let request = match field("grant_type")?.as_str() {
        "authorization_code" => TokenRequest::Exchange { code: field("code")? },
        "refresh_token" => TokenRequest::Refresh { token: field("refresh_token")? },
        other => return Err(Problem::bad_request(format!("The grant_type {other} is not supported."))),
    };
    let (status, tokens) = issue(&state, &exchange, &secret, &request)?;
    Ok(json_text(status, flat_body(&tokens).to_string()))
}

/// `POST /oauth/tokens` of the Platform API, with JSON bodies.
pub(crate) async fn nested(
    State(state): State<SharedState>,
    Extension(exchange): Extension<ExchangeId>,
    body: Bytes,
) -> Result<Response, Problem> {
    let body: Value = serde_json::from_slice(&body).map_err(|error| Problem::bad_request(error.to_string()))?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let missing = |what: &str| Problem::invalid_params(format!("{what} is missing."));
    let secret = text("/client/secret").ok_or_else(|| missing("client.secret"))?;
    let request = match text("/grant/type").as_deref() {
        Some("authorization_code") => {
            TokenRequest::Exchange { code: text("/grant/code").ok_or_else(|| missing("grant.code"))? }
        }
        Some("refresh_token") => {
            TokenRequest::Refresh { token: text("/refresh_token/token").ok_or_else(|| missing("refresh_token.token"))? }
        }
        _ => return Err(missing("grant.type")),
    };
    let (_, tokens) = issue(&state, &exchange, &secret, &request)?;
    let refresh_token = tokens.refresh_token.map(|token| json!({ "id": new_uuid(), "token": token }));
    let body = json!({
        "access_token": { "expires_in": tokens.expires_in, "id": new_uuid(), "token": tokens.access_token },
        "grant": null,
        "id": new_uuid(),
        "refresh_token": refresh_token,
        "user": { "id": tokens.user_id },
    });
    Ok(json_text(201, body.to_string()))
}

fn issue(
    state: &SharedState,
    exchange: &ExchangeId,
    secret: &str,
    request: &TokenRequest,
) -> Result<(u16, NewTokens), Problem> {
    let mut state = state.lock();
    let owner = match request {
        TokenRequest::Exchange { code } => state.grant_owner(code),
        TokenRequest::Refresh { token } => state.refresh_token_owner(token),
    };
    if let Some(uuid) = owner.map(str::to_owned) {
        state.record_call(&uuid, exchange.number, &exchange.line)?;
    }
    if secret != state.service.client_secret {
        return Err(Problem::unauthorized());
    }
    Ok(match request {
        TokenRequest::Exchange { code } => (state.settings.exchange_status, state.exchange(code, exchange.number)?),
        TokenRequest::Refresh { token } => (state.settings.refresh_status, state.refresh(token)?),
    })
}

fn flat_body(tokens: &NewTokens) -> Value {
    let mut body = json!({
        "access_token": tokens.access_token,
        "session_nonce": null,
        "token_type": "Bearer",
        "user_id": tokens.user_id,
    });
    if let Some(token) = &tokens.refresh_token {
        body["refresh_token"] = json!(token);
    }
    if let Some(seconds) = tokens.expires_in {
        body["expires_in"] = json!(seconds);
    }
    body
}

/// `GET /vendor/resources/{uuid}/oauth-grant`, with the add-on's Basic credentials: returns a replacement for a lost
/// grant.
pub(crate) async fn backfill(
    State(state): State<SharedState>,
    Extension(exchange): Extension<ExchangeId>,
    Path(uuid): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut state = state.lock();
    if !is_vendor(&headers, &state) {
        return Err(Problem::unauthorized());
    }
    if !state.settings.grant_backfill {
        return Err(Problem::forbidden("grants of this add-on"));
    }
    if !state.addons.contains_key(&uuid) {
        return Err(Problem::not_found("add-on"));
    }
    state.record_call(&uuid, exchange.number, &exchange.line).map_err(|_| Problem::not_found("add-on"))?;
    Ok(json_text(200, state.grant(&uuid).json().to_string()))
}
