//! Operations: what a router passes to a backend.

use std::future::Future;
use std::time::Duration;

use maitre_core::{
    Addon, AddonId, Backend, Bind, BindingId, Bound, Context, Deprovision, Deprovisioned, Failure, Fetch, FetchBinding,
    Fields, LastOperation, Marketplace, Notice, OperationKind, OperationStatus, Outcome, PlanChange, PlanChanged,
    Provision, Provisioned, Reinstate, ResourceDetails, ResourceId, Result, Rotate, Rotated, Suspend, Unbind, Unbound,
    Update, Updated,
};

/// A request to a backend, and the backend's method for it. It is implemented for all requests of `maitre-core` about a
/// resource, and for [`Change`].
pub trait Operation: Send + Sized + 'static {
    /// Name in metrics.
    const NAME: &'static str;

    /// The backend's reply.
    type Reply: Send + Sync + 'static;

    /// Returns the kind of operation.
    fn kind(&self) -> OperationKind;

    /// Returns the resource.
    fn resource(&self) -> &ResourceId;

    /// Returns the binding, if the request has one.
    fn binding(&self) -> Option<&BindingId> {
        None
    }

    /// Returns the plan, if the request has one.
    fn plan(&self) -> Option<&str> {
        None
    }

    /// Returns the time after which the operation may be accepted, by the add-on's settings.
    fn async_after<M: Marketplace>(&self, addon: &Addon<M>) -> Option<Duration> {
        let _ = addon;
        None
    }

    /// Returns the execution context. Requests that only read have none.
    fn context_mut(&mut self) -> Option<&mut Context> {
        None
    }

    /// Calls the backend.
    fn run<B: Backend>(self, backend: &B) -> impl Future<Output = Result<Outcome<Self::Reply>>> + Send;

    /// Checks the backend's reply.
    ///
    /// # Errors
    /// Returns an error if it cannot be answered.
    fn check(reply: &Self::Reply) -> Result<()> {
        let _ = reply;
        Ok(())
    }
}

/// Implements [`Operation`] for a request: `recorded` methods return an outcome, others a reply.
macro_rules! operation {
    ($kind:ident($request:ty) -> $reply:ty, $method:ident, $($rest:tt)*) => {
        impl Operation for $request {
            const NAME: &'static str = stringify!($method);
            type Reply = $reply;

            fn kind(&self) -> OperationKind {
                OperationKind::$kind
            }
            fn resource(&self) -> &ResourceId {
                &self.resource
            }
            operation!(@ $method($request) -> $reply, $($rest)*);
        }
    };
    (@ $method:ident($request:ty) -> $reply:ty, recorded $($rest:tt)*) => {
        fn run<B: Backend>(self, backend: &B) -> impl Future<Output = Result<Outcome<$reply>>> + Send {
            backend.$method(self)
        }
        fn context_mut(&mut self) -> Option<&mut Context> {
            Some(&mut self.context)
        }
        $($rest)*
    };
    (@ $method:ident($request:ty) -> $reply:ty, direct $($rest:tt)*) => {
        async fn run<B: Backend>(self, backend: &B) -> Result<Outcome<$reply>> {
            backend.$method(self).await.map(Outcome::Done)
        }
        $($rest)*
    };
}

operation!(Provision(Provision) -> Provisioned, provision, recorded
    fn plan(&self) -> Option<&str> {
        Some(&self.plan)
    }
    fn async_after<M: Marketplace>(&self, addon: &Addon<M>) -> Option<Duration> {
        addon.async_after().filter(|_| self.context.keyed)
    }
    fn check(reply: &Provisioned) -> Result<()> {
        if reply.id().as_str().is_empty() {
            tracing::error!("the listener returned an empty id: return an id for later requests");
            return Err(Failure::unavailable("an empty id"));
        }
        Ok(())
    }
);
operation!(PlanChange(PlanChange) -> PlanChanged, plan_change, recorded
    fn plan(&self) -> Option<&str> {
        Some(&self.plan)
    }
    fn async_after<M: Marketplace>(&self, addon: &Addon<M>) -> Option<Duration> {
        addon.async_after()
    }
);
operation!(Update(Update) -> Updated, update, recorded
    fn async_after<M: Marketplace>(&self, addon: &Addon<M>) -> Option<Duration> {
        addon.async_after()
    }
);
operation!(Deprovision(Deprovision) -> Deprovisioned, deprovision, recorded
    fn async_after<M: Marketplace>(&self, addon: &Addon<M>) -> Option<Duration> {
        addon.async_deprovision_after()
    }
);
operation!(Bind(Bind) -> Bound, bind, recorded
    fn binding(&self) -> Option<&BindingId> {
        Some(&self.binding)
    }
    fn plan(&self) -> Option<&str> {
        self.plan.as_deref()
    }
);
operation!(Unbind(Unbind) -> Unbound, unbind, recorded
    fn binding(&self) -> Option<&BindingId> {
        Some(&self.binding)
    }
);
operation!(Rotate(Rotate) -> Rotated, rotate, recorded);
operation!(Suspend(Suspend) -> (), suspend, direct
    fn context_mut(&mut self) -> Option<&mut Context> {
        Some(&mut self.context)
    }
);
operation!(Reinstate(Reinstate) -> (), reinstate, direct
    fn context_mut(&mut self) -> Option<&mut Context> {
        Some(&mut self.context)
    }
);
operation!(Notice(Notice) -> (), notice, direct);
operation!(LastOperation(LastOperation) -> OperationStatus, last_operation, direct
    fn binding(&self) -> Option<&BindingId> {
        self.binding.as_ref()
    }
);
operation!(Fetch(Fetch) -> ResourceDetails, fetch, direct);
operation!(FetchBinding(FetchBinding) -> Bound, fetch_binding, direct
    fn binding(&self) -> Option<&BindingId> {
        Some(&self.binding)
    }
);

