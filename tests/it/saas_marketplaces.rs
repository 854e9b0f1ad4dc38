//! The example at DigitalOcean, Scalingo and Clever Cloud, as a separate process with a ledger: one listener for all.

use maitre_testkit::sign;
use serde_json::{Value, json};

use crate::saas::Saas;
use crate::support::Folder;

/// Sends JSON as a marketplace does, and returns the status and the body.
async fn send(saas: &Saas, method: &str, path: &str, password: &str, body: Value) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = reqwest::Client::new().request(method, format!("{}{path}", saas.origin));
    let reply = request.basic_auth("tally", Some(password)).json(&body).send().await.unwrap();
    let status = reply.status().as_u16();
    (status, serde_json::from_str(&reply.text().await.unwrap()).unwrap_or_default())
}

/// Returns the status of the product's API for a customer.
async fn counters(saas: &Saas, config: &Value) -> u16 {
    let request = reqwest::Client::new().get(format!("{}/counters", saas.origin));
    request.bearer_auth(config["TALLY_TOKEN"].as_str().unwrap()).send().await.unwrap().status().as_u16()
}

fn now() -> String {
    time::OffsetDateTime::now_utc().unix_timestamp().to_string()
}

/// Posts a sign-on form as a browser does, and returns the status and the location.
async fn sign_on(saas: &Saas, path: &str, form: &[(&str, &str)]) -> (u16, Option<String>) {
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let reply = browser.post(format!("{}{path}", saas.origin)).form(form).send().await.unwrap();
    let location = reply.headers().get("location").map(|location| location.to_str().unwrap().to_owned());
    (reply.status().as_u16(), location)
}

#[tokio::test]
async fn a_resource_of_digitalocean_is_sold_suspended_and_removed() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let (uuid, password) = ("0f6a2c3e-5d41-4b7a-9c11-2f3e4d5c6b7a", "development-only-password");
    let order = json!({ "uuid": uuid, "app_slug": "tally", "plan_slug": "basic", "resource_name": "counts" });
    let (status, body) = send(&saas, "POST", "/digitalocean/resources", password, order).await;
    assert_eq!((status, body["id"].as_str()), (200, Some(uuid)));
    assert_eq!(counters(&saas, &body["config"]).await, 200);

    for (kind, expected) in [("resources.suspended", 403), ("resources.reactivated", 200)] {
        let event = json!({ "type": kind, "created_at": 1, "payload": { "resources_uuids": [uuid] } });
        assert_eq!(send(&saas, "POST", "/digitalocean/notifications", password, event).await.0, 204);
        assert_eq!(counters(&saas, &body["config"]).await, expected, "{kind}");
    }

    let timestamp = now();
    let token = sign::digitalocean(uuid, "development-only-salt", &timestamp);
    let form =
        [("resource_uuid", uuid), ("timestamp", &timestamp), ("token", &token), ("user_id", "u"), ("user_email", "e")];
    assert_eq!(sign_on(&saas, "/digitalocean/sso", &form).await, (302, Some("/dashboard".to_owned())));
    assert_eq!(sign_on(&saas, "/digitalocean/sso", &form).await.0, 403, "a token is valid once");

    let path = format!("/digitalocean/resources/{uuid}");
    let (status, changed) = send(&saas, "PUT", &path, password, json!({ "plan_slug": "premium" })).await;
    assert_eq!((status, changed["message"].is_string()), (200, true));
    for expected in [204, 404] {
        assert_eq!(send(&saas, "DELETE", &path, password, json!({})).await.0, expected);
    }
    assert_eq!(counters(&saas, &body["config"]).await, 401);
}

#[tokio::test]
async fn a_resource_of_scalingo_is_sold_suspended_and_removed() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let password = "development-only-password";
    let order = json!({ "plan": "basic", "app_id": "66c0ffee", "options": {}, "uuid": "ad-1" });
    let (status, body) = send(&saas, "POST", "/scalingo/resources", password, order).await;
    assert_eq!((status, body["id"].as_str()), (200, Some("ad-1")));
    for (verb, expected) in [("suspend", 403), ("resume", 200)] {
        let path = format!("/scalingo/resources/ad-1/{verb}");
        assert_eq!(send(&saas, "POST", &path, password, json!({})).await.0, 204);
        assert_eq!(counters(&saas, &body["config"]).await, expected, "{verb}");
    }
    let timestamp = now();
    let token = sign::token("ad-1", "development-only-salt", &timestamp);
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let link = format!("{}/scalingo/sso?id=ad-1&timestamp={timestamp}&token={token}", saas.origin);
    assert_eq!(browser.get(link).send().await.unwrap().status(), 302);
    for (method, expected) in [("PATCH", 200), ("DELETE", 204), ("DELETE", 204)] {
        let body = json!({ "plan": "premium" });
        assert_eq!(send(&saas, method, "/scalingo/resources/ad-1", password, body).await.0, expected);
    }
}

#[tokio::test]
async fn a_resource_of_clever_cloud_is_sold_and_removed() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let password = "development-only-password-0123456789abcdef";
    let order = json!({ "addon_id": "addon_1", "owner_id": "orga_1", "plan": "basic", "region": "EU", "options": {} });
    let (status, body) = send(&saas, "POST", "/clevercloud/resources", password, order).await;
    assert_eq!((status, body["id"].as_str()), (200, Some("addon_1")));
    assert_eq!(counters(&saas, &body["config"]).await, 200);

    let timestamp = format!("{}000", now());
    let salt = "development-only-salt-0123456789abcdef0123";
    let signature = sign::clever_cloud("addon_1", "user_1", "ada@example.test", "", salt, &timestamp);
    let form = [
        ("id", "addon_1"),
        ("timestamp", &timestamp),
        ("nav-data", ""),
        ("user_id", "user_1"),
        ("email", "ada@example.test"),
        ("signature", &signature),
    ];
    assert_eq!(sign_on(&saas, "/clevercloud/sso", &form).await, (302, Some("/dashboard".to_owned())));

    let path = "/clevercloud/resources/addon_1";
    assert_eq!(send(&saas, "PUT", path, password, json!({ "plan": "premium" })).await.0, 200);
    assert_eq!(send(&saas, "DELETE", path, password, json!({})).await, (200, json!({})));
    assert_eq!(send(&saas, "DELETE", path, password, json!({})).await.0, 410);
}
