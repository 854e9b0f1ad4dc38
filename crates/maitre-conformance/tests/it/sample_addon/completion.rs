//! Completion of an asynchronous provision after the 202.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{Fault, PASSWORD, Resource, SLUG, SampleAddon};

pub(crate) const CLIENT_SECRET: &str = "client-secret-of-the-partner-portal";

/// Number of attempts of a request.
const ATTEMPTS: usize = 6;

/// Reason why a provision does not complete.
enum Stop {
    /// Heroku refused a request.
    Refused,
    /// The resource was deprovisioned.
    Deprovisioned,
    /// The fault ends the work.
    Dropped,
}

/// Completes the provision in a background task.
pub(super) fn complete(addon: &SampleAddon, resource: &Resource, heroku: &str) {
    let (addon, resource, heroku) = (addon.clone(), resource.clone(), heroku.to_owned());
    tokio::spawn(async move {
        let work = Work { http: client(&addon), addon, resource, heroku };
        if matches!(work.complete().await, Err(Stop::Refused)) && !work.addon.is(Fault::NeverGivesUp) {
            work.give_up().await;
        }
    });
}

fn client(addon: &SampleAddon) -> Client {
    let client = Client::builder().timeout(Duration::from_secs(5));
    let client = if addon.is(Fault::NoUserAgent) { client } else { client.user_agent("lantern/1.0") };
    client.build().unwrap()
}

struct Work {
    addon: SampleAddon,
    resource: Resource,
    heroku: String,
    http: Client,
}

impl Work {
    async fn complete(&self) -> Result<(), Stop> {
        if matches!(self.addon.fault, Fault::NeverCompletes | Fault::NoCallback) {
            return Err(Stop::Dropped);
        }
        if self.addon.is_of_version_1 {
            return self.call_back().await;
        }
        let token = self.token().await?;
        if self.addon.is(Fault::MarksFirst) {
            self.mark(&token).await?;
        }
        let mut config = vec![
            json!({ "name": "LANTERN_URL", "value": format!("https://u:pw@lantern.example/{}", self.resource.uuid) }),
            json!({ "name": "LANTERN_TOKEN", "value": self.resource.token }),
        ];
        if self.addon.is(Fault::UnlistedLater) {
            config.push(json!({ "name": "LANTERN_COLOR", "value": "green" }));
        }
        let body = json!({ "config": config });
        let attempts = if self.addon.is(Fault::NoConfigRetry) { 1 } else { ATTEMPTS };
        self.send(attempts, || self.call(&token, self.http.patch(self.url("config")).json(&body))).await?;
        self.mark(&token).await?;
        if let Some(resource) = self.addon.store().find(&self.resource.uuid) {
            resource.done = true;
        }
        Ok(())
    }

    /// Completes by version 1.
    async fn call_back(&self) -> Result<(), Stop> {
        let body = json!({ "config": super::provision::config(&self.resource) });
        let attempts = if self.addon.is(Fault::NoCallbackRetry) { 1 } else { ATTEMPTS };
        let request = || self.http.put(&self.resource.callback_url).basic_auth(SLUG, Some(PASSWORD)).json(&body);
        self.send(attempts, request).await?;
        if let Some(resource) = self.addon.store().find(&self.resource.uuid) {
            resource.done = true;
        }
        Ok(())
    }

    async fn token(&self) -> Result<String, Stop> {
        let code = self.resource.grant["code"].as_str().unwrap_or_default().to_owned();
        let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("client_secret", CLIENT_SECRET)];
        let url = format!("{}/oauth/token", self.heroku);
        let request = || match self.addon.fault {
            Fault::SecretInTheQuery => self.http.post(&url).query(&fields),
            _ => self.http.post(&url).form(&fields),
        };
        let attempts = if self.addon.is(Fault::NoTokenRetry) { 1 } else { ATTEMPTS };
        let response = self.send(attempts, request).await?;
        Ok(response["access_token"].as_str().unwrap_or_default().to_owned())
    }

    async fn mark(&self, token: &str) -> Result<(), Stop> {
        let attempts = if self.addon.is(Fault::NoMarkRetry) { 1 } else { ATTEMPTS };
        self.send(attempts, || self.call(token, self.http.post(self.url("actions/provision")))).await.map(drop)
    }

    async fn give_up(&self) {
        if let Ok(token) = self.stored_token() {
            let _ = self.send(ATTEMPTS, || self.call(&token, self.http.post(self.url("actions/deprovision")))).await;
        }
        self.addon.store().remove(&self.resource.uuid);
    }

    /// Returns the token of the first exchange, because a grant is valid once.
    fn stored_token(&self) -> Result<String, Stop> {
        let tokens = self.addon.store().tokens.get(&self.resource.uuid).cloned();
        tokens.ok_or(Stop::Dropped)
    }

    fn url(&self, end: &str) -> String {
        format!("{}/addons/{}/{end}", self.heroku, self.resource.uuid)
    }

    fn call(&self, token: &str, request: RequestBuilder) -> RequestBuilder {
        self.addon.store().tokens.insert(self.resource.uuid.clone(), token.to_owned());
        let accept = match self.addon.fault {
            Fault::OtherAccept => "application/json",
            _ => "application/vnd.heroku+json; version=3",
        };
        request.bearer_auth(token).header("accept", accept)
    }

    /// Sends a request until it succeeds, is refused, or the attempts are used up.
    async fn send(&self, attempts: usize, request: impl Fn() -> RequestBuilder) -> Result<Value, Stop> {
        for number in 0..attempts {
            let is_gone = self.addon.store().find(&self.resource.uuid).is_none_or(|resource| resource.removed);
            if is_gone && !self.addon.is(Fault::ContinuesAfterDeprovision) {
                return Err(Stop::Deprovisioned);
            }
            tokio::time::sleep(Duration::from_millis(if number == 0 { 0 } else { 40 })).await;
            match request().send().await {
                Ok(reply) if reply.status().is_success() => return Ok(reply.json().await.unwrap_or_default()),
                Ok(reply) if reply.status() == StatusCode::TOO_MANY_REQUESTS => {}
                Ok(reply) if reply.status().is_client_error() => return Err(Stop::Refused),
                _ => {}
            }
        }
        Err(Stop::Refused)
    }
}
