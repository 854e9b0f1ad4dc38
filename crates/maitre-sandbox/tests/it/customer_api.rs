//! Calls of the `heroku` CLI, and the fields that it reads.

use maitre_testkit::platform::State;
use serde_json::{Value, json};

use crate::support::{Harness, Reply, manifest};

/// `heroku addons:create lantern:PLAN -a APP`.
async fn create(harness: &Harness, app: &str, plan: &str) -> Value {
    let body = json!({ "attachment": {}, "config": {}, "plan": { "name": format!("lantern:{plan}") } });
    let (status, addon) = harness.customer("POST", &format!("/apps/{app}/addons"), body).await;
    assert_eq!(status, 201, "{addon}");
    addon
}

#[tokio::test]
async fn an_add_on_has_every_field_that_the_cli_reads() {
    let harness = Harness::new().await;
    let body = json!({
        "attachment": { "name": "LAMP" }, "config": { "color": "red", "height": 3 }, "confirm": "shop",
        "name": "my-lamp", "plan": { "name": "lantern:bright" },
    });
    let (status, addon) = harness.customer("POST", "/apps/shop/addons", body).await;
    assert_eq!(status, 201);
    assert_eq!(addon["name"], "my-lamp");
    assert_eq!((&addon["app"]["name"], addon["app"]["id"].is_string()), (&json!("shop"), true));
    assert_eq!(addon["addon_service"]["name"], "lantern");
    assert_eq!(addon["plan"]["name"], "lantern:bright");
    assert_eq!(addon["plan"]["price"], json!({ "cents": 900, "contract": false, "metered": false, "unit": "month" }));
    assert_eq!((&addon["billed_price"]["cents"], &addon["billed_price"]["contract"]), (&json!(900), &json!(false)));
    assert_eq!(addon["state"], "provisioned");
    assert_eq!(addon["config_vars"], json!(["LAMP_URL"]));
    assert_eq!(addon["provision_message"], "Your lantern is lit.");
    assert_eq!(
        addon["web_url"],
        format!("{}/sso/apps/shop/addons/{}", harness.serving.url(), addon["id"].as_str().unwrap())
    );
    assert!(addon["created_at"].is_string());
    assert_eq!(harness.addon.calls()[0].json()["options"], json!({ "color": "red", "height": "3" }));
}

#[tokio::test]
async fn services_and_plans_are_listed_with_their_prices() {
    let harness = Harness::new().await;
    let (_, services) = harness.customer("GET", "/addon-services", Value::Null).await;
    assert_eq!((&services[0]["name"], &services[0]["human_name"]), (&json!("lantern"), &json!("Lantern")));
    assert_eq!(harness.customer("GET", "/addon-services/lantern", Value::Null).await.1["state"], "ga");
    let (_, plans) = harness.customer("GET", "/addon-services/lantern/plans", Value::Null).await;
    let listed: Vec<_> = plans
        .as_array()
        .unwrap()
        .iter()
        .map(|plan| json!([plan["name"], plan["default"], plan["price"]["cents"]]))
        .collect();
    assert_eq!(json!(listed), json!([["lantern:basic", true, 0], ["lantern:bright", false, 900]]));
    let (status, problem) = harness.customer("GET", "/addon-services/candle/plans", Value::Null).await;
    assert_eq!((status, &problem["id"]), (404, &json!("not_found")));
}

#[tokio::test]
async fn lists_and_single_reads_return_the_same_add_ons() {
    let harness = Harness::new().await;
    let (one, other) = (create(&harness, "shop", "basic").await, create(&harness, "blog", "bright").await);
    let (_, of_shop) = harness.customer("GET", "/apps/shop/addons", Value::Null).await;
    assert_eq!(of_shop, json!([one]));
    assert_eq!(harness.customer("GET", "/addons", Value::Null).await.1.as_array().unwrap().len(), 2);
    let (id, name) = (other["id"].as_str().unwrap(), other["name"].as_str().unwrap());
    let app = other["app"]["id"].as_str().unwrap();
    for path in [
        format!("/addons/{id}"),
        format!("/addons/{name}"),
        format!("/apps/blog/addons/{name}"),
        format!("/apps/{app}/addons/{id}"),
    ] {
        assert_eq!(harness.customer("GET", &path, Value::Null).await, (200, other.clone()), "{path}");
    }
    assert_eq!(
        harness.customer("GET", &format!("/apps/shop/addons/{id}"), Value::Null).await.0,
        404,
        "the add-on belongs to another app"
    );
}

