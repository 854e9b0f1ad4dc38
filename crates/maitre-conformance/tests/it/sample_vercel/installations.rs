//! Installations.

use std::time::Duration;

use serde_json::{Value, json};

use super::request::Received;
use super::store::{Installation, State};
use super::{Answer, Fault, PLANS, SampleVercel, invalid, parsed, refused, response};

impl SampleVercel {
    /// Waits as an add-on that works without a lock. Returns false if the same is being done already.
    pub(super) async fn works_alone(&self, key: String) -> bool {
        if !self.store().in_progress.insert(key.clone()) {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.store().in_progress.remove(&key);
        true
    }

    pub(super) async fn install(&self, id: &str, received: &Received) -> Answer {
        let body = parsed(&received.body).ok_or_else(|| refused(400))?;
        let token = body["credentials"]["access_token"].as_str().filter(|token| !token.is_empty());
        match self.fault {
            Fault::AccountNeeded if !body["account"].is_object() => return Err(invalid("account")),
            Fault::DeniesUnknownInstallFields if body.get("a-later-field").is_some() => return Err(refused(400)),
            _ if token.is_none() && !self.is(Fault::NoCredentialsNeeded) => return Err(invalid("credentials")),
            Fault::ConcurrentInstallIs500 if !self.works_alone(format!("install {id}")).await => {
                return Err(refused(500));
            }
            _ => {}
        }
        let mut store = self.store();
        let known = store.installations.get(id).map(|known| known.state);
        match known {
            Some(State::Gone) => return Err(refused(409)),
            Some(_) if self.is(Fault::RepeatedInstallIs409) => return Err(refused(409)),
            Some(_) if self.is(Fault::RepeatedInstallRemoves) => {
                store.remove_all(|resource| resource.installation == id);
            }
            _ => {}
        }
        let state = known.unwrap_or(State::Active);
        let token = token.unwrap_or_default().to_owned();
        store.installations.insert(id.to_owned(), Installation { token, state });
        Ok(match self.fault {
            Fault::InstallIs202 => response(202, &json!({})),
            Fault::InvalidInstallationPlan => response(200, &json!({ "billingPlan": {} })),
            _ => response(204, &Value::Null),
        })
    }

    pub(super) fn read_installation(&self, id: &str) -> Answer {
        let state = self.store().installations.get(id).map(|known| known.state);
        let is_read = match state {
            _ if self.is(Fault::NoInstallationRead) => false,
            Some(State::Gone) => self.is(Fault::ReadsWhenGone),
            None => self.is(Fault::AnyInstallation),
            Some(_) => true,
        };
        if is_read { Ok(response(200, &json!({}))) } else { Err(refused(404)) }
    }

    /// Has no plans of installations.
    pub(super) fn update_installation(&self, id: &str, received: &Received) -> Answer {
        let body = parsed(&received.body).unwrap_or_default();
        if !body["billingPlanId"].is_null() && !self.is(Fault::AnyInstallationPlan) {
            return Err(invalid("billingPlanId"));
        }
        self.read_installation(id)
    }

    pub(super) async fn uninstall(&self, id: &str, received: &Received) -> Answer {
        let body = parsed(&received.body);
        if self.is(Fault::UninstallNeedsBody) && body.is_none() {
            return Err(refused(400));
        }
        if self.is(Fault::ConcurrentUninstallIs500) && !self.works_alone(format!("uninstall {id}")).await {
            return Err(refused(500));
        }
        let cascade = body.is_some_and(|body| body["cascadeResourceDeletion"] == true);
        let mut store = self.store();
        let state = store.installations.get(id).map(|known| known.state);
        match state {
            None if self.is(Fault::UnknownUninstallIs500) => return Err(refused(500)),
            Some(State::Gone | State::Finalizing) if self.is(Fault::RepeatedUninstallIs404) => {
                return Err(refused(404));
            }
            None | Some(State::Gone) => return Ok(response(204, &Value::Null)),
            Some(_) => {}
        }
        let is_paid = |plan: &str| PLANS.iter().any(|(name, is_paid)| *name == plan && *is_paid);
        let is_billed = store.resources.iter().any(|resource| resource.installation == id && is_paid(&resource.plan));
        if self.is(Fault::UninstallRemovesAll) {
            store.remove_all(|_| true);
        } else if cascade && !self.is(Fault::NoCascade) {
            store.remove_all(|resource| resource.installation == id);
        }
        let has_resources = store.resources.iter().any(|resource| resource.installation == id && !resource.is_removed);
        let finalized = match self.fault {
            Fault::NeverFinalizes => false,
            Fault::AlwaysFinalizes => true,
            _ => !is_billed && !has_resources,
        };
        let state = if finalized { State::Gone } else { State::Finalizing };
        store.installations.get_mut(id).unwrap().state = state;
        Ok(match self.fault {
            Fault::FinalizedIsText => response(200, &json!({ "finalized": "yes" })),
            _ => response(200, &json!({ "finalized": finalized })),
        })
    }
}
