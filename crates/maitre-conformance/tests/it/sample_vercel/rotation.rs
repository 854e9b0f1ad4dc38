//! Rotations of secrets.

use std::time::Duration;

use serde_json::{Value, json};

use super::request::Received;
use super::{Answer, Fault, Refusal, SampleVercel, invalid, parsed, refused, response};

impl SampleVercel {
    pub(super) async fn rotate(&self, installation: &str, id: &str, received: &Received) -> Answer {
        let body = parsed(&received.body).unwrap_or_default();
        self.check_delay(&body["delayOldSecretsExpirationHours"])?;
        let key = (id.to_owned(), received.key().unwrap_or_default().to_owned());
        let known = self.store().rotations.get(&key).cloned();
        if self.is(Fault::RotationCheckThenInsert) && known.is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let known =
            if self.is(Fault::RotationCheckThenInsert) { known } else { self.store().rotations.get(&key).cloned() };
        let secret = self.rotated(installation, id, known)?;
        self.store().rotations.insert(key, secret.clone());
        if self.is_asynchronous {
            if !self.is(Fault::NeverCompletes) {
                tokio::spawn(self.clone().complete(installation.to_owned(), id.to_owned(), secret));
            }
            return Ok(response(202, &json!({ "sync": false })));
        }
        let name = if self.is(Fault::RotationRenames) { "POMELO_NEW_URL" } else { "POMELO_URL" };
        let secrets = json!([{ "name": name, "value": secret }]);
        Ok(match self.fault {
            Fault::RotationIs204 => response(204, &Value::Null),
            _ => response(200, &json!({ "sync": true, "secrets": secrets })),
        })
    }

    fn check_delay(&self, delay: &Value) -> Result<(), Refusal> {
        let is_allowed = match delay.as_f64() {
            None => delay.is_null() && !self.is(Fault::DelayNeeded),
            Some(hours) if hours < 0.0 => self.is(Fault::NegativeDelay),
            Some(hours) if hours > 720.0 => self.is(Fault::AnyDelay),
            Some(hours) if hours >= 720.0 => !self.is(Fault::ShortDelay),
            Some(hours) => hours.fract() == 0.0 || !self.is(Fault::IntegerHours),
        };
        if is_allowed { Ok(()) } else { Err(invalid("delayOldSecretsExpirationHours")) }
    }

    /// Returns the secret of a rotation that is known, or a new one.
    fn rotated(&self, installation: &str, id: &str, known: Option<String>) -> Result<String, Refusal> {
        let mut store = self.store();
        let new = store.new_secret();
        let is_removed = store.is_known(id) && store.find(None, id).is_none();
        if is_removed && self.is(Fault::RotatesRemoved) {
            return Ok(new);
        }
        let unknown = if self.is(Fault::UnknownRotationIs400) { 400 } else { 404 };
        let resource = self.find(&mut store, installation, id, Fault::ForeignRotate);
        let resource = resource.ok_or_else(|| refused(unknown))?;
        let secret = match (self.fault, known) {
            (Fault::RotationKeepsSecret, _) => return Ok(resource.secret.clone()),
            (Fault::RotatesOnce, _) if resource.is_changed => return Ok(resource.secret.clone()),
            (Fault::RotatesAgain, _) | (_, None) => new,
            (_, Some(known)) => return Ok(known),
        };
        resource.secret.clone_from(&secret);
        resource.is_changed |= self.is(Fault::RotatesOnce);
        Ok(secret)
    }

    /// Sends the secrets of a rotation to Vercel.
    async fn complete(self, installation: String, id: String, secret: String) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let token = self.store().installations.get(&installation).map(|known| known.token.clone()).unwrap_or_default();
        let url = format!("{}/v1/installations/{installation}/resources/{id}/secrets", self.platform);
        let body = json!({ "secrets": [{ "name": "POMELO_URL", "value": secret }], "partial": true });
        let _ = self.http.put(url).bearer_auth(token).json(&body).send().await;
    }
}
