//! Transfers of resources to another team.

use serde_json::{Value, json};

use super::request::Received;
use super::store::Claim;
use super::{Answer, Fault, Refusal, SampleVercel, parsed, refused, response};

impl SampleVercel {
    pub(super) fn request_transfer(&self, installation: &str, received: &Received) -> Answer {
        let body = parsed(&received.body).unwrap_or_default();
        let mut store = self.store();
        let mut resources = Vec::new();
        for id in body["resourceIds"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.find(&mut store, installation, id, Fault::ForeignTransfer).ok_or_else(|| refused(404))?;
            resources.push(id.to_owned());
        }
        let claim = format!("claim_{}", store.number());
        store.claims.insert(claim.clone(), Claim { resources, target: None });
        let status = if self.is(Fault::ClaimIs201) { 201 } else { 200 };
        Ok(response(status, &json!({ "providerClaimId": claim })))
    }

    /// Finds a claim that the installation may accept.
    fn claim(&self, installation: &str, claim: &str) -> Result<Claim, Refusal> {
        let unknown = if self.is(Fault::UnknownClaimIs400) { 400 } else { 404 };
        let known = self.store().claims.get(claim).cloned().ok_or_else(|| refused(unknown))?;
        match known.target.as_deref() {
            Some(target) if target != installation && !self.is(Fault::AnyTargetAccepts) => Err(refused(409)),
            Some(_) if self.is(Fault::SecondAcceptIs409) => Err(refused(409)),
            _ => Ok(known),
        }
    }

    pub(super) fn verify_transfer(&self, installation: &str, claim: &str) -> Answer {
        self.claim(installation, claim)?;
        Ok(response(
            200,
            &match self.fault {
                Fault::TransferPlanIsText => json!({ "newBillingPlan": "basic" }),
                _ => json!({ "newBillingPlan": super::plans::plan("basic") }),
            },
        ))
    }

    pub(super) fn accept_transfer(&self, installation: &str, claim: &str) -> Answer {
        let known = self.claim(installation, claim)?;
        let mut store = self.store();
        if !self.is(Fault::NothingMoves) {
            for resource in store.resources.iter_mut().filter(|resource| known.resources.contains(&resource.id)) {
                installation.clone_into(&mut resource.installation);
            }
        }
        store.claims.insert(claim.to_owned(), Claim { target: Some(installation.to_owned()), ..known });
        let body = json!({});
        Ok(if self.is(Fault::AcceptIs200) { response(200, &body) } else { response(204, &Value::Null) })
    }
}
