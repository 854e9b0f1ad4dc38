//! The product, and its listener.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use maitre::{Deprovision, Deprovisioned, Failure, Listener, PlanChange, PlanChanged};
use maitre::{Provision, Provisioned, SignOn, SignedOn};

/// Lights of one kind, in memory. A clone has the same lights.
#[derive(Clone)]
pub(crate) struct Lights {
    /// Slug of the add-on.
    pub(crate) kind: &'static str,
    /// Sizes of the lights, by resource key.
    sizes: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Lights {
    pub(crate) fn new(kind: &'static str) -> Self {
        Self { kind, sizes: Arc::default() }
    }

    pub(crate) fn size(&self, key: &str) -> Option<String> {
        self.sizes().get(key).cloned()
    }

    pub(crate) fn count(&self) -> usize {
        self.sizes().len()
    }

    /// Creates or changes a light.
    fn set(&self, key: &str, plan: String) -> maitre::Result<()> {
        if !["small", "large"].contains(&plan.as_str()) {
            return Err(Failure::refused("Choose small or large."));
        }
        self.sizes().insert(key.to_owned(), plan);
        Ok(())
    }

    fn sizes(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.sizes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Lights {
    async fn provision(&self, request: Provision) -> maitre::Result<Provisioned> {
        self.set(request.resource.as_str(), request.plan)?;
        let url = format!("https://lights.example/{}s/{}", self.kind, request.resource);
        let name = format!("{}_URL", self.kind.to_uppercase());
        Ok(Provisioned::new(request.resource).with_config(name, url))
    }

    async fn plan_change(&self, request: PlanChange) -> maitre::Result<PlanChanged> {
        self.set(request.resource.as_str(), request.plan)?;
        Ok(PlanChanged::new())
    }

    async fn deprovision(&self, request: Deprovision) -> maitre::Result<Deprovisioned> {
        self.sizes().remove(request.resource.as_str());
        Ok(Deprovisioned::new())
    }

    async fn single_sign_on(&self, request: SignOn) -> maitre::Result<SignedOn> {
        Ok(SignedOn::redirect(format!("/{}s/dashboard", self.kind)).with_session("resource", request.resource))
    }
}
