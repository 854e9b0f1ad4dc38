//! Forms of the page.

use maitre_core::{Salt, sso::SignedFields};
use maitre_testkit::platform::State;
use serde_json::json;

use crate::support::{Harness, Reply, SALT, until};

#[tokio::test]
async fn an_install_sends_a_grant_and_sets_config_vars() {
    let harness = Harness::new().await;
    let form = [
        ("plan", "basic"),
        ("app", "shop"),
        ("options", "color=red loud"),
        ("region", "amazon-web-services::eu-west-1"),
    ];
    harness.click("/sandbox/installs", &form).await;
    let install = harness.only_install().await;
    harness.wait_for(&install, State::Provisioned).await;

    let seen = harness.addon.calls();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("POST", "/heroku/resources"));
    assert!(seen[0].is_authorized());
    let sent = seen[0].json();
    assert_eq!(sent["uuid"], install.uuid());
    assert_eq!(sent["plan"], "basic");
    assert_eq!(sent["region"], "amazon-web-services::eu-west-1");
    assert_eq!(sent["options"], json!({ "color": "red", "loud": "true" }));
    assert_eq!(sent["oauth_grant"]["type"], "authorization_code");
    assert_eq!(sent["oauth_grant"]["code"], install.grant().code());
    assert_eq!(sent["callback_url"], harness.url(&format!("/addons/{}", install.uuid())));

    let url = format!("https://lantern.example/{}", install.uuid());
    assert_eq!(
        harness.customer("GET", "/apps/shop/config-vars", json!(null)).await,
        (200, json!({ "LANTERN_URL": url }))
    );
    // the page contains the value only on request
    assert!(!harness.page("/").await.contains(&url));
    let shown = harness.page(&format!("/?values={}", install.uuid())).await;
    assert!(shown.contains(&url) && shown.contains("Hide values"));
    assert_eq!(harness.failed_checks().await, [""; 0]);
}

#[tokio::test]
async fn a_refusal_shows_the_add_ons_message_and_leaves_no_install() {
    let harness = Harness::new().await;
    harness.addon.reply_with("POST", [Reply::With(422, json!({ "message": "Sold out." }))]);
    let body = json!({ "plan": { "name": "lantern:basic" } });
    let (status, problem) = harness.customer("POST", "/apps/shop/addons", body).await;
    assert_eq!((status, &problem["message"]), (422, &json!("Sold out.")));
    assert_eq!(harness.customer("GET", "/addons", json!(null)).await, (200, json!([])));
}

#[tokio::test]
async fn an_install_changes_its_plan_and_is_removed() {
    let harness = Harness::new().await;
    let install = harness.sandbox.provision("basic").await;
    let at = format!("/sandbox/installs/{}", install.uuid());
    harness.click(&format!("{at}/plan"), &[("plan", "bright")]).await;
    until("the plan is changed", async || install.plan() == "bright").await;
    harness.click(&format!("{at}/remove"), &[]).await;
    harness.wait_for(&install, State::Deprovisioned).await;

    let id = install.provider_id().unwrap();
    let calls: Vec<_> = harness.addon.calls().iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect();
    let path = format!("/heroku/resources/{id}");
    assert_eq!(calls, ["POST /heroku/resources".to_owned(), format!("PUT {path}"), format!("DELETE {path}")]);
    assert_eq!(harness.addon.calls_of("PUT")[0].json()["plan"], "bright");
    assert_eq!(harness.submit(&format!("{at}/remove"), &[]).await.status(), 404, "the install is removed");
}

#[tokio::test]
async fn an_unknown_plan_is_rejected() {
    let harness = Harness::new().await;
    let response = harness.submit("/sandbox/installs", &[("plan", "golden")]).await;
    assert_eq!(response.status(), 422);
    assert!(response.text().await.unwrap().contains("This plan does not exist."));
    assert_eq!(harness.addon.calls().len(), 0);
}

#[tokio::test]
async fn the_sign_on_form_has_every_token() {
    let harness = Harness::new().await;
    let install = harness.sandbox.provision("basic").await;
    let (status, form) = harness.customer("GET", &format!("/addons/{}/sso", install.name()), json!(null)).await;
    assert_eq!((status, &form["method"]), (200, &json!("post")));
    assert_eq!(form["action"], format!("{}/sso", harness.addon.url));
    let field = |name: &str| form["params"][name].as_str().unwrap_or_default().to_owned();
    for name in ["app", "context_app", "email", "id", "nav-data", "resource_id", "timestamp", "user_id"] {
        assert!(!field(name).is_empty(), "{name}");
    }
    // signed by maitre-core, which shares no code with the testkit
    let salt = Salt::new(SALT).unwrap();
    let uuid = install.uuid();
    let (id, user, email) = (field("id"), field("user_id"), field("email"));
    for (name, covers) in [
        ("token", SignedFields::Id(&id)),
        ("resource_token", SignedFields::Id(uuid)),
        ("user_scoped_resource_token", SignedFields::User { resource_id: uuid, user_id: &user, email: &email }),
    ] {
        assert_eq!(field(name), covers.sign(&salt, &field("timestamp")), "{name}");
    }
    let button = harness.submit(&format!("/sandbox/installs/{uuid}/open"), &[]).await;
    let page = button.text().await.unwrap();
    assert!(
        page.contains(&format!("<form id=\"sign-on\" method=\"post\" action=\"{}/sso\">", harness.addon.url)),
        "{page}"
    );
}

#[tokio::test]
async fn an_attachment_renames_the_config_vars() {
    let harness = Harness::new().await;
    let install = harness.sandbox.provision("basic").await;
    let attach = [("app", "blog"), ("name", "LAMP")];
    harness.click(&format!("/sandbox/installs/{}/attach", install.uuid()), &attach).await;
    let (_, vars) = harness.customer("GET", "/apps/blog/config-vars", json!(null)).await;
    assert_eq!(vars, json!({ "LAMP_URL": format!("https://lantern.example/{}", install.uuid()) }));
}

#[tokio::test]
async fn a_finding_links_to_its_check() {
    let harness = Harness::new().await;
    harness.addon.reply_with("POST", [Reply::With(200, json!({ "config": { "LANTERN_URL": "no-url" } }))]);
    harness.sandbox.provision("basic").await;
    assert_eq!(harness.failed_checks().await, ["heroku.provision.id", "heroku.config.urls"]);
    assert!(harness.page("/?only=problems").await.contains("href=\"/sandbox/checks/heroku.provision.id\""));
    assert!(harness.page("/sandbox/checks/heroku.provision.id").await.contains("heroku.provision.id"));
}
