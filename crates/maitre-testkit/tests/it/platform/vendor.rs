use maitre_testkit::platform::{Install, Platform, PlatformServer, Rule};
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde_json::{Value, json};

pub(crate) const SECRET: &str = "client secret";
pub(crate) const ACCEPT: &str = "application/vnd.heroku+json; version=3";

/// Client of a vendor and the platform that it calls.
pub(crate) struct Vendor {
    pub(crate) platform: Platform,
    api: PlatformServer,
    http: Client,
}

/// Complete response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:?}", self.json);
        self.json
    }

    /// Asserts an error in Heroku's format.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, id: &str) {
        assert_eq!((self.status, self.json["id"].as_str()), (status, Some(id)), "{:?}", self.json);
        assert!(self.json["message"].as_str().is_some_and(|message| message.len() > 10), "{:?}", self.json);
        assert!(self.headers.contains_key("request-id"));
    }
}

pub(crate) async fn vendor() -> Vendor {
    Vendor::of(Platform::new("tally", "password", SECRET)).await
}

impl Vendor {
    pub(crate) async fn of(platform: Platform) -> Self {
        let api = platform.serve().await.expect("a free port");
        let http = Client::builder().user_agent("tally/1.0").redirect(redirect::Policy::none()).no_proxy();
        Self { platform, api, http: http.build().expect("a client") }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.api.url())
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.http.request(method.parse().expect("a method"), self.url(path))
    }

    pub(crate) async fn post_form(&self, fields: &[(&str, &str)]) -> Answer {
        read(self.request("POST", "/oauth/token").form(fields).send().await.expect("an answer")).await
    }

    pub(crate) async fn exchange(&self, code: &str) -> Answer {
        self.post_form(&[("grant_type", "authorization_code"), ("code", code), ("client_secret", SECRET)]).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.post_form(&[("grant_type", "refresh_token"), ("refresh_token", token), ("client_secret", SECRET)]).await
    }

    /// Exchanges the grant of an install.
    pub(crate) async fn token(&self, install: &Install) -> String {
        text(&self.exchange(install.grant().code()).await.expect(200), "access_token")
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, token: &str) -> Answer {
        read(self.asking(method, path, token).send().await.expect("an answer")).await
    }

    pub(crate) async fn tell(&self, method: &str, path: &str, token: &str, body: Value) -> Answer {
        read(self.asking(method, path, token).json(&body).send().await.expect("an answer")).await
    }

    pub(crate) fn asking(&self, method: &str, path: &str, token: &str) -> RequestBuilder {
        self.request(method, path).header("accept", ACCEPT).bearer_auth(token)
    }

    /// Sets one config var.
    pub(crate) async fn set(&self, install: &Install, token: &str, name: &str, value: impl Into<Value>) -> Answer {
        let body = json!({ "config": [{ "name": name, "value": value.into() }] });
        self.tell("PATCH", &format!("/addons/{}/config", install.uuid()), token, body).await
    }

    pub(crate) async fn act(&self, install: &Install, token: &str, action: &str) -> Answer {
        self.ask("POST", &format!("/addons/{}/actions/{action}", install.uuid()), token).await
    }

    pub(crate) fn rules_broken(&self) -> Vec<Rule> {
        self.platform.violations().iter().map(maitre_testkit::platform::Violation::rule).collect()
    }
}

pub(crate) async fn read(response: Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await.expect("a whole body");
    Answer { status, headers, json: serde_json::from_slice(&body).unwrap_or_default() }
}

pub(crate) fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_else(|| panic!("{field} in {object}")).to_owned()
}
