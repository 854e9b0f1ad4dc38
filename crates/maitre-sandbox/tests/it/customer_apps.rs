//! Credentials of the customer's clients, and the commands for apps, config vars and releases.

use serde_json::{Value, json};

use crate::support::{Harness, read, until};

#[tokio::test]
async fn the_key_is_accepted_as_bearer_token_and_as_password() {
    let harness = Harness::new().await;
    let get =
        |path: &str| harness.http.get(harness.url(path)).header("accept", "application/vnd.heroku+json; version=3");
    for path in ["/account", "/apps", "/addons", "/addon-services", "/apps/shop/addons"] {
        for call in [get(path).bearer_auth("sandbox"), get(path).basic_auth("", Some("sandbox"))] {
            assert_eq!(call.send().await.unwrap().status(), 200, "{path}");
        }
        let wrong = [get(path).bearer_auth("wrong"), get(path).basic_auth("sandbox", Some("wrong")), get(path)];
        for call in wrong {
            let (status, body) = read(call.send().await.unwrap()).await;
            assert_eq!((status, &body["id"]), (401, &json!("unauthorized")), "{path}");
            assert_eq!(body["message"], "Invalid credentials provided.", "{path}");
        }
    }
}

#[tokio::test]
async fn an_app_is_created_and_destroyed_with_its_add_ons() {
    let harness = Harness::new().await;
    let (status, app) = harness.customer("POST", "/apps", json!({ "name": "shop" })).await;
    assert_eq!((status, &app["name"]), (201, &json!("shop")));
    assert_eq!(harness.customer("POST", "/apps", json!({ "name": "shop" })).await.0, 422);
    let (_, unnamed) = harness.customer("POST", "/apps", json!({})).await;
    assert_eq!(unnamed["name"], "sandbox-app-1");
    let order = json!({ "plan": { "name": "lantern:basic" }, "name": "lantern-shop" });
    harness.customer("POST", "/apps/shop/addons", order.clone()).await;
    assert_eq!(harness.customer("DELETE", "/apps/shop", Value::Null).await.0, 200);
    assert_eq!(harness.addon.calls_of("DELETE").len(), 1);
    assert_eq!(harness.customer("GET", "/apps/shop", Value::Null).await.0, 404);
    let (_, apps) = harness.customer("GET", "/users/~/apps", Value::Null).await;
    assert_eq!(apps.as_array().unwrap().len(), 1, "{apps}");
    // a command that names it creates it again
    assert_eq!(harness.customer("POST", "/apps/shop/addons", order).await.0, 201);
    assert_eq!(harness.customer("GET", "/apps/shop", Value::Null).await.0, 200);
}

#[tokio::test]
async fn config_vars_are_set_and_unset_but_not_those_of_an_add_on() {
    let harness = Harness::new().await;
    harness.customer("POST", "/apps/shop/addons", json!({ "plan": { "name": "lantern:basic" } })).await;
    let (status, vars) = harness.customer("PATCH", "/apps/shop/config-vars", json!({ "A": "1", "B": "2" })).await;
    assert_eq!(status, 200);
    let names: Vec<_> = vars.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["A", "B", "LANTERN_URL"]);
    let (_, vars) = harness.customer("PATCH", "/apps/shop/config-vars", json!({ "A": null })).await;
    assert!(vars.get("A").is_none() && vars["B"] == "2", "{vars}");
    let (status, problem) = harness.customer("PATCH", "/apps/shop/config-vars", json!({ "LANTERN_URL": "x" })).await;
    assert_eq!((status, &problem["message"]), (422, &json!("Cannot overwrite attachment values LANTERN_URL.")));

    until("the attachment is released", async || {
        harness.customer("GET", "/apps/shop/releases", Value::Null).await.1.as_array().unwrap().len() == 3
    })
    .await;
    let range = harness.heroku("GET", "/apps/shop/releases").header("range", "version ..; max=2, order=desc");
    let (_, releases) = read(range.send().await.unwrap()).await;
    let latest: Vec<_> = releases.as_array().unwrap().iter().map(|it| (&it["description"], &it["current"])).collect();
    assert_eq!(
        latest,
        [(&json!("Remove A config vars"), &json!(true)), (&json!("Set A, B config vars"), &json!(false))]
    );
    let version = releases[1]["version"].as_u64().unwrap();
    let (_, one) = harness.customer("GET", &format!("/apps/shop/releases/{version}"), Value::Null).await;
    assert_eq!(one["description"], "Set A, B config vars");
}

#[tokio::test]
async fn an_add_on_that_is_attached_elsewhere_is_only_destroyed_by_force() {
    let harness = Harness::new().await;
    let order = json!({ "plan": { "name": "lantern:basic" }, "name": "lantern-7" });
    harness.customer("POST", "/apps/shop/addons", order).await;
    let attach =
        |namespace: Value| json!({ "addon": "lantern-7", "app": "bakery", "name": "LAMP", "namespace": namespace });
    assert_eq!(harness.customer("POST", "/addon-attachments", attach(json!("credential:reader"))).await.0, 422);
    let default = "/addons/lantern-7/config/credential:default";
    assert_eq!(harness.customer("GET", default, Value::Null).await.1[0]["name"], "LANTERN_URL");
    assert_eq!(harness.customer("GET", "/addons/lantern-7/config/credential:x", Value::Null).await.1, json!([]));
    assert_eq!(harness.customer("POST", "/addon-attachments", attach(json!("credential:default"))).await.0, 201);

    let at = "/apps/shop/addons/lantern-7";
    let (status, problem) = harness.customer("DELETE", at, json!({ "force": false })).await;
    assert_eq!(status, 422);
    assert!(problem["message"].as_str().unwrap().contains("attached to bakery"), "{problem}");
    assert!(harness.addon.calls_of("DELETE").is_empty());
    let (status, removed) = harness.customer("DELETE", at, json!({ "force": true })).await;
    assert_eq!((status, &removed["state"]), (200, &json!("deprovisioned")));
}
