//! Lamps that take their time: what is done after the 202.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{Fault, Resource, SampleAddon};

pub(crate) const CLIENT_SECRET: &str = "client-secret-of-the-partner-portal";

/// As often is tried what may work the next time.
const TRIES: usize = 6;

/// Why a resource is not finished.
enum End {
    /// Heroku will not have it.
    Refused,
    /// It was removed meanwhile.
    Removed,
    /// The fault has done its work.
    Dropped,
}

/// Begins to finish the resource, in a task of its own.
pub(super) fn finish(addon: &SampleAddon, resource: &Resource, heroku: &str) {
    let (addon, resource, heroku) = (addon.clone(), resource.clone(), heroku.to_owned());
    tokio::spawn(async move {
        let work = Work { http: client(&addon), addon, resource, heroku };
        if matches!(work.finish().await, Err(End::Refused)) && !work.addon.is(Fault::NeverGivesUp) {
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
    async fn finish(&self) -> Result<(), End> {
        if self.addon.is(Fault::NeverFinishes) {
            return Err(End::Dropped);
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
            config.push(json!({ "name": "LANTERN_COLOUR", "value": "green" }));
        }
        let body = json!({ "config": config });
        let tries = if self.addon.is(Fault::OneTryForTheConfig) { 1 } else { TRIES };
        self.ask(tries, || self.call(&token, self.http.patch(self.url("config")).json(&body))).await?;
        self.mark(&token).await?;
        if let Some(resource) = self.addon.store().find(&self.resource.uuid) {
            resource.done = true;
        }
        Ok(())
    }

    async fn token(&self) -> Result<String, End> {
        let code = self.resource.grant["code"].as_str().unwrap_or_default().to_owned();
        let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("client_secret", CLIENT_SECRET)];
        let url = format!("{}/oauth/token", self.heroku);
        let ask = || match self.addon.fault {
            Fault::SecretInTheQuery => self.http.post(&url).query(&fields),
            _ => self.http.post(&url).form(&fields),
        };
        let tries = if self.addon.is(Fault::OneTryForTheToken) { 1 } else { TRIES };
        let answer = self.ask(tries, ask).await?;
        Ok(answer["access_token"].as_str().unwrap_or_default().to_owned())
    }

    async fn mark(&self, token: &str) -> Result<(), End> {
        let tries = if self.addon.is(Fault::OneTryForTheMark) { 1 } else { TRIES };
        self.ask(tries, || self.call(token, self.http.post(self.url("actions/provision")))).await.map(drop)
    }

    async fn give_up(&self) {
        if let Ok(token) = self.token_again() {
            let _ = self.ask(TRIES, || self.call(&token, self.http.post(self.url("actions/deprovision")))).await;
        }
        self.addon.store().remove(&self.resource.uuid);
    }

    /// The one of the first exchange, which is good once.
    fn token_again(&self) -> Result<String, End> {
        let tokens = self.addon.store().tokens.get(&self.resource.uuid).cloned();
        tokens.ok_or(End::Dropped)
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

    /// Asks until it works, is refused, or was asked often enough.
    async fn ask(&self, tries: usize, request: impl Fn() -> RequestBuilder) -> Result<Value, End> {
        for number in 0..tries {
            let gone = self.addon.store().find(&self.resource.uuid).is_none_or(|resource| resource.removed);
            if gone && !self.addon.is(Fault::GoesOnAfterRemoval) {
                return Err(End::Removed);
            }
            tokio::time::sleep(Duration::from_millis(if number == 0 { 0 } else { 40 })).await;
            match request().send().await {
                Ok(reply) if reply.status().is_success() => return Ok(reply.json().await.unwrap_or_default()),
                Ok(reply) if reply.status() == StatusCode::TOO_MANY_REQUESTS => {}
                Ok(reply) if reply.status().is_client_error() => return Err(End::Refused),
                _ => {}
            }
        }
        Err(End::Refused)
    }
}
