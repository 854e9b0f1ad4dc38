//! The broker under test, as a platform calls it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use maitre_testkit::osb::{BindingId, InstanceId, Operation};
use maitre_testkit::{Call, Osb};
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::sleep;

use super::created::Created;
use super::offer::{Offer, plan_names};
use crate::check::{Capability, Check};
use crate::error::SetupError;
use crate::marketplace::Marketplace;
use crate::response::Response;
use crate::run::CheckTarget;
use crate::subject::Credentials;
use crate::verdict::{Stop, Verdict};
use crate::wire::Wire;

/// Time between two polls: the first, and the longest.
const POLL_INTERVALS: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(500)];

/// Groups of checks that only need an answer to `GET /v2/catalog`.
const BEFORE_THE_CATALOG: [&str; 2] = ["osb.catalog", "osb.auth"];

/// The broker under test.
pub(crate) struct Target {
    pub(super) wire: Wire,
    pub(super) osb: Osb,
    pub(super) user: String,
    pub(super) password: String,
    root: String,
    plans: Vec<String>,
    async_timeout: Duration,
    created: Arc<Created>,
    offer: OnceLock<Offer>,
    /// Status of the first response to `GET /v2/catalog`.
    catalog_status: OnceLock<u16>,
    provision: OnceLock<Mode>,
    bind: OnceLock<Mode>,
    has_suspension: AtomicBool,
    shared: tokio::sync::Mutex<Option<InstanceId>>,
    pub(super) works: Works,
}

/// Reasons to skip checks that build on an ordinary request of each kind; `None` if it succeeds. Only then is the response to
/// an unusual one meaningful.
#[derive(Default)]
pub(super) struct Works {
    pub(super) update: OnceCell<Option<String>>,
    pub(super) delete: OnceCell<Option<String>>,
    pub(super) bind: OnceCell<Option<String>>,
    pub(super) unbind: OnceCell<Option<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Synchronous,
    Asynchronous,
}

impl Mode {
    /// Returns the mode that a successful response shows.
    fn of(response: &Response) -> Option<Self> {
        match response.status() {
            200 | 201 => Some(Self::Synchronous),
            202 => Some(Self::Asynchronous),
            _ => None,
        }
    }
}

/// End of an asynchronous operation, with the last response.
pub(super) enum Polled {
    Succeeded,
    Failed(Response),
    /// 404 or 410.
    Gone(Response),
    /// Another response than the state of an operation.
    Invalid(Response),
    TimedOut(Response),
}

impl Target {
    pub(crate) fn new(
        credentials: &Credentials,
        root: &str,
        plans: Vec<String>,
        timeout: Duration,
        async_timeout: Duration,
    ) -> Self {
        let Credentials { user, password } = credentials.clone();
        let osb = Osb::new(root, &user, &password);
        let created = Arc::new(Created::new(osb.clone(), root, async_timeout));
        Self {
            wire: Wire::new(timeout, vec![password.clone()], created.clone()),
            osb,
            user,
            password,
            root: root.to_owned(),
            plans,
            async_timeout,
            created,
            offer: OnceLock::new(),
            catalog_status: OnceLock::new(),
            provision: OnceLock::new(),
            bind: OnceLock::new(),
            has_suspension: AtomicBool::new(false),
            shared: tokio::sync::Mutex::default(),
            works: Works::default(),
        }
    }

    pub(super) fn offer(&self) -> Result<&Offer, Stop> {
        self.offer.get().ok_or_else(|| Stop::skipped(NO_OFFER))
    }

    /// Returns a new instance of the first plan.
    pub(super) fn instance(&self) -> Result<InstanceId, Stop> {
        let offer = self.offer()?;
        Ok(self.osb.new_instance(&offer.service_id, &offer.plan.id))
    }

    /// Returns an instance of the first plan with this id.
    pub(super) fn instance_with_id(&self, id: &str) -> Result<InstanceId, Stop> {
        let offer = self.offer()?;
        Ok(InstanceId::new(id, &offer.service_id, &offer.plan.id))
    }

    /// Returns the id of the plan to change to.
    pub(super) fn other_plan(&self) -> Result<&str, Stop> {
        let other = self.offer()?.other_plan.as_ref();
        other.map(|plan| plan.id.as_str()).ok_or_else(|| Stop::skipped(ONE_PLAN))
    }

