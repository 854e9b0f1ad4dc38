//! A customer presses the page's buttons.

use maitre_core::{Salt, sso::SignedFields};
use maitre_testkit::platform::State;
use serde_json::json;

use crate::support::{Act, SALT, World, until};

#[tokio::test]
async fn an_order_brings_a_grant_and_makes_a_config_var() {
    let world = World::new().await;
    let order = [
        ("plan", "basic"),
        ("app", "shop"),
        ("options", "color=red loud"),
        ("region", "amazon-web-services::eu-west-1"),
    ];
    world.click("/sandbox/installs", &order).await;
    let install = world.only_install().await;
    world.becomes(&install, State::Provisioned).await;

    let seen = world.shop.seen();
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
    assert_eq!(sent["callback_url"], world.url(&format!("/addons/{}", install.uuid())));

    let url = format!("https://lantern.example/{}", install.uuid());
    assert_eq!(
        world.customer("GET", "/apps/shop/config-vars", json!(null)).await,
        (200, json!({ "LANTERN_URL": url }))
    );
    // the value is on the page for who asks for it alone
    assert!(!world.page("/").await.contains(&url));
    assert!(world.page(&format!("/sandbox/installs/{}/config", install.uuid())).await.contains(&url));
    assert_eq!(world.blamed().await, [""; 0]);
}

#[tokio::test]
async fn a_refusal_is_the_vendors_own_words_and_no_install() {
    let world = World::new().await;
    world.shop.tell("POST", [Act::Answer(422, json!({ "message": "Sold out." }))]);
    let order = json!({ "plan": { "name": "lantern:basic" } });
    let (status, problem) = world.customer("POST", "/apps/shop/addons", order).await;
    assert_eq!((status, &problem["message"]), (422, &json!("Sold out.")));
    assert_eq!(world.customer("GET", "/addons", json!(null)).await, (200, json!([])));
}

#[tokio::test]
async fn a_plan_is_changed_and_an_install_removed() {
    let world = World::new().await;
    let install = world.sandbox.provision("basic").await;
    let at = format!("/sandbox/installs/{}", install.uuid());
    world.click(&format!("{at}/plan"), &[("plan", "bright")]).await;
    until("the plan is another one", async || install.plan() == "bright").await;
    world.click(&format!("{at}/remove"), &[]).await;
    world.becomes(&install, State::Deprovisioned).await;

    let id = install.provider_id().unwrap();
    let calls: Vec<_> = world.shop.seen().iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect();
    let path = format!("/heroku/resources/{id}");
    assert_eq!(calls, ["POST /heroku/resources".to_owned(), format!("PUT {path}"), format!("DELETE {path}")]);
    assert_eq!(world.shop.seen_of("PUT")[0].json()["plan"], "bright");
    assert_eq!(world.press(&format!("{at}/remove"), &[]).await.status(), 404, "it is gone");
}

#[tokio::test]
async fn a_plan_that_is_not_sold_is_not_asked_for() {
    let world = World::new().await;
    let answer = world.press("/sandbox/installs", &[("plan", "golden")]).await;
    assert_eq!(answer.status(), 422);
    assert!(answer.text().await.unwrap().contains("There is no such plan."));
    assert_eq!(world.shop.seen().len(), 0);
}

#[tokio::test]
async fn the_dashboard_opens_by_a_form_with_every_token() {
    let world = World::new().await;
    let install = world.sandbox.provision("basic").await;
    let (status, form) = world.customer("GET", &format!("/addons/{}/sso", install.name()), json!(null)).await;
    assert_eq!((status, &form["method"]), (200, &json!("post")));
    assert_eq!(form["action"], format!("{}/sso", world.shop.url));
    let field = |name: &str| form["params"][name].as_str().unwrap_or_default().to_owned();
    for name in ["app", "context_app", "email", "id", "nav-data", "resource_id", "timestamp", "user_id"] {
        assert!(!field(name).is_empty(), "{name}");
    }
    // by code that shares nothing with what signed it
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
    let button = world.press(&format!("/sandbox/installs/{uuid}/open"), &[]).await;
    let page = button.text().await.unwrap();
    assert!(
        page.contains(&format!("<form id=\"sign-on\" method=\"post\" action=\"{}/sso\">", world.shop.url)),
        "{page}"
    );
}

#[tokio::test]
async fn an_attachment_gives_the_config_var_another_name() {
    let world = World::new().await;
    let install = world.sandbox.provision("basic").await;
    let attach = [("app", "blog"), ("name", "LAMP")];
    world.click(&format!("/sandbox/installs/{}/attach", install.uuid()), &attach).await;
    let (_, vars) = world.customer("GET", "/apps/blog/config-vars", json!(null)).await;
    assert_eq!(vars, json!({ "LAMP_URL": format!("https://lantern.example/{}", install.uuid()) }));
}

#[tokio::test]
async fn what_is_wrong_with_an_answer_leads_to_the_check_that_explains_it() {
    let world = World::new().await;
    world.shop.tell("POST", [Act::Answer(200, json!({ "config": { "LANTERN_URL": "no-url" } }))]);
    world.sandbox.provision("basic").await;
    assert_eq!(world.blamed().await, ["heroku.provision.id", "heroku.config.urls"]);
    assert!(world.page("/?only=problems").await.contains("href=\"/sandbox/checks/heroku.provision.id\""));
    assert!(world.page("/sandbox/checks/heroku.provision.id").await.contains("heroku.provision.id"));
}