#[tokio::test]
async fn add_ons_are_resolved_by_name_id_service_and_attachment() {
    let harness = Harness::new().await;
    let addon = create(&harness, "shop", "basic").await;
    for (named, app) in [
        (addon["name"].as_str().unwrap(), json!("shop")),
        (addon["id"].as_str().unwrap(), Value::Null),
        ("lantern", json!("shop")),
        ("lantern:basic", json!("shop")),
        ("LANTERN", json!("shop")),
    ] {
        let body = json!({ "addon": named, "app": app });
        assert_eq!(harness.customer("POST", "/actions/addons/resolve", body).await, (200, json!([addon])), "{named}");
    }
    for (named, app) in [("candle", json!("shop")), ("lantern", json!("blog"))] {
        let body = json!({ "addon": named, "app": app });
        let (status, problem) = harness.customer("POST", "/actions/addons/resolve", body).await;
        assert_eq!((status, &problem["id"]), (404, &json!("not_found")), "{named}");
    }
    let body = json!({ "addon_attachment": "LANTERN", "app": "shop" });
    let (status, attachments) = harness.customer("POST", "/actions/addon-attachments/resolve", body).await;
    assert_eq!((status, &attachments[0]["addon"]["name"]), (200, &addon["name"]));
    assert_eq!(attachments[0]["config_vars"], json!(["LANTERN_URL"]));
    assert_eq!((&attachments[0]["app"]["name"], &attachments[0]["namespace"]), (&json!("shop"), &Value::Null));
    let path = format!("/addons/{}/addon-attachments", addon["id"].as_str().unwrap());
    assert_eq!(harness.customer("GET", &path, Value::Null).await.1, attachments);
    assert_eq!(harness.customer("GET", "/addon-attachments", Value::Null).await.1, attachments);
}

#[tokio::test]
async fn an_add_on_is_upgraded_renamed_and_destroyed() {
    let harness = Harness::new().await;
    let addon = create(&harness, "shop", "basic").await;
    let (id, name) = (addon["id"].as_str().unwrap(), addon["name"].as_str().unwrap());
    let body = json!({ "plan": { "name": "lantern:bright" } });
    let (status, upgraded) = harness.customer("PATCH", &format!("/apps/shop/addons/{name}"), body).await;
    assert_eq!((status, &upgraded["plan"]["name"]), (200, &json!("lantern:bright")));
    assert_eq!(upgraded["provision_message"], "Brighter.");

    let (status, problem) = harness
        .customer("PATCH", &format!("/apps/shop/addons/{name}"), json!({ "plan": { "name": "lantern:dim" } }))
        .await;
    assert_eq!(status, 422);
    assert!(problem["message"].as_str().unwrap().starts_with("Couldn't find either the add-on"), "{problem}");

    let app = addon["app"]["id"].as_str().unwrap();
    let (status, renamed) =
        harness.customer("PATCH", &format!("/apps/{app}/addons/{id}"), json!({ "name": "lamp" })).await;
    assert_eq!((status, &renamed["name"]), (200, &json!("lamp")));
    let (status, gone) =
        harness.customer("DELETE", &format!("/apps/{app}/addons/{id}"), json!({ "force": false })).await;
    assert_eq!((status, &gone["state"]), (200, &json!("deprovisioned")));
    assert_eq!(harness.customer("GET", "/apps/shop/addons/lamp", Value::Null).await.0, 404);
    assert_eq!(harness.customer("GET", "/apps/shop/config-vars", Value::Null).await.1, json!({}));
}

