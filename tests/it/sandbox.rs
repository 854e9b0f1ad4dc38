//! The example with its built-in sandbox: the first thing that a newcomer runs.

use maitre_testkit::Browser;
use reqwest::Client;
use serde_json::{Value, json};

use crate::ledger::support::until;
use crate::saas::Saas;
use crate::support::Folder;

/// Client of the sandbox's customer API, as used by the `heroku` command.
struct SandboxClient {
    page: String,
    http: Client,
}

impl SandboxClient {
    fn new(saas: &Saas) -> Self {
        let page = saas
            .greeting
            .split("Open ")
            .nth(1)
            .expect("the greeting contains the page's address")
            .split(' ')
            .next()
            .unwrap();
        assert!(page.starts_with("http://localhost:"), "must be a different site from the add-on at {}", saas.origin);
        Self { page: page.to_owned(), http: Client::builder().no_proxy().build().unwrap() }
    }

    async fn request(&self, method: &str, path: &str, body: Value) -> Value {
        let call = self.http.request(method.parse().unwrap(), format!("{}{path}", self.page)).bearer_auth("sandbox");
        let answer = call.json(&body).send().await.unwrap();
        let status = answer.status();
        let answer = answer.json().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {answer}");
        answer
    }

    async fn entries(&self) -> Vec<Value> {
        let export = self.http.get(format!("{}/sandbox/export.json", self.page)).send().await.unwrap();
        export.json::<Value>().await.unwrap()["entries"].as_array().unwrap().clone()
    }

    /// Returns kind and status of the calls so far, oldest first.
    async fn steps(&self) -> Vec<String> {
        let entries = self.entries().await;
        let calls = entries.iter().filter(|entry| matches!(entry["direction"].as_str(), Some("ToAddon" | "FromAddon")));
        let step =
            |entry: &Value| format!("{} {}", entry["kind"].as_str().unwrap_or_default(), entry["response"]["status"]);
        calls.map(step).collect()
    }

    async fn findings(&self) -> Vec<Value> {
        let entries = self.entries().await;
        entries.iter().flat_map(|entry| entry["findings"].as_array().unwrap().clone()).collect()
    }
}

#[tokio::test]
async fn the_example_is_provisioned_opened_and_deprovisioned_in_its_sandbox() {
    let folder = Folder::new();
    let mut saas = Saas::with_sandbox(&folder, 0);
    let sandbox = SandboxClient::new(&saas);
    let addon = sandbox.request("POST", "/apps/shop/addons", json!({ "plan": { "name": "tally:basic" } })).await;
    assert_eq!(addon["state"], "provisioned");
    let vars = sandbox.request("GET", "/apps/shop/config-vars", Value::Null).await;
    let (url, token) = (vars["TALLY_URL"].as_str().unwrap(), vars["TALLY_TOKEN"].as_str().unwrap());
    let counted = sandbox.http.post(format!("{url}/visits")).bearer_auth(token).send().await.unwrap();
    assert_eq!(counted.json::<Value>().await.unwrap(), json!({ "visits": 1 }));

    let at = format!("/apps/shop/addons/{}", addon["name"].as_str().unwrap());
    let form = sandbox.request("GET", &format!("{at}/sso"), Value::Null).await;
    let mut browser = Browser::new(&saas.origin);
    let fields: Vec<_> = form["params"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let landed = browser.post_form(form["action"].as_str().unwrap(), fields).await;
    assert!(browser.follow(&landed).await.expect(200).text().contains("visits"));

    let upgraded = sandbox.request("PATCH", &at, json!({ "plan": { "name": "tally:premium" } })).await;
    assert_eq!(upgraded["plan"]["name"], "tally:premium");
    assert_eq!(sandbox.request("DELETE", &at, Value::Null).await["state"], "deprovisioned");
    assert_eq!(sandbox.findings().await, Vec::<Value>::new());

    assert!(saas.terminate().success());
    assert!(sandbox.http.get(&sandbox.page).send().await.is_err(), "the sandbox ended with the example");
}

#[tokio::test]
async fn a_slow_provision_is_notified_on_completion() {
    let folder = Folder::new();
    let saas = Saas::with_sandbox(&folder, 5);
    let sandbox = SandboxClient::new(&saas);
    let addon = sandbox.request("POST", "/apps/shop/addons", json!({ "plan": { "name": "tally:basic" } })).await;
    assert_eq!(addon["state"], "provisioning");
    let at = format!("/apps/shop/addons/{}", addon["name"].as_str().unwrap());
    until("the resource is provisioned", || async {
        sandbox.request("GET", &at, Value::Null).await["state"] == "provisioned"
    })
    .await;
    let steps = sandbox.steps().await;
    let mut seen = steps.iter();
    for step in ["Provision 202", "Token 200", "Config 200", "MarkProvisioned 200"] {
        assert!(seen.any(|seen| seen == step), "{step} is missing or out of order: {steps:?}");
    }
    let vars = sandbox.request("GET", "/apps/shop/config-vars", Value::Null).await;
    assert!(vars["TALLY_TOKEN"].as_str().unwrap().starts_with("tly_"));
    assert_eq!(sandbox.findings().await, Vec::<Value>::new());
}
