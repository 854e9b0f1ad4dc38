//! Single sign-on.

use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::request::Received;
use super::{Answer, CLIENT_SECRET, Fault, INTEGRATION, Refusal, SampleVercel, refused};

impl SampleVercel {
    pub(super) async fn sign_on(&self, received: &Received) -> Answer {
        let Some(code) = received.parameter("code") else {
            return Err(refused(if self.is(Fault::NoCodeIs500) { 500 } else { 400 }));
        };
        let path = received.parameter("path");
        if self.is(Fault::KnownPathsOnly) && path.is_some_and(|path| path.starts_with("a-later")) {
            return Err(refused(404));
        }
        let token = self.exchange(&code).await?;
        let claims = self.id_token(&token).await?;
        let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        if self.is(Fault::SsoNeedsAdmin) && claim("user_role") != "ADMIN" {
            return Err(refused(403));
        }
        self.check_resource(received.parameter("resource_id").as_deref(), claim("installation_id"))?;
        let session = format!("session=s-{}; Path=/; HttpOnly; SameSite=Lax", self.store().number());
        let url = received.parameter("url").filter(|_| self.is(Fault::FollowsUrl));
        let location = url.unwrap_or_else(|| "/dashboard".to_owned());
        Ok((StatusCode::SEE_OTHER, [("location", location), ("set-cookie", session)]).into_response())
    }

    fn check_resource(&self, resource: Option<&str>, installation: &str) -> Result<(), Refusal> {
        let mut store = self.store();
        let Some(id) = resource else {
            return if self.is(Fault::ResourceNeeded) { Err(refused(400)) } else { Ok(()) };
        };
        let is_known = store.is_known(id);
        let is_allowed = match self.find(&mut store, installation, id, Fault::ForeignResourceOpens) {
            Some(_) => true,
            None if is_known => self.is(Fault::RemovedResourceOpens),
            None => self.is(Fault::UnknownResourceOpens),
        };
        if is_allowed { Ok(()) } else { Err(refused(403)) }
    }

    /// Exchanges a code for an id token.
    async fn exchange(&self, code: &str) -> Result<String, Refusal> {
        let known = self.store().codes.get(code).cloned().filter(|_| self.is(Fault::RemembersCodes));
        if let Some(token) = known {
            return Ok(token);
        }
        let url = format!("{}/v1/integrations/sso/token", self.platform);
        let mut body = json!({ "code": code, "client_id": INTEGRATION, "client_secret": CLIENT_SECRET });
        if self.is(Fault::ExchangesTwice) {
            let _ = self.http.post(&url).json(&body).send().await;
        }
        body["grant_type"] = "authorization_code".into();
        let sent = self.http.post(&url).json(&body).send().await;
        let reply: Value = match sent.and_then(reqwest::Response::error_for_status) {
            Ok(reply) => reply.json().await.unwrap_or_default(),
            Err(_) => return Err(refused(if self.is(Fault::RefusedCodeIs500) { 500 } else { 403 })),
        };
        let token = reply["id_token"].as_str().unwrap_or_default().to_owned();
        self.store().codes.insert(code.to_owned(), token.clone());
        Ok(token)
    }

    pub(super) fn dashboard(&self, received: &Received) -> Answer {
        let has_session = received.header("cookie").is_some_and(|cookie| cookie.contains("session=s-"));
        if has_session && !self.is(Fault::DashboardNeedsMore) {
            return Ok("Your pomelos".into_response());
        }
        Err(refused(401))
    }
}