#[tokio::test]
async fn the_state_changes_when_provisioning_completes() {
    let harness = Harness::new().await;
    harness.addon.reply_with("POST", [Reply::Accept]);
    let addon = create(&harness, "shop", "basic").await;
    assert_eq!(addon["state"], "provisioning");
    harness.wait_for(&harness.only_install().await, State::Provisioned).await;
    let path = format!("/apps/shop/addons/{}", addon["name"].as_str().unwrap());
    assert_eq!(harness.customer("GET", &path, Value::Null).await.1["state"], "provisioned");
}

#[tokio::test]
async fn an_attachment_is_created_shown_and_deleted() {
    let harness = Harness::new().await;
    let addon = create(&harness, "shop", "basic").await;
    let body = json!({ "addon": { "name": addon["name"] }, "app": { "name": "blog" }, "name": "LAMP" });
    let (status, attachment) = harness.customer("POST", "/addon-attachments", body.clone()).await;
    assert_eq!((status, &attachment["name"], &attachment["app"]["name"]), (201, &json!("LAMP"), &json!("blog")));
    assert_eq!(harness.customer("POST", "/addon-attachments", body).await.0, 422, "the name is taken");
    assert_eq!(harness.customer("GET", "/apps/blog/releases", Value::Null).await.0, 200);
    assert_eq!(harness.customer("GET", "/apps/blog/addon-attachments/LAMP", Value::Null).await.1, attachment);
    let path = format!("/addon-attachments/{}", attachment["id"].as_str().unwrap());
    assert_eq!(harness.customer("DELETE", &path, Value::Null).await.0, 200);
    assert_eq!(harness.customer("GET", "/apps/blog/config-vars", Value::Null).await.1, json!({}));
}

#[tokio::test]
async fn an_app_has_one_install_unless_the_manifest_requires_many_per_app() {
    let mut single = manifest();
    single["api"]["requires"] = json!([]);
    let harness = Harness::with(&single, |setup| setup).await;
    create(&harness, "shop", "basic").await;
    let body = json!({ "plan": { "name": "lantern:basic" } });
    let (status, problem) = harness.customer("POST", "/apps/shop/addons", body).await;
    assert_eq!((status, problem["message"].as_str().unwrap().contains("already")), (422, true));
    let response = harness.submit("/sandbox/installs", &[("plan", "basic"), ("app", "shop")]).await;
    assert_eq!(response.status(), 422);
    assert_eq!(harness.addon.calls().len(), 1);
}

#[tokio::test]
async fn invalid_requests_are_refused_with_an_id_and_a_message() {
    let harness = Harness::new().await;
    for (method, path, body, status, id) in [
        ("POST", "/apps/shop/addons", json!({}), 422, "invalid_params"),
        ("POST", "/apps/shop/addons", json!({ "plan": 7 }), 422, "invalid_params"),
        ("POST", "/actions/addons/resolve", json!({ "app": "shop" }), 422, "invalid_params"),
        ("POST", "/addon-attachments", json!({ "app": "shop" }), 422, "invalid_params"),
        ("DELETE", "/apps/shop/addons/none", Value::Null, 404, "not_found"),
        ("GET", "/dynos", Value::Null, 404, "not_found"),
    ] {
        let (answered, problem) = harness.customer(method, path, body.clone()).await;
        assert_eq!((answered, &problem["id"]), (status, &json!(id)), "{method} {path} {body}");
        assert!(problem["message"].as_str().is_some_and(|message| message.ends_with('.')), "{problem}");
    }
    let broken = harness.heroku("POST", "/apps/shop/addons").body("{").send().await.unwrap();
    assert_eq!(broken.status(), 400);
    assert_eq!(harness.addon.calls().len(), 0);
}

#[tokio::test]
async fn only_the_configured_api_key_is_accepted() {
    let harness = Harness::with(&manifest(), |setup| setup.api_key("another key")).await;
    assert_eq!(harness.customer("GET", "/addons", Value::Null).await.0, 401);
    let call = harness.http.get(harness.url("/addon-services")).bearer_auth("another key");
    assert_eq!(call.send().await.unwrap().status(), 200);
}
