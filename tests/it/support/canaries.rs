//! Requests with a canary in every field that may contain a secret: the canary must not be found anywhere afterwards.

use maitre_testkit::heroku::{LaunchForm, PlanChange, Provision};
use maitre_testkit::{Call, Heroku, Request, SignOn};
use serde_json::json;

pub(crate) fn provision(heroku: &Heroku, uuid: &str, plan: &str) -> Call<Provision> {
    heroku
        .provision(plan)
        .uuid(uuid)
        .set("callback_url", "https://api.heroku.com/addons/canary-callback")
        .set(
            "oauth_grant",
            json!({ "code": "canary-grant", "type": "authorization_code", "expires_at": "canary-soon" }),
        )
        .set("options", json!({ "canary-option": "canary-option-value" }))
        .set("log_input_url", "https://token:t.canary@1.us.logplex.io/canary-logs")
        .set("log_drain_token", "d.canary-drain")
        .set("heroku_id", "canary-tenant@heroku.com")
        .set("logplex_token", "t.canary-logplex")
        .set("canary-unknown", json!({ "canary-inner": ["canary-unknown-value"] }))
        .header("cookie", "id=canary-cookie; other=canary-cookie")
        .header("x-api-key", "canary-header")
}

pub(crate) fn plan_change(heroku: &Heroku, id: &str, plan: &str) -> Call<PlanChange> {
    heroku.plan_change(id, plan).set("canary-unknown", "canary").set("heroku_id", "canary")
}

pub(crate) fn form(heroku: &Heroku, uuid: &str) -> Call<SignOn<LaunchForm>> {
    heroku
        .single_sign_on(uuid)
        .email("canary-mail+ops@example.org")
        .user_id("canary-user")
        .set("app", "canary-app")
        .set("nav-data", "canary-nav-data")
        .set("canary-action", "canary-action-value")
        .header("cookie", "id=canary-cookie")
}

/// Returns tokens and encoded credentials of a request.
pub(crate) fn computed(call: &Request) -> Vec<String> {
    let authorization = call.header("authorization").map(|value| value.replace("Basic ", ""));
    let body = String::from_utf8_lossy(call.body()).into_owned();
    let query = call.url().split_once('?').map_or("", |(_, query)| query).to_owned();
    let fields = body.split('&').chain(query.split('&')).filter_map(|field| field.split_once('='));
    let tokens =
        fields.filter(|(name, _)| name.ends_with("token") || *name == "nav-data").map(|(_, value)| value.to_owned());
    tokens.chain(authorization).filter(|secret| secret.len() > 8).collect()
}
