//! Provisions.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::request::Received;
use super::store::{Provision, Resource, State, Store};
use super::{Answer, Fault, PLANS, PRODUCT, Refusal, SampleVercel, invalid, parsed, refused, response};

impl SampleVercel {
    pub(super) async fn provision(&self, installation: &str, received: &Received) -> Answer {
        let body = self.provision_body(received)?;
        self.check_installation(installation)?;
        let resource = self.requested(installation, &body)?;
        let key = self.provision_key(installation, received, &body)?;
        if self.is(Fault::KeyCheckThenInsert) {
            let is_known = key.as_ref().is_some_and(|key| self.store().keys.contains_key(key));
            tokio::time::sleep(Duration::from_millis(50)).await;
            if !is_known {
                return Ok(self.provisioned(&mut self.store(), key, resource, body));
            }
        }
        if self.is(Fault::ReservesKey) {
            let reserved = format!("{key:?}");
            if !self.store().in_progress.insert(reserved.clone()) {
                return Err(refused(409));
            }
            // a caller who hangs up ends the handler here
            tokio::time::sleep(Duration::from_millis(500)).await;
            self.store().in_progress.remove(&reserved);
        }
        let mut store = self.store();
        let known = key.as_ref().and_then(|key| store.keys.get(key));
        if let Some(Provision { body: first, resource: id }) = known {
            if *first != body && !self.is(Fault::OtherBodyReplays) {
                return Err(refused(409));
            }
            let id = id.clone();
            return self.replay(&mut store, &id);
        }
        Ok(self.provisioned(&mut store, key, resource, body))
    }

    fn provision_body(&self, received: &Received) -> Result<Value, Refusal> {
        let bytes = &received.body;
        let content_type = received.header("content-type").unwrap_or_default();
        let body = parsed(bytes);
        let status = match self.fault {
            Fault::InvalidJsonIs500 if body.is_none() => 500,
            Fault::EmptyBodyIs500 if bytes.is_empty() => 500,
            Fault::ListIs500 if body.as_ref().is_some_and(Value::is_array) => 500,
            Fault::LargeBodyIs500 if bytes.len() > 500_000 => 500,
            Fault::NestedIs500 if bytes.starts_with(b"{\"metadata\":[[[") => 500,
            Fault::LongKeyIs500 if received.key().is_some_and(|key| key.len() > 255) => 500,
            Fault::CharsetIs415 if content_type != "application/json" => 415,
            Fault::NulIs500 if body.as_ref().is_some_and(|body| body["name"].as_str() == Some("a\0b")) => 500,
            _ => 400,
        };
        let is_refused = status != 400 || body.is_none();
        if is_refused { Err(refused(status)) } else { Ok(body.unwrap_or_default()) }
    }

    fn check_installation(&self, installation: &str) -> Result<(), Refusal> {
        let state = self.store().installations.get(installation).map(|known| known.state);
        let is_allowed = match state {
            Some(State::Active) => true,
            Some(State::Finalizing) => {
                matches!(self.fault, Fault::ProvisionsWhenFinalizing | Fault::ProvisionsWhenGone)
            }
            Some(State::Gone) => self.is(Fault::ProvisionsWhenGone),
            None => self.is(Fault::NoInstallationNeeded),
        };
        if is_allowed { Ok(()) } else { Err(refused(409)) }
    }

