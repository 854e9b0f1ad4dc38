//! The example at all of its marketplaces: one process with one listener, one ledger and one worker.

use maitre_testkit::osb::InstanceId;
use maitre_testkit::{CloudControl, Opperator, Osb, sign};
use serde_json::{Value, json};

use crate::saas::{PASSWORD, SALT, Saas};
use crate::support::Folder;

#[tokio::test]
async fn one_process_sells_on_every_marketplace() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    heroku(&saas).await;
    cloudcontrol(&saas).await;
    opperator(&saas).await;
    osb(&saas).await;
    clevercloud(&saas).await;
    digitalocean(&saas).await;
    scalingo(&saas).await;
    quicknode(&saas).await;

    let url = format!("sqlite://{}", folder.0.join("saas.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    for table in ["resources", "maitre_resources"] {
        let addons = format!("SELECT DISTINCT addon FROM {table} ORDER BY addon");
        let sold: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(addons)).fetch_all(&pool).await.unwrap();
        let names =
            ["clevercloud", "cloudcontrol", "digitalocean", "heroku", "opperator", "osb", "quicknode", "scalingo"];
        assert_eq!(sold, names.map(|name| format!("{name}/tally")), "{table}");
    }
    let open = "SELECT count(*) FROM maitre_operations WHERE state = 'open'";
    assert_eq!(sqlx::query_scalar::<_, i64>(open).fetch_one(&pool).await.unwrap(), 0);
}

