//! The add-on under test, as Heroku calls it in the checks of one worker.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use maitre_testkit::Call;
use maitre_testkit::heroku::Provision;

use super::addon::{Addon, TargetOptions};
use super::fake_platform::FakePlatform;
use super::resource::Resource;
use crate::address::Address;
use crate::check::Capability;
use crate::cleanup::{Created, Ids};
use crate::error::SetupError;
use crate::manifest_input::ManifestInput;
use crate::response::Response;
use crate::timestamps::Timestamps;
use crate::verdict::Stop;
use crate::wire::Wire;

/// Capabilities of a check that changes a plan, or that uses a plan change to test whether a resource exists.
pub(super) const PLAN_CHANGE: &[Capability] = &[Capability::PlanChange];

/// Capabilities of a check that changes to another plan.
pub(super) const TWO_PLANS: &[Capability] = &[Capability::PlanChange, Capability::SecondPlan];

const INCOMPLETE: &str = "the add-on answers 202 but does not complete the provision";
const NEEDS_PLATFORM: &str = "the add-on answers 202 and completes later, which requires a platform to call";

/// The add-on under test, with the resources and the exchanges of one worker.
pub(crate) struct Target {
    addon: Arc<Addon>,
    pub(super) wire: Wire,
    /// Observations of the first requests.
    pub(super) seen: Seen,
    /// Shared by all workers.
    pub(super) works: Arc<Works>,
    pub(super) shared: tokio::sync::Mutex<Option<Resource>>,
    /// Whether a check used a shared resource of an earlier one.
    pub(super) reused: AtomicBool,
    pub(super) timestamps: Timestamps,
}

/// Observations of the first requests, before the checks.
#[derive(Clone, Default)]
pub(super) struct Seen {
    /// Mode of the first provision; empty if it did not succeed.
    pub(super) first_provision: OnceLock<ProvisionMode>,
    /// Reason why plan changes cannot be checked: the add-on refuses them for every plan, which it may.
    pub(super) lacks_plan_change: OnceLock<()>,
    /// Reason why only a provision is worth a check.
    pub(super) unusable: OnceLock<Unusable>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProvisionMode {
    Synchronous,
    Asynchronous,
}

/// Reason why an add-on cannot be checked any further than by one provision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    /// Every response is a server error.
    ServerErrors,
    /// A provision is not answered.
    NoAnswer,
}

/// Whether an ordinary request of each kind is known to succeed. Only then is a refusal meaningful.
#[derive(Default)]
pub(super) struct Works {
    provision: AtomicBool,
    plan_change: AtomicBool,
    deprovision: AtomicBool,
    pub(super) tokens: AtomicBool,
    /// Whether a wrong token is known to be answered 403.
    pub(super) refusals: AtomicBool,
    /// Uuids of the resources by their ids.
    uuids: Mutex<BTreeMap<String, String>>,
    /// Ids of the created resources.
    ids: Ids,
}

impl Target {
    pub(crate) fn new(
        input: &ManifestInput,
        address: Address,
        options: TargetOptions,
        platform: Option<FakePlatform>,
    ) -> Result<Self, SetupError> {
        let timeout = options.timeout;
        let addon = Addon::new(input, address, options, platform)?;
        let works = Arc::<Works>::default();
        let wire = Wire::new(timeout, addon.secrets(), Arc::new(Created::new(addon.routes(), works.ids.clone())));
        let wire = match &addon.platform {
            Some(platform) => wire.on_reply(platform.reply_observer()),
            None => wire,
        };
        Ok(Self::with_wire(Arc::new(addon), wire, Seen::default(), works))
    }

    fn with_wire(addon: Arc<Addon>, wire: Wire, seen: Seen, works: Arc<Works>) -> Self {
        let (shared, reused, timestamps) =
            (tokio::sync::Mutex::default(), AtomicBool::new(false), Timestamps::default());
        Self { addon, wire, seen, works, shared, reused, timestamps }
    }

    /// Returns a target for another worker, without resources.
    pub(super) fn fork_target(&self) -> Self {
        let wire = self.wire.fork(Arc::new(Created::new(self.routes(), self.works.ids.clone())));
        Self::with_wire(self.addon.clone(), wire, self.seen.clone(), self.works.clone())
    }

    /// Forgets what is known to work, after a check failed.
    pub(super) fn doubt(&self) {
        self.works.provision.store(false, Ordering::Relaxed);
    }

    /// Creates a resource for this check only. An asynchronous provision may still be running.
    pub(super) async fn new_resource(&self) -> Result<Resource, Stop> {
        let resource = self.create_from(self.provision()).await?;
        self.works.provision.store(true, Ordering::Relaxed);
        let mut uuids = self.works.uuids.lock().unwrap_or_else(PoisonError::into_inner);
        if uuids.entry(resource.id.clone()).or_insert_with(|| resource.uuid.clone()) != &resource.uuid {
            let reason = "a resource has the id of an earlier one (see heroku.provision.ids-stay-unique)";
            return Err(Stop::skipped(reason));
        }
        Ok(resource)
    }