    /// Creates an instance for this check only, and waits until it is provisioned.
    pub(super) async fn new_instance(&self) -> Result<InstanceId, Stop> {
        let instance = self.instance()?;
        self.create(self.osb.provision(&instance), &instance).await?;
        Ok(instance)
    }

    /// Sends a provision, and waits until it is complete. Returns the first response.
    pub(super) async fn create(&self, call: Call<Operation>, instance: &InstanceId) -> Result<Response, Stop> {
        let response = self.wire.send(call).await?;
        self.await_instance(instance, &response).await?;
        Ok(response)
    }

    /// Waits until a provision is complete; skips the check if it does not succeed.
    async fn await_instance(&self, instance: &InstanceId, response: &Response) -> Result<(), Stop> {
        match response.status() {
            200 | 201 => Ok(()),
            202 => match self.poll(instance, response).await? {
                Polled::Succeeded => Ok(()),
                _ => {
                    Err(Stop::skipped("a provision is answered 202 but does not complete (see osb.polling.completes)"))
                }
            },
            status => Err(Stop::skipped(format!("a provision is answered {status} (see osb.provision.succeeds)"))),
        }
    }

    /// Returns a provisioned instance that is shared by checks. They must not change or delete it.
    pub(super) async fn shared_instance(&self) -> Result<InstanceId, Stop> {
        let mut shared = self.shared.lock().await;
        if let Some(instance) = &*shared {
            return Ok(instance.clone());
        }
        let instance = self.new_instance().await?;
        self.wire.created().keep(instance.id());
        *shared = Some(instance.clone());
        Ok(instance)
    }

    /// Creates a binding of this instance, and waits until it is complete. Returns the first response, too.
    pub(super) async fn new_binding(&self, instance: &InstanceId) -> Result<(BindingId, Response), Stop> {
        let binding = instance.new_binding();
        let response = self.wire.send(self.osb.bind(&binding)).await?;
        self.await_binding(&binding, &response).await?;
        Ok((binding, response))
    }

    /// Waits until a bind is complete; skips the check if it does not succeed.
    pub(super) async fn await_binding(&self, binding: &BindingId, response: &Response) -> Result<(), Stop> {
        match response.status() {
            200 | 201 => Ok(()),
            202 => match self.poll_binding(binding, response).await? {
                Polled::Succeeded => Ok(()),
                _ => Err(Stop::skipped(
                    "a bind is answered 202 but does not complete (see osb.polling.binding-completes)",
                )),
            },
            status => Err(Stop::skipped(format!("a bind is answered {status} (see osb.binding.succeeds)"))),
        }
    }

    /// Deletes an instance, and waits until it is gone. Skips the check if this fails.
    pub(super) async fn remove(&self, instance: &InstanceId) -> Result<(), Stop> {
        let response = self.wire.send(self.osb.deprovision(instance)).await?;
        match response.status() {
            200 => Ok(()),
            202 => match self.poll(instance, &response).await? {
                Polled::Succeeded | Polled::Gone(_) => Ok(()),
                _ => Err(Stop::skipped(
                    "a DELETE is answered 202 but does not complete (see osb.polling.delete-completes)",
                )),
            },
            status => Err(Stop::skipped(format!("a DELETE is answered {status} (see osb.deprovision.succeeds)"))),
        }
    }

    /// Requires that an instance does not exist, as a DELETE shows.
    pub(super) async fn must_be_absent(&self, instance: &InstanceId, when: &str) -> Result<(), Stop> {
        let unknown = self.wire.send(self.osb.deprovision(&self.instance()?)).await?;
        if unknown.is_success() {
            return Err(Stop::skipped("a DELETE of an unknown instance succeeds (see osb.orphans.unknown-instance)"));
        }
        let response = self.wire.send(self.osb.deprovision(instance)).await?;
        if response.is_success() {
            return Err(response.fault(
                format!("The instance exists {when}: its DELETE succeeds."),
                "Do not create anything before the request is known to be valid.",
            ));
        }
        Ok(())
    }

