use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use maitre::{
    AccountNotice, Bind, Bound, Capabilities, Capability, CloseAccount, Deprovision, Deprovisioned, Failure, Listener,
    Notice, OpenAccount, PlanChange, PlanChanged, Provision, Provisioned, Reinstate, Result, Rotate, Rotated, SignOn,
    SignedOn, Suspend, Unbind, Unbound, Update, Updated,
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
    notice: Method<Notice, ()>,
    update: Method<Update, Updated>,
    bind: Method<Bind, Bound>,
    unbind: Method<Unbind, Unbound>,
    suspend: Method<Suspend, ()>,
    reinstate: Method<Reinstate, ()>,
    rotate: Method<Rotate, Rotated>,
    open_account: Method<OpenAccount, ()>,
    close_account: Method<CloseAccount, ()>,
    account_notice: Method<AccountNotice, ()>,
    widgets: Widgets,
    provision_delay: Mutex<Duration>,
    capabilities: Mutex<Capabilities>,
}

type ReplyFuture<A> = Pin<Box<dyn Future<Output = Result<A>> + Send>>;
type Script<Q, A> = Arc<dyn Fn(Q) -> ReplyFuture<A> + Send + Sync>;

/// One method: its requests so far and the script that overrides the default.
struct Method<Q, A> {
    requests: Mutex<Vec<Q>>,
    script: Mutex<Option<Script<Q, A>>>,
}

impl<Q, A> Default for Method<Q, A> {
    fn default() -> Self {
        Self { requests: Mutex::default(), script: Mutex::new(None) }
    }
}

impl<Q: Clone, A> Method<Q, A> {
    fn set_script<F>(&self, script: impl Fn(Q) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<A>> + Send + 'static,
    {
        let script: Script<Q, A> = Arc::new(move |request| Box::pin(script(request)));
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Some(script);
    }

    async fn call(&self, request: Q, widgets: impl FnOnce(Q) -> Result<A>) -> Result<A> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match script {
            Some(script) => script(request).await,
            None => widgets(request),
        }
    }

