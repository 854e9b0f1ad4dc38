//! Operations on an endpoint and on its account, whose plan all of its endpoints have.

use maitre_axum::core::{
    AccountId, Backend, Capability, CloseAccount, FailureKind, Fetch, FetchAccount, OpenAccount, OperationKind,
    Outcome, PlanChange, PlanChanged, Provision, Provisioned, ResourceId, ResourceStatus, Result, Update,
};
use maitre_axum::{AccountOperation, Operation};

/// A deprovision of an account with all of its endpoints.
pub(crate) type AccountClosure = AccountOperation<CloseAccount>;

/// A provision of an endpoint. The newest request decides: a repeated one changes the endpoint.
pub(crate) struct EndpointProvision(pub(crate) Provision, pub(crate) EndpointChange);

impl Operation for EndpointProvision {
    const NAME: &'static str = "provision";
    type Reply = Provisioned;

    fn kind(&self) -> OperationKind {
        OperationKind::Provision
    }

    fn resource(&self) -> &ResourceId {
        &self.0.resource
    }

    fn plan(&self) -> Option<&str> {
        Some(&self.0.plan)
    }

    async fn run<B: Backend>(self, backend: &B) -> Result<Outcome<Provisioned>> {
        let Self(request, change) = self;
        let mut account = OpenAccount::new(request.addon.clone(), change.account.clone());
        account.reopen = true;
        backend.open_account(account).await?;
        let outcome = backend.provision(request).await?;
        if matches!(outcome, Outcome::Replayed(_)) {
            change.apply(backend).await?;
        }
        change.share_plan(backend).await?;
        Ok(outcome)
    }

    fn check(reply: &Provisioned) -> Result<()> {
        <Provision as Operation>::check(reply)
    }
}

/// An update of an endpoint: of the plan, or of its URLs and restrictions.
pub(crate) struct EndpointChange {
    pub(crate) account: AccountId,
    pub(crate) request: PlanChange,
}

impl Operation for EndpointChange {
    const NAME: &'static str = "change";
    type Reply = PlanChanged;

    fn kind(&self) -> OperationKind {
        OperationKind::PlanChange
    }

    fn resource(&self) -> &ResourceId {
        &self.request.resource
    }

    fn plan(&self) -> Option<&str> {
        Some(&self.request.plan)
    }

    async fn run<B: Backend>(self, backend: &B) -> Result<Outcome<PlanChanged>> {
        let outcome = self.apply(backend).await?;
        self.share_plan(backend).await?;
        Ok(outcome)
    }
}

impl EndpointChange {
    /// Calls the listener only for what differs from the record. Without a record, the plan is set.
    async fn apply<B: Backend>(&self, backend: &B) -> Result<Outcome<PlanChanged>> {
        let PlanChange { addon, resource, plan, parameters, details, .. } = &self.request;
        let record = match backend.fetch(Fetch::new(addon.clone(), resource.clone())).await {
            Err(failure) if failure.kind() == FailureKind::Unknown => None,
            record => Some(record?).filter(|record| record.status == ResourceStatus::Provisioned),
        };
        let Some(record) = record.filter(|record| record.plan == *plan) else {
            return backend.plan_change(self.request.clone()).await;
        };
        let parameters = parameters.clone().unwrap_or_default();
        if record.parameters.as_map() == parameters.as_map() {
            return Ok(Outcome::Done(PlanChanged::new()));
        }
        if !backend.capabilities().contains(Capability::Update) {
            tracing::info!(%resource, "endpoint changed: the listener does not handle updates");
            return Ok(Outcome::Done(PlanChanged::new()));
        }
        let mut update = Update::new(addon.clone(), resource.clone());
        (update.parameters, update.details) = (parameters, details.clone());
        update.context.reads_back = true;
        let outcome = backend.update(update).await?;
        Ok(outcome.map(|updated| {
            let vars = updated.config().iter().map(|(name, value)| (name, value.clone()));
            vars.fold(PlanChanged::new(), |reply, (name, value)| reply.with_config(name, value))
        }))
    }

    /// Changes the plan of the account's other endpoints, which a ledger knows.
    async fn share_plan<B: Backend>(&self, backend: &B) -> Result<()> {
        let PlanChange { addon, resource, plan, .. } = &self.request;
        let others = match backend.account_resources(FetchAccount::new(addon.clone(), self.account.clone())).await {
            Err(failure) if failure.kind() == FailureKind::Unknown => return Ok(()),
            resources => resources?.into_iter().filter(|other| other.lives && other.resource != *resource),
        };
        for other in others.filter(|other| other.plan.as_ref() != Some(plan)) {
            backend.plan_change(PlanChange::new(addon.clone(), other.resource, plan.clone())).await?;
        }
        Ok(())
    }
}