    /// Deletes a binding, and waits until it is gone. Skips the check if this fails.
    pub(super) async fn remove_binding(&self, binding: &BindingId) -> Result<(), Stop> {
        let response = self.wire.send(self.osb.unbind(binding)).await?;
        match response.status() {
            200 => Ok(()),
            202 => match self.poll_binding(binding, &response).await? {
                Polled::Succeeded | Polled::Gone(_) => Ok(()),
                _ => Err(Stop::skipped("an unbind is answered 202 but does not complete (see osb.unbind.succeeds)")),
            },
            status => Err(Stop::skipped(format!("an unbind is answered {status} (see osb.unbind.succeeds)"))),
        }
    }

    /// Polls the operation of a 202 until it ends.
    pub(super) async fn poll(&self, instance: &InstanceId, accepted: &Response) -> Result<Polled, Stop> {
        let operation = operation_of(accepted);
        self.poll_until_end(|| self.osb.last_operation(instance, operation.as_deref())).await
    }

    /// Polls the operation of a 202 to a bind or unbind until it ends.
    pub(super) async fn poll_binding(&self, binding: &BindingId, accepted: &Response) -> Result<Polled, Stop> {
        let operation = operation_of(accepted);
        self.poll_until_end(|| self.osb.last_binding_operation(binding, operation.as_deref())).await
    }

    /// Requires that a bind is refused, or accepted and failed later.
    pub(super) async fn must_not_bind(&self, binding: &BindingId, advice: &'static str) -> Verdict {
        let response = self.wire.send(self.osb.bind(binding)).await?;
        self.must_fail(response, |operation| self.osb.last_binding_operation(binding, operation), advice).await
    }

    /// Requires that a plan change is refused, or accepted and failed later.
    pub(super) async fn must_not_update(&self, instance: &InstanceId, plan: &str, advice: &'static str) -> Verdict {
        let response = self.wire.send(self.osb.update(instance, plan)).await?;
        self.must_fail(response, |operation| self.osb.last_operation(instance, operation), advice).await
    }

    /// Requires that a response is a refusal, or that the operation of a 202 fails.
    async fn must_fail(
        &self,
        response: Response,
        poll: impl Fn(Option<&str>) -> Call<Operation>,
        advice: &'static str,
    ) -> Verdict {
        if response.status() != 202 {
            return response.must_be_refused(advice);
        }
        let operation = operation_of(&response);
        match self.poll_until_end(|| poll(operation.as_deref())).await? {
            Polled::Failed(_) | Polled::Gone(_) => Ok(()),
            Polled::Succeeded => Err(response.fault("The operation of this response has succeeded.", advice)),
            Polled::Invalid(last) | Polled::TimedOut(last) => Err(last.fault("The operation does not fail.", advice)),
        }
    }

    async fn poll_until_end(&self, call: impl Fn() -> Call<Operation>) -> Result<Polled, Stop> {
        let deadline = Instant::now() + self.async_timeout;
        let [mut interval, longest] = POLL_INTERVALS;
        loop {
            let response = self.wire.send(call()).await?;
            let state = response.json().map(|body| body["state"].clone()).unwrap_or_default();
            match (response.status(), state.as_str()) {
                (404 | 410, _) => return Ok(Polled::Gone(response)),
                (200, Some("succeeded")) => return Ok(Polled::Succeeded),
                (200, Some("failed")) => return Ok(Polled::Failed(response)),
                (200, Some("in progress")) if Instant::now() < deadline => {}
                (200, Some("in progress")) => return Ok(Polled::TimedOut(response)),
                _ => return Ok(Polled::Invalid(response)),
            }
            sleep(interval).await;
            interval = (interval * 3 / 2).min(longest);
        }
    }

    /// Returns whether provisions are answered 202.
    pub(super) fn provisions_asynchronously(&self) -> bool {
        self.provision.get() == Some(&Mode::Asynchronous)
    }

    /// Reads the catalog and chooses what to provision.
    async fn read_catalog(&self) -> Result<(), SetupError> {
        let response = match self.wire.try_send(self.osb.catalog()).await {
            Ok(response) => response,
            Err(no_response) => return no_response.unless_connected(&self.url()), // otherwise the checks report it
        };
        let _ = self.catalog_status.set(response.status()); // set only here
        if response.status() == 404 {
            return Err(SetupError::new(format!(
                "nothing is mounted at {}: GET is answered 404. Pass the URL above /v2 with --url",
                self.url()
            )));
        }
        let catalog = response.json().filter(|_| response.status() == 200).unwrap_or(Value::Null);
        match Offer::choose(&catalog, &self.plans) {
            Some(offer) => {
                self.created.set_fallback(&offer.service_id, &offer.plan.id);
                let _ = self.offer.set(offer); // set only here
            }
            None if !self.plans.is_empty() && response.status() == 200 => {
                return Err(SetupError::new(format!(
                    "no service of the catalog has the plans {}: it has {}",
                    self.plans.join(", "),
                    plan_names(&catalog).join(", ")
                )));
            }
            None => {}
        }
        Ok(())
    }

