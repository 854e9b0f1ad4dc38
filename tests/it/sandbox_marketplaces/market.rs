//! The example and a sandbox that sells it on one marketplace.

use maitre_sandbox::{Sandbox, SandboxBuilder, Serving};
use maitre_testkit::platform::{Install, State};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::ledger::support::until;
use crate::saas::Saas;
use crate::support::Folder;

pub(crate) struct Market {
    pub(crate) sandbox: Sandbox,
    pub(crate) serving: Serving,
    _saas: Saas,
    http: reqwest::Client,
    _folder: Folder,
}

impl Market {
    /// Starts the example with environment variables that depend on the sandbox's address, and the sandbox.
    pub(crate) async fn start(
        builder: SandboxBuilder,
        environment: impl FnOnce(&str) -> Vec<(&'static str, String)>,
    ) -> Self {
        Self::start_below("", builder, environment).await
    }

    /// Starts the sandbox of a marketplace that is mounted at this path of the example.
    pub(crate) async fn start_below(
        path: &str,
        builder: SandboxBuilder,
        environment: impl FnOnce(&str) -> Vec<(&'static str, String)>,
    ) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let variables = environment(&format!("http://{}", socket.local_addr().unwrap()));
        let folder = Folder::new();
        let mut command = Saas::command(&folder.0);
        command.envs(variables);
        let saas = tokio::task::spawn_blocking(move || Saas::start_by(command)).await.unwrap();
        let sandbox =
            builder.url(format!("{}{path}", saas.origin)).plans(["basic", "premium=900"]).unwrap().open().unwrap();
        let serving = sandbox.serve(socket).unwrap();
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { sandbox, serving, http, _saas: saas, _folder: folder }
    }

    /// Submits the form that installs the add-on.
    pub(crate) async fn install(&self, fields: &[(&str, &str)]) {
        let post = self.http.post(format!("{}/sandbox/installs", self.serving.api_url())).form(fields);
        assert_eq!(post.send().await.unwrap().status(), 303);
    }

    /// Submits a form of an install as the page does.
    pub(crate) async fn click(&self, install: &Install, form: &str, fields: &[(&str, &str)]) {
        let status = self.submit(install, form, fields).await;
        assert_eq!(status, 303, "{form}");
    }

    pub(crate) async fn submit(&self, install: &Install, form: &str, fields: &[(&str, &str)]) -> u16 {
        let url = format!("{}/sandbox/installs/{}/{form}", self.serving.api_url(), install.uuid());
        self.http.post(url).form(fields).send().await.unwrap().status().as_u16()
    }

    pub(crate) async fn page(&self) -> String {
        self.http.get(self.serving.api_url()).send().await.unwrap().text().await.unwrap()
    }

    /// Waits for the end of the newest call of this kind, which was answered with this status.
    pub(crate) async fn sees(&self, kind: &str, title: &str, status: u16) {
        let is_there = async || {
            let entries = self.entries().await;
            entries.iter().any(|entry| {
                entry["kind"] == kind
                    && entry["title"].as_str().unwrap().starts_with(title)
                    && entry["response"]["status"] == status
            })
        };
        until(&format!("{kind} {title:?} was answered {status}"), is_there).await;
    }

    pub(crate) async fn entries(&self) -> Vec<Value> {
        let url = format!("{}/sandbox/export.json?secrets=true", self.serving.api_url());
        let export: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        export["entries"].as_array().unwrap().clone()
    }

    pub(crate) async fn findings(&self) -> Vec<Value> {
        let entries = self.entries().await;
        entries.iter().flat_map(|entry| entry["findings"].as_array().unwrap().clone()).collect()
    }

    /// Returns the status of the counters behind the config vars of an install.
    pub(crate) async fn counters(&self, install: &Install) -> u16 {
        let config = install.config();
        let call = self.http.get(&config["TALLY_URL"]).bearer_auth(&config["TALLY_TOKEN"]);
        call.send().await.unwrap().status().as_u16()
    }

    /// Tries the sign-on, and returns its result as the page shows it.
    pub(crate) async fn try_sign_on(&self, install: &Install) -> String {
        self.click(install, "try", &[]).await;
        let page = self.page().await;
        page.split("Sign-on: ").nth(1).unwrap().split(" <a").next().unwrap().to_owned()
    }

    pub(crate) async fn is_removed(&self, install: &Install) {
        until("the install is deprovisioned", async || install.state() == State::Deprovisioned).await;
    }
}
