//! The provision of Vercel.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use axum_extra::TypedHeader;
use headers::Authorization;
use headers::authorization::Bearer;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use maitre_bench_support::requests::OSB_PLANS;
use maitre_bench_support::vercel::{INTEGRATION, KID, MODULUS, NOW, PRODUCT};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

const ISSUER: &str = "https://marketplace.vercel.com";

/// Tolerance for clocks that differ, in seconds.
const LEEWAY: i64 = 60;

/// Verifies tokens with cached keys.
struct Verifier {
    keys: RwLock<HashMap<String, Arc<DecodingKey>>>,
    validation: Validation,
    now: fn() -> i64,
}

pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let key = DecodingKey::from_rsa_components(MODULUS, "AQAB").map(Arc::new);
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[INTEGRATION]);
    // compared with a clock of this server below
    validation.validate_exp = false;
    let keys = RwLock::new(key.into_iter().map(|key| (KID.to_owned(), key)).collect());
    let verifier = Arc::new(Verifier { keys, validation, now: || NOW });
    Router::new().route("/vercel/v1/installations/{installation}/resources", post(provision)).with_state(verifier)
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "all documented claims are parsed, also those that this add-on does not use")]
struct Claims {
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    #[serde(rename = "type")]
    token_type: Option<String>,
    sub: Option<String>,
    account_id: Option<String>,
    installation_id: Option<String>,
    user_id: Option<String>,
    user_role: Option<String>,
    user_email: Option<String>,
    user_name: Option<String>,
}

impl Verifier {
    fn verify(&self, token: &str) -> Option<Claims> {
        let header = decode_header(token).ok().filter(|header| header.alg == Algorithm::RS256)?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(&header.kid?).cloned()?;
        drop(keys);
        let claims = decode::<Claims>(token, &key, &self.validation).ok()?.claims;
        let now = (self.now)();
        let is_current = now <= claims.exp.saturating_add(LEEWAY)
            && claims.nbf.is_none_or(|begin| now >= begin.saturating_sub(LEEWAY));
        let is_access = claims.token_type.as_deref().is_none_or(|kind| kind == "access_token");
        (is_current && is_access).then_some(claims)
    }
}

/// An administrator, authenticated before the body is read.
struct Administrator {
    installation: Option<String>,
}

impl FromRequestParts<Arc<Verifier>> for Administrator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, verifier: &Arc<Verifier>) -> Result<Self, Response> {
        let sent = TypedHeader::<Authorization<Bearer>>::from_request_parts(parts, verifier).await;
        let claims = sent.ok().and_then(|TypedHeader(Authorization(sent))| verifier.verify(sent.token()));
        let claims = claims.ok_or_else(forbidden)?;
        let is_user = claims.sub.as_deref().is_some_and(|sub| sub.contains(":user:")) && claims.user_id.is_some();
        if !is_user || claims.user_role.as_deref() != Some("ADMIN") {
            return Err(forbidden());
        }
        Ok(Self { installation: claims.installation_id })
    }
}

fn forbidden() -> Response {
    let message = "The token is missing or not valid for this request.";
    let body = json!({ "error": { "code": "forbidden", "message": message } });
    (StatusCode::FORBIDDEN, Json(body)).into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "all documented fields are parsed, also those that this add-on does not use")]
struct Provision {
    product_id: String,
    name: String,
    metadata: Map<String, Value>,
    billing_plan_id: String,
    external_id: Option<String>,
    protocol_settings: Option<Map<String, Value>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    id: String,
    product_id: String,
    name: String,
    metadata: Map<String, Value>,
    status: &'static str,
    billing_plan: Plan,
    secrets: [Secret; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    id: String,
    r#type: &'static str,
    name: String,
    description: &'static str,
    scope: &'static str,
    payment_method_required: bool,
}

#[derive(Serialize)]
struct Secret {
    name: &'static str,
    value: String,
}

async fn provision(
    caller: Administrator,
    Path(installation): Path<String>,
    Json(request): Json<Provision>,
) -> Response {
    if caller.installation.as_deref() != Some(installation.as_str()) {
        return forbidden();
    }
    let Provision { product_id, name, metadata, billing_plan_id: plan, .. } = request;
    if product_id != PRODUCT || !OSB_PLANS.contains(&plan.as_str()) {
        let body = json!({ "error": { "code": "validation_error", "message": "This plan does not exist." } });
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    let secret = |name, value: &str| Secret { name, value: value.to_owned() };
    let url = format!("https://tally.example/counters/{name}");
    Json(Resource {
        id: name.clone(),
        product_id,
        name,
        metadata,
        status: "ready",
        billing_plan: Plan {
            id: plan.clone(),
            r#type: "subscription",
            name: plan,
            description: "Counters for a team",
            scope: "resource",
            payment_method_required: false,
        },
        secrets: [secret("TALLY_URL", &url), secret("TALLY_TOKEN", "9b1e7c04d5f24e0fa6d8c3b2a1907f5e")],
    })
    .into_response()
}