    /// Creates two resources for this check only, concurrently. They may have the same id.
    pub(super) async fn two_resources(&self) -> Result<(Resource, Resource), Stop> {
        let create = || self.create_from(self.provision());
        let (one, other) = tokio::join!(create(), create());
        Ok((one?, other?))
    }

    /// Skips the check unless an ordinary provision succeeds.
    pub(super) async fn require_provision(&self) -> Result<(), Stop> {
        if self.works.provision.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.new_resource().await.map(drop)
    }

    /// Skips the check unless an ordinary plan change succeeds.
    pub(super) async fn require_plan_change(&self) -> Result<(), Stop> {
        if self.works.plan_change.load(Ordering::Relaxed) {
            return Ok(());
        }
        let response = self.probe(&self.ready_resource().await?).await?;
        if response.is_success() {
            self.works.plan_change.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let status = response.status();
        let reason = format!("a change to the current plan is answered {status} (see heroku.plan-change.same-plan)");
        Err(Stop::skipped(reason))
    }

    /// Skips the check unless an ordinary deprovision succeeds.
    pub(super) async fn require_deprovision(&self) -> Result<(), Stop> {
        if self.works.deprovision.load(Ordering::Relaxed) {
            return Ok(());
        }
        let response = self.wire.send(self.deprovision(&self.new_resource().await?)).await?;
        must_be_deprovisioned(&response)?;
        self.works.deprovision.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub(super) async fn create_from(&self, provision: Call<Provision>) -> Result<Resource, Stop> {
        let response = self.wire.send(provision.clone()).await?;
        Resource::from_response(provision, response)
    }

    /// Creates a resource for this check only, and waits until it is provisioned.
    pub(super) async fn ready_resource(&self) -> Result<Resource, Stop> {
        self.require_ready()?;
        let resource = self.new_resource().await?;
        self.await_completion(&resource).await?;
        Ok(resource)
    }

    /// Returns a provisioned resource that is shared by the checks of this worker. They must not deprovision it.
    pub(super) async fn shared_resource(&self) -> Result<Resource, Stop> {
        self.require_ready()?;
        let mut shared = self.shared.lock().await;
        if let Some(resource) = &*shared {
            self.reused.store(true, Ordering::Relaxed);
            return Ok(resource.clone());
        }
        let resource = self.new_resource().await?;
        self.await_completion(&resource).await?;
        self.wire.created().keep(&resource.uuid);
        self.wire.created().keep(&resource.id);
        *shared = Some(resource.clone());
        Ok(resource)
    }

    /// Skips the check if provisions cannot complete.
    pub(super) fn require_ready(&self) -> Result<(), Stop> {
        match (self.seen.first_provision.get(), &self.platform) {
            (Some(ProvisionMode::Asynchronous), None) => Err(Stop::skipped(NEEDS_PLATFORM)),
            (_, Some(platform)) if platform.has_timed_out() => Err(self.incomplete()),
            _ => Ok(()),
        }
    }

    /// Waits until an asynchronous provision completes.
    pub(super) async fn await_completion(&self, resource: &Resource) -> Result<(), Stop> {
        match &self.platform {
            Some(platform) if !platform.wait_provisioned(&resource.uuid).await => Err(self.incomplete()),
            _ => Ok(()),
        }
    }

    fn incomplete(&self) -> Stop {
        Stop::skipped(format!("{INCOMPLETE} (see {})", self.completion_check()))
    }

    /// Creates and deprovisions a resource.
    pub(super) async fn deprovisioned_resource(&self) -> Result<Resource, Stop> {
        let resource = self.new_resource().await?;
        let response = self.wire.send(self.deprovision(&resource)).await?;
        if response.status() == 202 {
            return Err(Stop::skipped("a deprovision is answered 202, so its completion cannot be observed"));
        }
        must_be_deprovisioned(&response)?;
        Ok(resource)
    }

    /// Tests whether a resource exists by a change to its own plan.
    pub(super) async fn probe(&self, resource: &Resource) -> Result<Response, Stop> {
        self.wire.send(self.plan_change(resource, self.plan())).await
    }
}

impl Deref for Target {
    type Target = Addon;

    fn deref(&self) -> &Addon {
        &self.addon
    }
}

/// Skips the check unless the deprovision succeeded.
pub(super) fn must_be_deprovisioned(response: &Response) -> Result<(), Stop> {
    if response.is_success() {
        return Ok(());
    }
    let status = response.status();
    Err(Stop::skipped(format!("a deprovision is answered {status} (see heroku.deprovision.succeeds)")))
}
