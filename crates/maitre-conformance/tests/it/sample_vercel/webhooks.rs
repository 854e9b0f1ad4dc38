//! Webhooks.

use maitre_testkit::vercel::webhook_signature;
use serde_json::{Value, json};

use super::request::Received;
use super::store::State;
use super::{Answer, CLIENT_SECRET, Fault, SampleVercel, parsed, refused, response};

impl SampleVercel {
    pub(super) fn receive(&self, received: &Received) -> Answer {
        if self.is(Fault::WebhookIs404) {
            return Err(refused(404));
        }
        let event = parsed(&received.body).filter(Value::is_object);
        if self.is(Fault::HandlesBeforeSignature)
            && let Some(event) = &event
        {
            self.handle(event);
        }
        let sent = received.header("x-vercel-signature");
        let is_hex = sent.is_some_and(|sent| sent.len() == 40 && sent.chars().all(|c| c.is_ascii_hexdigit()));
        let is_signed = match (self.fault, sent) {
            (Fault::NoSignatureNeeded, None) => true,
            (Fault::OddSignatureIs500, Some(_)) if !is_hex => return Err(refused(500)),
            (Fault::AnyWebhookKey | Fault::AnyWebhookBody, Some(_)) => is_hex,
            (Fault::PartOfSignature, Some(sent)) => {
                !sent.is_empty() && webhook_signature(CLIENT_SECRET, &received.body).starts_with(sent)
            }
            (Fault::SignsParsedBody, Some(sent)) => {
                let text = event.as_ref().map(Value::to_string).unwrap_or_default();
                sent == webhook_signature(CLIENT_SECRET, text.as_bytes())
            }
            (_, Some(sent)) => sent == webhook_signature(CLIENT_SECRET, &received.body),
            (_, None) => false,
        };
        if !is_signed {
            return Err(refused(403));
        }
        let invalid = if self.is(Fault::InvalidEventIs500) { 500 } else { 400 };
        let event = event.filter(|event| event["type"].is_string()).ok_or_else(|| refused(invalid))?;
        let kind = event["type"].as_str().unwrap_or_default();
        let installation = event["payload"]["configuration"]["id"].as_str().unwrap_or_default();
        let is_known = self.store().installations.contains_key(installation);
        let is_repeated = !self.store().events.insert(event["id"].to_string());
        match self.fault {
            Fault::RefundIs400 if kind.ends_with("refunded") => return Err(refused(400)),
            Fault::UnknownKindIs400 if kind.starts_with("a.") => return Err(refused(400)),
            Fault::UnknownInstallationIs404 if !is_known => return Err(refused(404)),
            Fault::RepeatedEventIs409 if is_repeated => return Err(refused(409)),
            _ => {}
        }
        self.handle(&event);
        Ok(response(200, &json!({})))
    }

    fn handle(&self, event: &Value) {
        if event["type"] != "integration-configuration.removed" || self.is(Fault::IgnoresRemoval) {
            return;
        }
        let id = event["payload"]["configuration"]["id"].as_str().unwrap_or_default();
        let mut store = self.store();
        store.remove_all(|resource| resource.installation == id);
        if let Some(known) = store.installations.get_mut(id) {
            known.state = State::Gone;
        }
    }
}