#[tokio::test]
async fn quicknodes_credentials_are_set_by_variables() {
    let folder = Folder::new();
    let mut command = Saas::command(&folder.0);
    command.env("QUICKNODE_PASSWORD", "portal-password").env("QUICKNODE_JWT_SECRET", "portal-jwt-secret");
    let saas = Saas::start_by(command);
    let endpoint = json!({ "quicknode-id": "qn-acc-1", "endpoint-id": "ep-1", "plan": "basic" });
    for (password, expected) in [("development-only-password", 401), ("portal-password", 200)] {
        let reply = send(&saas, "POST", "/quicknode/provision", password, endpoint.clone()).await;
        assert_eq!(reply.0, expected, "{password}");
    }
    let claims = json!({ "iat": now().parse::<i64>().unwrap(), "quicknode_id": "qn-acc-1" }).to_string();
    for (secret, expected) in [("development-only-jwt-secret", 401), ("portal-jwt-secret", 200)] {
        let jwt = sign::jwt(r#"{"alg":"HS256"}"#, &claims, secret);
        let link = format!("{}/quicknode/sso?jwt={jwt}", saas.origin);
        assert_eq!(reqwest::get(link).await.unwrap().status(), expected, "{secret}");
    }
}

async fn heroku(saas: &Saas) {
    let heroku = saas.heroku();
    let uuid = heroku.new_uuid();
    let body: Value = heroku.provision("basic").uuid(&uuid).await.expect(200).json();
    assert_eq!(counters(saas, &body["config"]).await, 200);
    heroku.plan_change(&uuid, "premium").await.expect(200);
    heroku.single_sign_on(&uuid).await.expect(302);
    heroku.deprovision(&uuid).await.expect(204);
    assert_eq!(counters(saas, &body["config"]).await, 401);
}

async fn cloudcontrol(saas: &Saas) {
    let cloudcontrol = CloudControl::new(&format!("{}/cloudcontrol", saas.origin), "tally", PASSWORD, SALT);
    let body: Value = cloudcontrol.provision("basic").await.expect(201).json();
    assert_eq!(counters(saas, &body["config"]).await, 200);
    let id = body["id"].as_str().unwrap();
    cloudcontrol.plan_change(id, "premium").await.expect(200);
    cloudcontrol.single_sign_on(id).await.expect(302);
    cloudcontrol.deprovision(id).await.expect(204);
    assert_eq!(counters(saas, &body["config"]).await, 401);
}

async fn opperator(saas: &Saas) {
    let opperator = Opperator::new(&format!("{}/opperator", saas.origin), "development-only-secret");
    let body: Value = opperator.provision(json!({ "counters": 5 })).await.expect(201).json();
    assert_eq!(counters(saas, &body["config"]).await, 200);
    let id = body["id"].as_str().unwrap();
    opperator.plan_change(id, json!({ "counters": 50 })).await.expect(200);
    opperator.deprovision(id).await.expect(200);
    assert_eq!(counters(saas, &body["config"]).await, 401);
}

async fn osb(saas: &Saas) {
    let osb = Osb::new(&format!("{}/osb", saas.origin), "tally", "development-only-password");
    let instance: InstanceId =
        osb.new_instance("6e2b1f3c-4d0a-4c7e-9a51-0c9f2f7b8d11", "0b7d5c1e-93a4-4e59-8f3d-5a3f1c6e2b01");
    osb.provision(&instance).await.expect(201);
    let bound = osb.bind(&instance.new_binding()).await.expect(201).json();
    for (enabled, expected) in [(false, 403), (true, 200)] {
        osb.set_enabled(&instance, enabled, "ACCT_SUSPEND").await.expect(200);
        assert_eq!(counters(saas, &bound["credentials"]).await, expected, "{enabled}");
    }
    osb.update(&instance, "5c8e6d2f-a4b5-4f6a-9e4c-6b402d7f3c02").await.expect(200);
    osb.deprovision(&instance).await.expect(200);
    assert_eq!(counters(saas, &bound["credentials"]).await, 401);
}

async fn quicknode(saas: &Saas) {
    let password = "development-only-password";
    let endpoint = |id: &str, plan: &str| {
        json!({ "quicknode-id": "qn-acc-1", "endpoint-id": id, "chain": "ethereum", "network": "mainnet", "plan": plan,
            "wss-url": "", "http-url": "https://x.quiknode.pro/tok/", "referers": null, "contract_addresses": null })
    };
    let urls = json!({
        "status": "success", "dashboard-url": format!("{}/quicknode/sso", saas.origin),
        "access-url": format!("{}/counters", saas.origin),
    });
    for id in ["ep-1", "ep-1", "ep-2"] {
        let reply = send(saas, "POST", "/quicknode/provision", password, endpoint(id, "basic")).await;
        assert_eq!(reply, (200, urls.clone()), "{id}");
    }
    assert_eq!(send(saas, "PUT", "/quicknode/update", password, endpoint("ep-1", "premium")).await.0, 200);

    let claims =
        json!({ "iat": now().parse::<i64>().unwrap(), "quicknode_id": "qn-acc-1", "email": "ada@example.test" });
    let jwt = sign::jwt(r#"{"alg":"HS256"}"#, &claims.to_string(), "development-only-jwt-secret");
    let link = format!("{}?jwt={jwt}", urls["dashboard-url"].as_str().unwrap());
    assert_eq!(reqwest::get(&link).await.unwrap().status(), 200, "without a cookie");
    assert_eq!(reqwest::get(&link).await.unwrap().status(), 401, "a token is valid once");
    let browser = reqwest::Client::builder().cookie_store(true).build().unwrap();
    let claims = claims.to_string().replace("ada@", "eve@");
    let jwt = sign::jwt(r#"{"alg":"HS256"}"#, &claims, "development-only-jwt-secret");
    let link = format!("{}?jwt={jwt}", urls["dashboard-url"].as_str().unwrap());
    assert!(browser.get(link).send().await.unwrap().text().await.unwrap().contains(r#"url=/dashboard""#));
    let dashboard = browser.get(format!("{}/dashboard", saas.origin)).send().await.unwrap();
    assert_eq!(dashboard.status(), 200);
    let page = dashboard.text().await.unwrap();
    assert!(page.contains("premium") && page.contains("QuickNode"), "{page}");

    assert_eq!(reqwest::get(format!("{}/quicknode/health", saas.origin)).await.unwrap().status(), 200);
    let account = json!({ "quicknode-id": "qn-acc-1" });
    assert_eq!(
        send(saas, "DELETE", "/quicknode/deactivate_endpoint", password, endpoint("ep-2", "basic")).await.0,
        200
    );
    for _ in 0..2 {
        assert_eq!(send(saas, "DELETE", "/quicknode/deprovision", password, account.clone()).await.0, 200);
    }
    let dashboard = browser.get(format!("{}/dashboard", saas.origin)).send().await.unwrap();
    assert_eq!(dashboard.status(), 403, "a session ends with its resource");
    let again = send(saas, "POST", "/quicknode/provision", password, endpoint("ep-1", "basic")).await;
    assert_eq!(again, (200, urls), "an account may come back");
    assert_eq!(send(saas, "DELETE", "/quicknode/deprovision", password, account).await.0, 200);
}

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

async fn digitalocean(saas: &Saas) {
    let (uuid, password) = ("0f6a2c3e-5d41-4b7a-9c11-2f3e4d5c6b7a", "development-only-password");
    let order = json!({ "uuid": uuid, "app_slug": "tally", "plan_slug": "basic", "resource_name": "counts" });
    let (status, body) = send(saas, "POST", "/digitalocean/resources", password, order).await;
    assert_eq!((status, body["id"].as_str()), (200, Some(uuid)));
    assert_eq!(counters(saas, &body["config"]).await, 200);

    for (kind, expected) in [("resources.suspended", 403), ("resources.reactivated", 200)] {
        let event = json!({ "type": kind, "created_at": 1, "payload": { "resources_uuids": [uuid] } });
        assert_eq!(send(saas, "POST", "/digitalocean/notifications", password, event).await.0, 204);
        assert_eq!(counters(saas, &body["config"]).await, expected, "{kind}");
    }

    let timestamp = now();
    let token = sign::digitalocean(uuid, "development-only-salt", &timestamp);
    let form =
        [("resource_uuid", uuid), ("timestamp", &timestamp), ("token", &token), ("user_id", "u"), ("user_email", "e")];
    assert_eq!(sign_on(saas, "/digitalocean/sso", &form).await, (302, Some("/dashboard".to_owned())));
    assert_eq!(sign_on(saas, "/digitalocean/sso", &form).await.0, 403, "a token is valid once");

    let path = format!("/digitalocean/resources/{uuid}");
    let (status, changed) = send(saas, "PUT", &path, password, json!({ "plan_slug": "premium" })).await;
    assert_eq!((status, changed["message"].is_string()), (200, true));
    for expected in [204, 404] {
        assert_eq!(send(saas, "DELETE", &path, password, json!({})).await.0, expected);
    }
    assert_eq!(counters(saas, &body["config"]).await, 401);
}

async fn scalingo(saas: &Saas) {
    let password = "development-only-password";
    let order = json!({ "plan": "basic", "app_id": "66c0ffee", "options": {}, "uuid": "ad-1" });
    let (status, body) = send(saas, "POST", "/scalingo/resources", password, order).await;
    assert_eq!((status, body["id"].as_str()), (200, Some("ad-1")));
    for (verb, expected) in [("suspend", 403), ("resume", 200)] {
        let path = format!("/scalingo/resources/ad-1/{verb}");
        assert_eq!(send(saas, "POST", &path, password, json!({})).await.0, 204);
        assert_eq!(counters(saas, &body["config"]).await, expected, "{verb}");
    }
    let timestamp = now();
    let token = sign::token("ad-1", "development-only-salt", &timestamp);
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let link = format!("{}/scalingo/sso?id=ad-1&timestamp={timestamp}&token={token}", saas.origin);
    assert_eq!(browser.get(link).send().await.unwrap().status(), 302);
    for (method, expected) in [("PATCH", 200), ("DELETE", 204), ("DELETE", 204)] {
        let body = json!({ "plan": "premium" });
        assert_eq!(send(saas, method, "/scalingo/resources/ad-1", password, body).await.0, expected);
    }
}

async fn clevercloud(saas: &Saas) {
    let password = "development-only-password-0123456789abcdef";
    let order = json!({ "addon_id": "addon_1", "owner_id": "orga_1", "plan": "basic", "region": "EU", "options": {} });
    let (status, body) = send(saas, "POST", "/clevercloud/resources", password, order).await;
    assert_eq!((status, body["id"].as_str()), (200, Some("addon_1")));
    assert_eq!(counters(saas, &body["config"]).await, 200);

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
    assert_eq!(sign_on(saas, "/clevercloud/sso", &form).await, (302, Some("/dashboard".to_owned())));

    let path = "/clevercloud/resources/addon_1";
    assert_eq!(send(saas, "PUT", path, password, json!({ "plan": "premium" })).await.0, 200);
    assert_eq!(send(saas, "DELETE", path, password, json!({})).await, (200, json!({})));
    assert_eq!(send(saas, "DELETE", path, password, json!({})).await.0, 410);
}
