//! Reads, changes and deprovisions.

use serde_json::{Value, json};

use super::provision::is_plan;
use super::request::Received;
use super::store::{Resource, State, Store};
use super::{Answer, Fault, Refusal, SampleVercel, invalid, parsed, refused, response};

impl SampleVercel {
    /// Finds a resource of the installation; of any, with a fault.
    pub(super) fn find<'s>(
        &self,
        store: &'s mut Store,
        installation: &str,
        id: &str,
        foreign: Fault,
    ) -> Option<&'s mut Resource> {
        store.find((!self.is(foreign)).then_some(installation), id)
    }

    pub(super) fn read(&self, installation: &str, id: &str) -> Answer {
        let mut store = self.store();
        let unknown = if self.is(Fault::UnknownReadIs400) && !store.is_known(id) { 400 } else { 404 };
        let resource = self.find(&mut store, installation, id, Fault::ForeignRead);
        let resource = resource.filter(|_| !self.is(Fault::NoRead)).ok_or_else(|| refused(unknown))?;
        if self.is(Fault::PendingReadIs409) {
            return Err(refused(409));
        }
        let mut body = resource.json();
        match self.fault {
            Fault::ReadWithoutStatus => drop(body.as_object_mut().unwrap().remove("status")),
            Fault::ReadHasOtherName => body["name"] = json!("another name"),
            Fault::ReadSendsSecrets => body["secrets"] = resource.secrets(),
            _ => {}
        }
        Ok(response(200, &body))
    }

    pub(super) fn update(&self, installation: &str, id: &str, received: &Received) -> Answer {
        let body = parsed(&received.body).unwrap_or_else(|| json!({}));
        let mut store = self.store();
        if self.is(Fault::UpdatesRemoved) && store.is_known(id) && store.find(None, id).is_none() {
            return Ok(response(200, &json!({})));
        }
        let unknown = if self.is(Fault::UnknownUpdateIs400) { 400 } else { 404 };
        let resource = self.find(&mut store, installation, id, Fault::ForeignUpdate);
        let resource = resource.ok_or_else(|| refused(unknown))?;
        let before = resource.json();
        self.change(resource, &body)?;
        let mut reply = if self.is(Fault::RenameAnswersOldName) { before } else { resource.json() };
        if self.is(Fault::UpdateSendsSecrets) {
            reply["secrets"] = resource.secrets();
        }
        if self.is(Fault::ForgetsPlanChange) {
            "basic".clone_into(&mut resource.plan);
        }
        let has_plan = body.get("billingPlanId").is_some();
        Ok(response(if self.is(Fault::PlanChangeIs204) && has_plan { 204 } else { 200 }, &reply))
    }

    fn change(&self, resource: &mut Resource, body: &Value) -> Result<(), Refusal> {
        let (name, plan) = (body["name"].as_str(), body["billingPlanId"].as_str());
        match (self.fault, name, plan) {
            (Fault::RenameIs422, Some(_), _) => return Err(refused(422)),
            (Fault::EmptyUpdateIs400, None, None) => return Err(refused(400)),
            (Fault::SamePlanIs409, _, Some(plan)) if plan == resource.plan => return Err(refused(409)),
            (Fault::NameBeforePlan, Some(name), _) => name.clone_into(&mut resource.name),
            _ => {}
        }
        if plan.is_some_and(|plan| !is_plan(plan)) && !self.is(Fault::AnyPlanInUpdate) {
            return Err(invalid("billingPlanId"));
        }
        if let Some(name) = name {
            name.clone_into(&mut resource.name);
            resource.is_changed = true;
            if self.is(Fault::RenameChangesPlan) {
                "premium".clone_into(&mut resource.plan);
            }
        }
        if let Some(plan) = plan {
            plan.clone_into(&mut resource.plan);
        }
        Ok(())
    }

    pub(super) async fn deprovision(&self, installation: &str, id: &str) -> Answer {
        if self.is(Fault::ConcurrentDeprovisionIs500) && !self.works_alone(format!("deprovision {id}")).await {
            return Err(refused(500));
        }
        let mut store = self.store();
        let state = store.installations.get(installation).map(|known| known.state);
        if self.is(Fault::LateDeprovisionIs409) && state != Some(State::Active) {
            return Err(refused(409));
        }
        let is_known = store.is_known(id);
        let done =
            if self.is(Fault::DeprovisionIs200) { response(200, &json!({})) } else { response(204, &Value::Null) };
        let Some(resource) = self.find(&mut store, installation, id, Fault::ForeignDeprovision) else {
            return match self.fault {
                Fault::RepeatedDeprovisionIs500 if is_known => Err(refused(500)),
                Fault::UnknownDeprovisionIs400 if !is_known => Err(refused(400)),
                _ => Ok(done),
            };
        };
        resource.is_removed = match self.fault {
            Fault::DeprovisionKeeps => false,
            Fault::ChangedStays => !resource.is_changed,
            _ => true,
        };
        if self.is(Fault::DeprovisionRemovesAll) {
            store.remove_all(|resource| resource.installation == installation);
        }
        Ok(done)
    }
}
