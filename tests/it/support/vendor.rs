use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use maitre::{
    Deprovision, Deprovisioned, Listener, PlanChange, PlanChanged, PlanWarning, Provision, Provisioned, Result, SignOn,
    SignedOn,
};

use super::widgets::Widgets;

/// Listener that records every request and replies by a script or, by default, as [`Widgets`] does.
#[derive(Clone, Default)]
pub(crate) struct Vendor(Arc<Inner>);

#[derive(Default)]
struct Inner {
    provision: Method<Provision, Provisioned>,
    plan_change: Method<PlanChange, PlanChanged>,
    deprovision: Method<Deprovision, Deprovisioned>,
    single_sign_on: Method<SignOn, SignedOn>,
    plan_warning: Method<PlanWarning, ()>,
    shop: Widgets,
}

type Answer<A> = Pin<Box<dyn Future<Output = Result<A>> + Send>>;
type Script<Q, A> = Arc<dyn Fn(Q) -> Answer<A> + Send + Sync>;

/// One method: its requests so far and the script that overrides the default.
struct Method<Q, A> {
    asked: Mutex<Vec<Q>>,
    script: Mutex<Option<Script<Q, A>>>,
}

impl<Q, A> Default for Method<Q, A> {
    fn default() -> Self {
        Self { asked: Mutex::default(), script: Mutex::new(None) }
    }
}

impl<Q: Clone, A> Method<Q, A> {
    fn say<F>(&self, script: impl Fn(Q) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<A>> + Send + 'static,
    {
        let script: Script<Q, A> = Arc::new(move |request| Box::pin(script(request)));
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Some(script);
    }

    async fn answer(&self, request: Q, shop: impl FnOnce(Q) -> Result<A>) -> Result<A> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match script {
            Some(script) => script(request).await,
            None => shop(request),
        }
    }

    fn asked(&self) -> Vec<Q> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Vendor {
    pub(crate) fn on_provision<F>(&self, script: impl Fn(Provision) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<Provisioned>> + Send + 'static,
    {
        self.0.provision.say(script);
    }

    pub(crate) fn on_plan_change<F>(&self, script: impl Fn(PlanChange) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<PlanChanged>> + Send + 'static,
    {
        self.0.plan_change.say(script);
    }

    pub(crate) fn on_deprovision<F>(&self, script: impl Fn(Deprovision) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<Deprovisioned>> + Send + 'static,
    {
        self.0.deprovision.say(script);
    }

    pub(crate) fn on_single_sign_on<F>(&self, script: impl Fn(SignOn) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<SignedOn>> + Send + 'static,
    {
        self.0.single_sign_on.say(script);
    }

    pub(crate) fn on_plan_warning<F>(&self, script: impl Fn(PlanWarning) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.0.plan_warning.say(script);
    }

    pub(crate) fn provisions(&self) -> Vec<Provision> {
        self.0.provision.asked()
    }

    pub(crate) fn plan_changes(&self) -> Vec<PlanChange> {
        self.0.plan_change.asked()
    }

    pub(crate) fn deprovisions(&self) -> Vec<Deprovision> {
        self.0.deprovision.asked()
    }

    pub(crate) fn sign_ons(&self) -> Vec<SignOn> {
        self.0.single_sign_on.asked()
    }

    pub(crate) fn plan_warnings(&self) -> Vec<PlanWarning> {
        self.0.plan_warning.asked()
    }

    /// Returns the number of calls of all methods.
    pub(crate) fn calls(&self) -> usize {
        self.provisions().len()
            + self.plan_changes().len()
            + self.deprovisions().len()
            + self.sign_ons().len()
            + self.plan_warnings().len()
    }
}

impl Listener for Vendor {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        self.0.provision.answer(request, |request| self.0.shop.provision(&request)).await
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        self.0.plan_change.answer(request, |request| self.0.shop.plan_change(&request)).await
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        self.0.deprovision.answer(request, |request| self.0.shop.deprovision(&request)).await
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        self.0.single_sign_on.answer(request, |request| self.0.shop.single_sign_on(&request)).await
    }

    async fn plan_warning(&self, request: PlanWarning) -> Result<()> {
        self.0.plan_warning.answer(request, |_| Ok(())).await
    }
}
