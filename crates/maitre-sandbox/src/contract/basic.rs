//! Parts that marketplaces with Basic credentials and a config in the response share.

use std::collections::BTreeMap;

use maitre_testkit::{Call, Reply, SignOn, SignedForm, platform::Install};
use serde_json::{Value, json};

use super::{
    credentials::Credentials,
    definition::{SignOnForm, Visit},
    fields::json_of,
    merge::merge_config,
};

/// Records a provision, and the config vars of the response under the names that `name` returns.
pub(super) fn record_provision(install: &Install, reply: &Reply, name: impl Fn(&str) -> Option<String>) {
    let body = json_of(reply);
    install.record_provision_as(reply.status(), &json!({ "id": body["id"], "message": body["message"] }));
    if reply.status() != 202 {
        update_config(install, &body, name);
    }
}

/// Records a plan change like a provision.
pub(super) fn record_plan_change(install: &Install, plan: &str, reply: &Reply, name: impl Fn(&str) -> Option<String>) {
    let body = json_of(reply);
    install.record_plan_change_as(plan, reply.status(), &json!({ "message": body["message"] }));
    if (200..300).contains(&reply.status()) {
        update_config(install, &body, name);
    }
}

/// Merges the config vars of a response.
fn update_config(install: &Install, body: &Value, name: impl Fn(&str) -> Option<String>) {
    let values = body["config"].as_object().into_iter().flatten();
    let values = values.filter_map(|(known, value)| Some((name(known)?, value.as_str()?.to_owned())));
    merge_config(install, values.collect());
}

/// Signs a form for a user.
pub(super) fn sign_on(call: Call<SignOn<SignedForm>>, path: &str, visit: &Visit) -> SignOnForm {
    let call = call.user_id(visit.user_id.as_str()).email(visit.email.as_str()).at(visit.at);
    SignOnForm::of(&call.path(path))
}

/// Returns origin and path of single sign-on; defaults to `/sso` at the root.
pub(super) fn sso_of(credentials: &Credentials) -> (String, String) {
    match credentials.sso_parts() {
        Some((origin, path)) => (origin.to_owned(), path.to_owned()),
        None => (credentials.root.clone(), "/sso".to_owned()),
    }
}

/// Returns a visit of the user of a recorded form.
pub(super) fn visit(fields: &BTreeMap<String, String>, email: &str, at: time::OffsetDateTime) -> Visit {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    Visit { at, user_id: field("user_id"), email: field(email), context_app: None, nav_data: String::new() }
}