    /// Creates an instance and a binding, which show what the broker supports.
    async fn detect(&self) -> Result<(), Stop> {
        let instance = self.instance()?;
        let response = self.wire.send(self.osb.provision(&instance)).await?;
        Mode::of(&response).map(|mode| self.provision.set(mode));
        self.await_instance(&instance, &response).await?;
        self.wire.created().keep(instance.id());
        *self.shared.lock().await = Some(instance.clone());
        let state = self.wire.send(self.osb.state(&instance)).await?;
        self.has_suspension.store(state.status() == 200, Ordering::Relaxed);
        if self.offer()?.plan.bindable {
            let binding = instance.new_binding();
            let response = self.wire.send(self.osb.bind(&binding)).await?;
            Mode::of(&response).map(|mode| self.bind.set(mode));
        }
        Ok(())
    }
}

const NO_OFFER: &str = "the catalog has no service with a plan (see osb.catalog.succeeds)";
const ONE_PLAN: &str = "the service has only one plan, or only one was named with --plan";

impl CheckTarget for Target {
    const MARKETPLACE: Marketplace = Marketplace::OpenServiceBroker;

    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn url(&self) -> String {
        maitre_core::mask_urls(&format!("{}/v2/catalog", self.root))
    }

    fn lacks(&self, capability: Capability) -> Option<String> {
        let offer = self.offer.get()?; // otherwise blocked
        let is = |flag: bool, reason: &str| (!flag).then(|| reason.to_owned());
        match capability {
            Capability::SecondPlan => is(offer.other_plan.is_some(), ONE_PLAN),
            Capability::PlanChange => is(offer.plan.updateable, "the plan is not plan_updateable"),
            Capability::NoPlanChange => is(!offer.plan.updateable, "the plan is plan_updateable"),
            Capability::Bindings => is(offer.plan.bindable, "the plan is not bindable"),
            Capability::NoBindings => is(!offer.plan.bindable, "the plan is bindable"),
            Capability::FetchInstance => is(offer.instances_retrievable, "the service is not instances_retrievable"),
            Capability::FetchBinding => is(offer.bindings_retrievable, "the service is not bindings_retrievable"),
            Capability::MaintenanceInfo => {
                is(offer.plan.maintenance_version.is_some(), "the plan has no maintenance_info")
            }
            Capability::Synchronous => is(!self.provisions_asynchronously(), "the broker answers 202 to a provision"),
            Capability::Asynchronous => {
                is(self.provisions_asynchronously(), "the broker provisions synchronously, without a 202")
            }
            Capability::AsynchronousBindings => {
                is(self.bind.get() == Some(&Mode::Asynchronous), "the broker binds synchronously, without a 202")
            }
            Capability::Suspension => {
                is(self.has_suspension.load(Ordering::Relaxed), "the broker does not have IBM Cloud's routes")
            }
            _ => None,
        }
    }

    fn is_offline(_check: &Check) -> bool {
        false
    }

    fn blocked(&self, check: &Check) -> Option<String> {
        if self.catalog_status.get() == Some(&401) {
            let is_cause = check.id == "osb.auth.right-credentials";
            return (!is_cause).then(|| "the credentials are refused (see osb.auth.right-credentials)".to_owned());
        }
        let needs_offer = !BEFORE_THE_CATALOG.contains(&check.group());
        (needs_offer && self.offer.get().is_none()).then(|| NO_OFFER.to_owned())
    }

    async fn setup(&self) -> Result<(), SetupError> {
        self.read_catalog().await?;
        if self.offer.get().is_some() {
            let _ = self.detect().await; // the checks report what does not work
        }
        Ok(())
    }

    async fn teardown(&self) {
        *self.shared.lock().await = None;
        self.wire.created().release_kept();
    }
}

/// Returns the operation of a 202.
pub(super) fn operation_of(response: &Response) -> Option<String> {
    response.json()?["operation"].as_str().map(ToOwned::to_owned)
}