    /// Returns the resource of a request.
    fn requested(&self, installation: &str, body: &Value) -> Result<Resource, Refusal> {
        let text = |field: &'static str, is_optional: Fault, default: &str| match &body[field] {
            Value::String(text) if !text.is_empty() => Ok(text.clone()),
            Value::Null if self.is(is_optional) => Ok(default.to_owned()),
            Value::Null | Value::String(_) => Err(invalid(field)),
            _ if self.is(Fault::WrongTypeIs500) => Err(refused(500)),
            _ => Err(invalid(field)),
        };
        let product = text("productId", Fault::NoProductNeeded, PRODUCT)?;
        let plan = text("billingPlanId", Fault::NoPlanNeeded, "basic")?;
        let name = text("name", Fault::NoNameNeeded, "unnamed")?;
        let metadata = match &body["metadata"] {
            Value::Object(metadata) => Value::Object(metadata.clone()),
            Value::Null if self.is(Fault::NoMetadataNeeded) => json!({}),
            _ => return Err(invalid("metadata")),
        };
        match self.fault {
            _ if product != PRODUCT && !self.is(Fault::AnyProduct) => return Err(invalid("productId")),
            Fault::UnknownPlanIs404 if !is_plan(&plan) => return Err(refused(404)),
            _ if !is_plan(&plan) => return Err(invalid("billingPlanId")),
            Fault::ExternalIdIs400 if body.get("externalId").is_some() => return Err(refused(400)),
            Fault::ProtocolSettingsIs400 if body.get("protocolSettings").is_some() => return Err(refused(400)),
            Fault::DeniesUnknownFields if body.get("a-later-field").is_some() => return Err(refused(400)),
            _ => {}
        }
        let name = if self.is(Fault::AsciiNames) { name.replace(|c: char| !c.is_ascii(), "?") } else { name };
        let installation = installation.to_owned();
        let (id, secret, is_pending) = (String::new(), String::new(), self.is_pending);
        let (is_changed, is_removed) = (false, false);
        Ok(Resource { id, installation, product, name, metadata, plan, secret, is_changed, is_removed, is_pending })
    }

    /// Returns the key by which a repetition is recognized.
    fn provision_key(
        &self,
        installation: &str,
        received: &Received,
        body: &Value,
    ) -> Result<Option<(String, String)>, Refusal> {
        let of = if self.is(Fault::KeysAreGlobal) { "" } else { installation };
        let key = match (self.fault, received.key()) {
            (Fault::IgnoresKey, _) => None,
            (Fault::KeyNeeded, None) => return Err(refused(400)),
            (Fault::NoKeyIsAKey, None) => Some(String::new()),
            (Fault::FieldsAreTheKey, _) => Some(body.to_string()),
            (_, key) => key.map(str::to_owned),
        };
        Ok(key.map(|key| (of.to_owned(), key)))
    }

    fn replay(&self, store: &mut Store, id: &str) -> Answer {
        let secret = store.new_secret();
        let known = store.resources.iter_mut().find(|resource| resource.id == id).unwrap();
        match self.fault {
            Fault::ReplayBringsBack => known.is_removed = false,
            Fault::ReplayAfterChangeIs409 if known.is_changed => return Err(refused(409)),
            Fault::NewSecretPerRequest | Fault::NewSecretWhilePending => known.secret = secret,
            _ if known.is_removed => return Err(refused(409)),
            _ => {}
        }
        let mut reply = known.json();
        reply["secrets"] = known.secrets();
        Ok(response(200, &reply))
    }

    /// Records a resource, and answers.
    fn provisioned(
        &self,
        store: &mut Store,
        key: Option<(String, String)>,
        mut resource: Resource,
        body: Value,
    ) -> axum::response::Response {
        resource.id = match self.fault {
            Fault::OneIdForAll => format!("pml_of_{}", resource.installation),
            _ => format!("pml_{}", store.number()),
        };
        resource.secret = match self.fault {
            Fault::OneSecretForAll => "https://u:p@pomelo.example".to_owned(),
            _ => store.new_secret(),
        };
        if let Some(key) = key {
            store.keys.insert(key, Provision { body, resource: resource.id.clone() });
        }
        let mut reply = resource.json();
        reply["secrets"] = resource.secrets();
        if self.is_pending && !matches!(self.fault, Fault::StaysPending | Fault::NewSecretWhilePending) {
            tokio::spawn(self.clone().make_ready(resource.clone()));
        }
        store.resources.push(resource);
        self.spoil(reply.as_object_mut().unwrap());
        response(if self.is(Fault::ProvisionIs202) { 202 } else { 200 }, &reply)
    }

    /// Makes a pending resource ready, and reports that to Vercel.
    async fn make_ready(self, resource: Resource) {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let Resource { id, installation, .. } = resource;
        if let Some(known) = self.store().find(None, &id) {
            known.is_pending = false;
        }
        if self.is(Fault::ReadyIsNotReported) {
            return;
        }
        let token = self.store().installations.get(&installation).map(|known| known.token.clone()).unwrap_or_default();
        let url = format!("{}/v1/installations/{installation}/resources/{id}", self.platform);
        let _ = self.http.patch(url).bearer_auth(token).json(&json!({ "status": "ready" })).send().await;
    }

    /// Changes the reply to a provision.
    fn spoil(&self, reply: &mut Map<String, Value>) {
        let (field, value) = match self.fault {
            Fault::NumericId => ("id", json!(7)),
            Fault::NoStatus => ("status", Value::Null),
            Fault::ForgetsName => ("name", json!("another name")),
            Fault::EmptySecret => ("secrets", json!([{ "name": "POMELO_URL", "value": "" }])),
            Fault::SecretNameWithDash => ("secrets", json!([{ "name": "POMELO-URL", "value": "a" }])),
            Fault::OtherPlanInReply => ("billingPlan", super::plans::plan("premium")),
            Fault::NotificationWithoutLevel => ("notification", json!({ "title": "Ready" })),
            _ => return,
        };
        reply.insert(field.to_owned(), value);
    }
}

pub(super) fn is_plan(name: &str) -> bool {
    PLANS.iter().any(|(known, _)| *known == name)
}
