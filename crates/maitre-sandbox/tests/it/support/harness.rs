use maitre_sandbox::{Marketplace, Sandbox, SandboxBuilder, Serving};
use maitre_testkit::platform::{Install, State};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{PASSWORD, SALT, SLUG, TestAddon, until};

pub(crate) const CLIENT_SECRET: &str = "development-only-client-secret";

/// Test add-on, and a sandbox that sells it on the plans `basic` and `bright`.
pub(crate) struct Harness {
    pub(crate) addon: TestAddon,
    pub(crate) sandbox: Sandbox,
    pub(crate) serving: Serving,
    pub(crate) http: reqwest::Client,
}

pub(crate) fn manifest() -> Value {
    json!({
        "id": SLUG,
        "name": "Lantern",
        "api": {
            "version": "3",
            "password": PASSWORD,
            "sso_salt": SALT,
            "config_vars": ["LANTERN_URL"],
            "config_vars_prefix": "LANTERN",
            "regions": ["us", "eu"],
            "requires": ["many_per_app", "attachable"],
            "production": {
                "base_url": "https://lantern.example/heroku/resources",
                "sso_url": "https://lantern.example/sso",
            },
            "test": { "base_url": "http://localhost:8300/heroku/resources", "sso_url": "http://localhost:8300/sso" },
        },
    })
}

impl Harness {
    pub(crate) async fn new() -> Self {
        Self::with(&manifest(), |setup| setup).await
    }

    pub(crate) async fn with(manifest: &Value, change: impl FnOnce(SandboxBuilder) -> SandboxBuilder) -> Self {
        Self::for_addon(TestAddon::start().await, manifest, change).await
    }

    /// Starts a sandbox for a running add-on.
    pub(crate) async fn for_addon(
        addon: TestAddon,
        manifest: &Value,
        change: impl FnOnce(SandboxBuilder) -> SandboxBuilder,
    ) -> Self {
        let setup = Sandbox::builder(&manifest.to_string()).unwrap().url(&addon.url);
        Self::serve(addon, change(setup.plans(["basic", "bright=900"]).unwrap())).await
    }

    /// Starts a sandbox on this marketplace for a running add-on, which has the paths of Heroku.
    pub(crate) async fn on(
        marketplace: Marketplace,
        manifest: &Value,
        addon: TestAddon,
        change: impl FnOnce(SandboxBuilder) -> SandboxBuilder,
    ) -> Self {
        let setup = Sandbox::builder_for(marketplace, &manifest.to_string()).unwrap();
        let setup = setup.url(format!("{}/heroku/resources", addon.url));
        Self::serve(addon, change(setup.plans(["basic", "bright=900"]).unwrap())).await
    }

    pub(crate) async fn serve(addon: TestAddon, setup: SandboxBuilder) -> Self {
        let sandbox = setup.open().unwrap();
        let serving = sandbox.serve(TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
        addon.set_api_url(serving.api_url());
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { addon, sandbox, serving, http }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.serving.api_url())
    }

    /// Returns a call as the `heroku` CLI makes it.
    pub(crate) fn heroku(&self, method: &str, path: &str) -> RequestBuilder {
        let call = self.http.request(method.parse().unwrap(), self.url(path)).bearer_auth("sandbox");
        call.header("accept", "application/vnd.heroku+json; version=3.sdk")
    }

    /// Sends a call as the `heroku` CLI makes it, and returns the status and the body.
    pub(crate) async fn customer(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let call = self.heroku(method, path);
        let call = if body.is_null() { call } else { call.json(&body) };
        read(call.send().await.unwrap()).await
    }

    /// Submits a form of the page as a browser does.
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let url = self.serving.url();
        let authority = url.strip_prefix("http://").unwrap().to_owned();
        let post = self.http.post(self.url(path)).header("host", authority).header("origin", url).form(fields);
        post.send().await.unwrap()
    }

    /// Submits a form of the page, and expects a redirect.
    pub(crate) async fn click(&self, path: &str, fields: &[(&str, &str)]) {
        let response = self.submit(path, fields).await;
        let status = response.status();
        assert_eq!(status, 303, "{path}: {}", response.text().await.unwrap());
    }

    pub(crate) async fn page(&self, path: &str) -> String {
        let response = self.http.get(self.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.text().await.unwrap()
    }

    /// Returns the entries of the journal, oldest first.
    pub(crate) async fn journal(&self) -> Vec<Value> {
        entries(&self.page("/sandbox/export.json?secrets=true").await)
    }

    /// Returns the entries of this kind.
    pub(crate) async fn journal_of(&self, kind: &str) -> Vec<Value> {
        let mut journal = self.journal().await;
        journal.retain(|entry| entry["kind"] == kind);
        journal
    }

    /// Returns the checks that the findings name.
    pub(crate) async fn failed_checks(&self) -> Vec<String> {
        let findings = self.journal().await.into_iter();
        let checks = findings.flat_map(|entry| entry["findings"].as_array().cloned().unwrap_or_default());
        checks.map(|finding| finding["check"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn wait_for(&self, install: &Install, state: State) {
        until(&format!("the install is {state}"), async || install.state() == state).await;
    }

    /// Waits for the first install, and expects it to be the only one.
    pub(crate) async fn only_install(&self) -> Install {
        until("an install exists", async || !self.sandbox.platform().installs().is_empty()).await;
        let installs = self.sandbox.platform().installs();
        assert_eq!(installs.len(), 1);
        installs[0].clone()
    }
}

pub(crate) async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json", "the CLI only reads JSON");
    (status, response.json().await.unwrap())
}

pub(crate) fn entries(recording: &str) -> Vec<Value> {
    let recording: Value = serde_json::from_str(recording).unwrap();
    recording["entries"].as_array().unwrap().clone()
}

/// Returns the direction and the kind of an entry.
pub(crate) fn kind(entry: &Value) -> String {
    format!("{} {}", entry["direction"].as_str().unwrap(), entry["kind"].as_str().unwrap())
}