    fn requests(&self) -> Vec<Q> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Vendor {
    pub(crate) fn on_provision<F>(&self, script: impl Fn(Provision) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<Provisioned>> + Send + 'static,
    {
        self.0.provision.set_script(script);
    }

    /// Lets every provision take this long.
    pub(crate) fn delay_provisions(&self, delay: Duration) {
        *self.0.provision_delay.lock().unwrap_or_else(PoisonError::into_inner) = delay;
    }

    pub(crate) fn on_plan_change<F>(&self, script: impl Fn(PlanChange) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<PlanChanged>> + Send + 'static,
    {
        self.0.plan_change.set_script(script);
    }

    pub(crate) fn on_deprovision<F>(&self, script: impl Fn(Deprovision) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<Deprovisioned>> + Send + 'static,
    {
        self.0.deprovision.set_script(script);
    }

    pub(crate) fn on_single_sign_on<F>(&self, script: impl Fn(SignOn) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<SignedOn>> + Send + 'static,
    {
        self.0.single_sign_on.set_script(script);
    }

    pub(crate) fn on_notice<F>(&self, script: impl Fn(Notice) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.0.notice.set_script(script);
    }

    pub(crate) fn on_update<F>(&self, script: impl Fn(Update) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<Updated>> + Send + 'static,
    {
        self.0.update.set_script(script);
    }

    pub(crate) fn on_bind<F>(&self, script: impl Fn(Bind) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<Bound>> + Send + 'static,
    {
        self.0.bind.set_script(script);
    }

    pub(crate) fn on_unbind<F>(&self, script: impl Fn(Unbind) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<Unbound>> + Send + 'static,
    {
        self.0.unbind.set_script(script);
    }

    pub(crate) fn on_suspend<F>(&self, script: impl Fn(Suspend) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.0.suspend.set_script(script);
    }

    /// Declares a capability.
    pub(crate) fn declare(&self, capability: Capability) {
        let mut capabilities = self.0.capabilities.lock().unwrap_or_else(PoisonError::into_inner);
        *capabilities = capabilities.with(capability);
    }

    pub(crate) fn updates(&self) -> Vec<Update> {
        self.0.update.requests()
    }

    pub(crate) fn provisions(&self) -> Vec<Provision> {
        self.0.provision.requests()
    }

    pub(crate) fn plan_changes(&self) -> Vec<PlanChange> {
        self.0.plan_change.requests()
    }

    pub(crate) fn deprovisions(&self) -> Vec<Deprovision> {
        self.0.deprovision.requests()
    }

    pub(crate) fn sign_ons(&self) -> Vec<SignOn> {
        self.0.single_sign_on.requests()
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        self.0.notice.requests()
    }

    pub(crate) fn binds(&self) -> Vec<Bind> {
        self.0.bind.requests()
    }

    pub(crate) fn suspensions(&self) -> Vec<Suspend> {
        self.0.suspend.requests()
    }

    pub(crate) fn reinstatements(&self) -> Vec<Reinstate> {
        self.0.reinstate.requests()
    }

    pub(crate) fn on_rotate<F>(&self, script: impl Fn(Rotate) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<Rotated>> + Send + 'static,
    {
        self.0.rotate.set_script(script);
    }

    pub(crate) fn rotations(&self) -> Vec<Rotate> {
        self.0.rotate.requests()
    }

    pub(crate) fn opened_accounts(&self) -> Vec<OpenAccount> {
        self.0.open_account.requests()
    }

    pub(crate) fn closed_accounts(&self) -> Vec<CloseAccount> {
        self.0.close_account.requests()
    }

    pub(crate) fn account_notices(&self) -> Vec<AccountNotice> {
        self.0.account_notice.requests()
    }

    /// Returns the number of calls of all methods.
    pub(crate) fn calls(&self) -> usize {
        self.provisions().len()
            + self.plan_changes().len()
            + self.deprovisions().len()
            + self.sign_ons().len()
            + self.notices().len()
            + self.updates().len()
            + self.binds().len()
            + self.0.unbind.requests().len()
            + self.suspensions().len()
            + self.reinstatements().len()
            + self.rotations().len()
            + self.opened_accounts().len()
            + self.closed_accounts().len()
            + self.account_notices().len()
    }
}

impl Listener for Vendor {
    fn capabilities(&self) -> Capabilities {
        *self.0.capabilities.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let delay = *self.0.provision_delay.lock().unwrap_or_else(PoisonError::into_inner);
        tokio::time::sleep(delay).await;
        self.0.provision.call(request, |request| self.0.widgets.provision(&request)).await
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        self.0.plan_change.call(request, |request| self.0.widgets.plan_change(&request)).await
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        self.0.deprovision.call(request, |request| self.0.widgets.deprovision(&request)).await
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        self.0.single_sign_on.call(request, |request| self.0.widgets.single_sign_on(&request)).await
    }

    async fn notice(&self, request: Notice) -> Result<()> {
        self.0.notice.call(request, |_| Ok(())).await
    }

    async fn update(&self, request: Update) -> Result<Updated> {
        self.0.update.call(request, |_| Err(Failure::refused("Widgets have no parameters."))).await
    }

    async fn bind(&self, request: Bind) -> Result<Bound> {
        let shared = |request: Bind| request.config.as_ref().map(Bound::from);
        self.0.bind.call(request, |it| shared(it).ok_or_else(|| Failure::from_display("no config vars"))).await
    }

    async fn unbind(&self, request: Unbind) -> Result<Unbound> {
        self.0.unbind.call(request, |_| Ok(Unbound::new())).await
    }

    async fn rotate(&self, request: Rotate) -> Result<Rotated> {
        self.0.rotate.call(request, |_| Err(Failure::refused("Widgets have no credentials."))).await
    }

    async fn open_account(&self, request: OpenAccount) -> Result<()> {
        self.0.open_account.call(request, |_| Ok(())).await
    }

    async fn close_account(&self, request: CloseAccount) -> Result<()> {
        self.0.close_account.call(request, |_| Ok(())).await
    }

    async fn account_notice(&self, request: AccountNotice) -> Result<()> {
        self.0.account_notice.call(request, |_| Ok(())).await
    }

    async fn suspend(&self, request: Suspend) -> Result<()> {
        self.0.suspend.call(request, |_| Ok(())).await
    }

    async fn reinstate(&self, request: Reinstate) -> Result<()> {
        self.0.reinstate.call(request, |_| Ok(())).await
    }
}
