//! Clever Cloud's API: `addon_id`, and single sign-on with a SHA-512 over resource and user.

use maitre::{CleverCloud, CleverCloudProvision};
use serde_json::{Value, json};

use crate::support::{RawApp, RawReply};

const ADDON_ID: &str = "addon_2f6d0000-aaaa-4bbb-8ccc-000000000001";
const FORM: &str = "id=res_42&timestamp=1700000000000&nav-data=&email=ada%40example.test\
    &user_id=user_11111111-2222-3333-4444-555555555555\
    &signature=9314c44dd5ea9305aecce39c7cbdb699778512e520e992e30426226f82ef01dbad3a75928900eacd82d8be696c9c66dc07a4efd71817df2ce\
    be6bf70cfeacc11";

async fn app() -> RawApp {
    RawApp::start(
        CleverCloud::new("quince", RawApp::PASSWORD, "plum-salt").expect("credentials"),
        "/clevercloud",
        1_700_000_300,
        maitre::clevercloud,
    )
    .await
}

async fn sign_on(app: &RawApp, form: &str) -> RawReply {
    app.post_form("/clevercloud/sso", form).await
}

fn order() -> Value {
    json!({
        "addon_id": ADDON_ID, "owner_id": "orga_9e000000-0000-4000-8000-000000000002", "owner_name": "Quince Labs",
        "user_id": "user_5a000000-0000-4000-8000-000000000003", "plan": "basic", "region": "EU",
        "callback_url": format!("https://api.clever-cloud.com/v2/vendor/apps/{ADDON_ID}"), "options": {},
    })
}

#[tokio::test]
async fn the_documented_provision_is_200_and_its_id_is_text() {
    let app = app().await;
    app.vendor.on_provision(async |_| Ok(maitre::Provisioned::new(81).with_config("QUINCE_DB_URL", "https://q")));
    let reply = app.send("POST /clevercloud/resources", &order().to_string()).await;
    assert_eq!((reply.status(), reply.text().as_str()), (200, r#"{"id":"81","config":{"QUINCE_DB_URL":"https://q"}}"#));
    let received = app.vendor.provisions().remove(0);
    assert_eq!((received.resource.as_str(), received.region.as_deref()), (ADDON_ID, Some("EU")));
    let details = received.view::<CleverCloudProvision>().unwrap();
    assert_eq!(details.owner_name.as_deref(), Some("Quince Labs"));
}

#[tokio::test]
async fn an_older_provision_with_other_fields_is_accepted() {
    let app = app().await;
    let order = json!({ "heroku_id": ADDON_ID, "plan": "basic", "options": null, "logplex_token": "t.1" });
    assert_eq!(app.send("POST /clevercloud/resources", &order.to_string()).await.status(), 200);
    assert_eq!(app.vendor.provisions()[0].resource, ADDON_ID);
}

#[tokio::test]
async fn a_resource_is_changed_and_deprovisioned() {
    let app = app().await;
    app.send("POST /clevercloud/resources", &order().to_string()).await;
    let changed = app
        .send("PUT /clevercloud/resources/widget-1", &json!({ "plan": "premium", "addon_id": ADDON_ID }).to_string())
        .await;
    assert_eq!((changed.status(), changed.text().as_str()), (200, r#"{"message":"Now on premium."}"#));
    let refused = app.send("PUT /clevercloud/resources/widget-1", &json!({ "plan": "gold" }).to_string()).await;
    assert_eq!(refused.status(), 422);
    let removed = app.send("DELETE /clevercloud/resources/widget-1", &json!({}).to_string()).await;
    assert_eq!((removed.status(), removed.text().as_str()), (200, "{}"));
    assert_eq!(app.send("DELETE /clevercloud/resources/widget-1", &json!({}).to_string()).await.status(), 410);
    assert_eq!(app.send("DELETE /clevercloud/resources/unknown", &json!({}).to_string()).await.status(), 404);
}

#[tokio::test]
async fn the_published_signature_signs_in_with_a_verified_identity() {
    let app = app().await;
    app.vendor.on_single_sign_on(async |_| Ok(maitre::SignedOn::redirect("/dashboard").with_session("widget", "w")));
    let reply = sign_on(&app, FORM).await;
    assert_eq!((reply.status(), reply.header("location")), (302, Some("/dashboard")));
    let seen = app.vendor.sign_ons().pop().unwrap();
    assert_eq!((seen.resource.as_str(), seen.identity.is_verified()), ("res_42", true));
    let legacy = "id=res_42&timestamp=1700000000&token=8feec1fc3e51fc8e447cdf3b8c36ab44c6dc3cb4";
    for wrong in [&FORM.replace("ada", "eve"), legacy] {
        let reply = sign_on(&app, wrong).await;
        assert_eq!((reply.status(), reply.header("set-cookie")), (403, None));
    }
}