/// A change of a resource in contracts where one route changes the plan, the parameters, or both.
#[derive(Debug, Clone)]
pub enum Change {
    /// The plan changes, and perhaps the parameters.
    Plan(PlanChange),
    /// Only the parameters or the name change.
    Parameters(Update),
}

impl Change {
    /// Creates a change of the plan if there is one, and otherwise of the parameters.
    ///
    /// ```
    /// use maitre_axum::{Change, core::AddonId};
    ///
    /// let addon = AddonId::new("fair", "lantern");
    /// assert!(matches!(Change::new(addon.clone(), "12", Some("brass"), None), Change::Plan(_)));
    /// assert!(matches!(Change::new(addon, "12", None, None), Change::Parameters(_)));
    /// ```
    pub fn new(
        addon: AddonId,
        resource: impl Into<ResourceId>,
        plan: Option<&str>,
        parameters: Option<Fields>,
    ) -> Self {
        if let Some(plan) = plan {
            let mut request = PlanChange::new(addon, resource, plan);
            request.parameters = parameters;
            return Self::Plan(request);
        }
        let mut request = Update::new(addon, resource);
        request.parameters = parameters.unwrap_or_default();
        Self::Parameters(request)
    }

    /// Sets the service of the catalog.
    #[must_use]
    pub fn with_service(mut self, service: impl Into<String>) -> Self {
        match &mut self {
            Self::Plan(request) => request.service = Some(service.into()),
            Self::Parameters(request) => request.service = Some(service.into()),
        }
        self
    }

    /// Sets the fields that only this marketplace sends.
    #[must_use]
    pub fn with_details(mut self, details: Fields) -> Self {
        match &mut self {
            Self::Plan(request) => request.details = details,
            Self::Parameters(request) => request.details = details,
        }
        self
    }
}

/// Reply to a [`Change`].
#[derive(Debug, Clone)]
pub enum Changed {
    /// The plan has changed.
    Plan(PlanChanged),
    /// The parameters have changed.
    Parameters(Updated),
}

impl Changed {
    /// Returns the new URL of the dashboard.
    #[must_use]
    pub fn dashboard_url(&self) -> Option<&str> {
        match self {
            Self::Plan(reply) => reply.dashboard_url(),
            Self::Parameters(reply) => reply.dashboard_url(),
        }
    }
}

impl Operation for Change {
    const NAME: &'static str = "change";
    type Reply = Changed;

    fn kind(&self) -> OperationKind {
        match self {
            Self::Plan(_) => OperationKind::PlanChange,
            Self::Parameters(_) => OperationKind::Update,
        }
    }
    fn resource(&self) -> &ResourceId {
        match self {
            Self::Plan(request) => &request.resource,
            Self::Parameters(request) => &request.resource,
        }
    }
    fn plan(&self) -> Option<&str> {
        match self {
            Self::Plan(request) => Some(&request.plan),
            Self::Parameters(_) => None,
        }
    }
    fn async_after<M: Marketplace>(&self, addon: &Addon<M>) -> Option<Duration> {
        addon.async_after()
    }
    fn context_mut(&mut self) -> Option<&mut Context> {
        Some(match self {
            Self::Plan(request) => &mut request.context,
            Self::Parameters(request) => &mut request.context,
        })
    }
    async fn run<B: Backend>(self, backend: &B) -> Result<Outcome<Changed>> {
        Ok(match self {
            Self::Plan(request) => backend.plan_change(request).await?.map(Changed::Plan),
            Self::Parameters(request) => backend.update(request).await?.map(Changed::Parameters),
        })
    }
}
