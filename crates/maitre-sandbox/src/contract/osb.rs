//! Platforms of the Open Service Broker API. A space has instances, and an app gets the credentials of an instance by a binding.

use std::collections::BTreeMap;

use maitre_conformance::Marketplace;
use maitre_testkit::{
    Osb, Reply, Request,
    osb::{BindingId, InstanceId},
    platform::{Install, Platform, State},
};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    credentials::Credentials,
    definition::{Action, Contract, Poll, Profile, SignOnForm, Visit},
    facts::Facts,
    fields::{json_of, options},
    osb_catalog::OsbCatalog,
    osb_operation::{Outcome, Pending, Step},
    suspension,
};
use crate::{entry::Kind, retry::Lifecycle};

const PROFILE: Profile = Profile {
    marketplace: Marketplace::OpenServiceBroker,
    customer: "Space",
    options: Some("Parameters"),
    regions: &[],
    is_one_per_app: false,
    api: None,
    api_calls: &[],
    has_tokens: false,
    sign_on_check: None,
    deletes_orphans: true,
};

const BIND: Action = Action::new("bind", "Bind app");
const UNBIND: Action = Action::new("unbind", "Unbind app");
const FETCH: Action = Action::new("fetch", "Fetch instance");
const CATALOG: Action = Action::new("catalog", "Fetch catalog");
// the specification has no suspension; IBM Cloud adds it
const DISABLE: Action = Action::new(suspension::SUSPEND.name, "Disable (IBM Cloud)");
const ENABLE: Action = Action::new(suspension::REINSTATE.name, "Enable (IBM Cloud)");

/// Organization of all spaces.
const ORGANIZATION: &str = "5a9d7f2c-0e41-4a3b-8f6d-1c7b2e9d4a60";

/// Fact of an instance: the service that it was provisioned of.
const SERVICE: &str = "service";

/// Fact of an instance: the URL of its dashboard.
const DASHBOARD: &str = "dashboard-url";

/// Fact of an instance: the id of its binding, which may not exist yet.
const BINDING: &str = "binding";

pub(super) struct OsbContract {
    osb: Osb,
    /// URL of the dashboard if the broker has sent none.
    default_dashboard: String,
    catalog: OsbCatalog,
    platform: Platform,
    facts: Facts,
}

impl OsbContract {
    pub(super) fn new(credentials: &Credentials, platform: &Platform, facts: &Facts) -> Self {
        Self {
            osb: Osb::new(&credentials.root, &credentials.id, &credentials.password),
            default_dashboard: credentials.root.clone(),
            catalog: OsbCatalog::new(facts),
            platform: platform.clone(),
            facts: facts.clone(),
        }
    }

    /// Returns the ids of an instance on this plan.
    fn on_plan(&self, install: &Install, plan: &str) -> InstanceId {
        let service = self.facts.get(install.uuid(), SERVICE);
        let (service, plan) = self.catalog.ids(service.as_deref(), plan);
        InstanceId::new(install.uuid(), &service, &plan)
    }

    fn instance(&self, install: &Install) -> InstanceId {
        self.on_plan(install, &install.plan())
    }

    /// Returns the binding of an instance, or a new one.
    fn binding(&self, install: &Install) -> BindingId {
        let instance = self.instance(install);
        let Some(id) = self.facts.get(install.uuid(), BINDING) else {
            let binding = instance.new_binding();
            self.facts.set(install.uuid(), BINDING, binding.id());
            return binding;
        };
        instance.binding(&id)
    }

    fn space(&self, install: &Install) -> String {
        self.platform.app(&install.app()).id().to_owned()
    }

    fn pending(&self, install: &Install) -> Option<Pending> {
        Pending::of(&self.facts, install)
    }

    /// Records that a response began an asynchronous operation.
    fn begin(&self, install: &Install, step: Step, reply: &Reply) {
        Pending::new(step, reply, self.platform.clock().now()).save(&self.facts, install);
    }

    fn record_dashboard(&self, install: &Install, body: &Value) {
        if let Some(url) = body["dashboard_url"].as_str() {
            self.facts.set(install.uuid(), DASHBOARD, url);
        }
    }

    fn forget_binding(&self, install: &Install) {
        self.facts.remove(install.uuid(), BINDING);
        install.replace_config(BTreeMap::new());
    }

    /// Records the end of the pending operation.
    fn complete(&self, install: &Install, pending: Pending) {
        match pending.step {
            Step::Provision => install.complete_provision(),
            Step::Update(plan) => install.record_plan_change_as(&plan, 200, &json!({})),
            Step::Deprovision => install.remove_silently(),
            Step::Unbind => self.forget_binding(install),
            // the credentials are only in the binding
            Step::Bind => pending.then(Step::FetchBinding).save(&self.facts, install),
            Step::FetchBinding => {}
        }
    }
}

impl Contract for OsbContract {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn successes(&self, kind: Kind) -> &'static [u16] {
        match kind {
            Kind::Provision => &[200, 201, 202],
            Kind::PlanChange => &[200, 202],
            Kind::Deprovision => &[200, 202, 410],
            _ => &[200, 201, 202, 410],
        }
    }

    fn preparation(&self, _install: &Install) -> Option<(String, Request)> {
        (!self.catalog.is_known()).then(|| (CATALOG.label.to_owned(), self.osb.catalog().request()))
    }

    fn record_preparation(&self, _install: &Install, reply: &Reply) {
        self.catalog.record(reply);
    }

    fn provision(&self, install: &Install) -> Request {
        let (instance, space) = (self.instance(install), self.space(install));
        self.facts.set(install.uuid(), SERVICE, instance.service_id());
        let context = json!({
            "platform": "cloudfoundry",
            "organization_guid": ORGANIZATION,
            "organization_name": "sandbox",
            "space_guid": space,
            "space_name": install.app(),
            "instance_name": install.name(),
        });
        let call = self.osb.provision(&instance).set("organization_guid", ORGANIZATION).set("space_guid", space);
        let call = call.set("context", context).set("parameters", parameters(install));
        match self.catalog.maintenance_version(instance.plan_id()) {
            Some(version) => call.set("maintenance_info", json!({ "version": version })).request(),
            None => call.request(),
        }
    }

    fn plan_change(&self, install: &Install, plan: &str) -> Request {
        let plan = self.on_plan(install, plan);
        self.osb.update(&self.instance(install), plan.plan_id()).request()
    }

    fn deprovision(&self, install: &Install) -> Request {
        self.osb.deprovision(&self.instance(install)).request()
    }

    /// The platform does not sign users on: it opens the dashboard, which has a login of its own.
    fn sign_on(&self, install: &Install, _visit: &Visit) -> SignOnForm {
        let dashboard = self.facts.get(install.uuid(), DASHBOARD);
        SignOnForm::link(dashboard.as_deref().unwrap_or(&self.default_dashboard))
    }

    fn renew_sign_on(&self, _fields: &BTreeMap<String, String>, _at: OffsetDateTime) -> Option<SignOnForm> {
        None
    }

    fn has_dashboard(&self, install: &Install) -> bool {
        self.facts.has(install.uuid(), DASHBOARD)
    }

    /// The credentials come with a binding.
    fn record_provision(&self, install: &Install, reply: &Reply) {
        let body = json_of(reply);
        let fields = json!({ "id": install.uuid(), "message": body["description"] });
        install.record_provision_as(reply.status(), &fields);
        self.record_dashboard(install, &body);
        if reply.status() == 202 {
            self.begin(install, Step::Provision, reply);
        }
    }

    fn record_plan_change(&self, install: &Install, plan: &str, reply: &Reply) {
        let body = json_of(reply);
        self.record_dashboard(install, &body);
        if reply.status() == 202 {
            return self.begin(install, Step::Update(plan.to_owned()), reply);
        }
        install.record_plan_change_as(plan, reply.status(), &json!({ "message": body["description"] }));
    }

    /// A success with another status is a failure, and repeated.
    fn record_deprovision(&self, install: &Install, reply: &Reply) {
        Pending::forget(&self.facts, install);
        match reply.status() {
            202 => {
                self.begin(install, Step::Deprovision, reply);
                install.record_deprovision_failure(); // it is being deprovisioned
            }
            200 | 404 | 410 => install.record_deprovision(reply),
            _ => {}
        }
    }

    fn poll(&self, install: &Install) -> Option<Poll> {
        let pending = self.pending(install)?;
        let (instance, operation) = (self.instance(install), pending.operation.as_deref());
        let request = match pending.step {
            Step::Provision | Step::Update(_) | Step::Deprovision => {
                self.osb.last_operation(&instance, operation).request()
            }
            Step::Bind | Step::Unbind => self.osb.last_binding_operation(&self.binding(install), operation).request(),
            Step::FetchBinding => self.osb.fetch_binding(&self.binding(install)).request(),
        };
        Some(Poll { title: pending.step.title(), request, delay: pending.delay() })
    }

    fn record_poll(&self, install: &Install, reply: &Reply) -> Option<Lifecycle> {
        let pending = self.pending(install)?;
        let body = json_of(reply);
        let limit = self.catalog.maximum_polling_duration(self.instance(install).plan_id());
        match pending.read(reply, self.platform.clock().now(), limit) {
            Outcome::InProgress(pending) => {
                pending.save(&self.facts, install);
                None
            }
            Outcome::Succeeded => {
                Pending::forget(&self.facts, install);
                if pending.step == Step::FetchBinding {
                    record_binding(install, &body);
                }
                self.complete(install, pending);
                None
            }
            Outcome::Failed => {
                Pending::forget(&self.facts, install);
                fail(install, &pending.step, &body)
            }
        }
    }

    fn actions(&self, install: &Install) -> Vec<Action> {
        if install.state() != State::Provisioned || self.pending(install).is_some() {
            return Vec::new();
        }
        let instance = self.instance(install);
        let mut actions = Vec::new();
        if self.facts.has(install.uuid(), BINDING) {
            actions.push(UNBIND);
        } else if self.catalog.is_bindable(&instance) {
            actions.push(BIND);
        }
        if self.catalog.is_retrievable(&instance) {
            actions.push(FETCH);
        }
        let is_suspended = suspension::is_suspended(&self.facts, install.uuid());
        actions.extend([if is_suspended { ENABLE } else { DISABLE }, CATALOG]);
        actions
    }

    fn act(&self, install: &Install, action: &str, _value: &str) -> Option<Request> {
        let instance = self.instance(install);
        let set_enabled = |is_enabled| {
            let reason = if is_enabled { "IBMCLOUD_ACCT_ACTIVATE" } else { "IBMCLOUD_ACCT_SUSPEND" };
            self.osb.set_enabled(&instance, is_enabled, reason).request()
        };
        Some(match action {
            "bind" => {
                let app = self.space(install);
                let call = self.osb.bind(&self.binding(install)).set("app_guid", app.as_str());
                call.set("bind_resource", json!({ "app_guid": app })).request()
            }
            "unbind" => self.osb.unbind(&self.binding(install)).request(),
            "fetch" => self.osb.fetch(&instance).request(),
            "catalog" => self.osb.catalog().request(),
            "suspend" => set_enabled(false),
            "reinstate" => set_enabled(true),
            _ => return None,
        })
    }

    fn record_action(&self, install: &Install, action: &str, reply: &Reply) {
        match (action, reply.status()) {
            ("bind", 202) => self.begin(install, Step::Bind, reply),
            ("bind", _) => record_binding(install, &json_of(reply)),
            ("unbind", 202) => self.begin(install, Step::Unbind, reply),
            ("unbind", _) => self.forget_binding(install),
            ("catalog", _) => self.catalog.record(reply),
            _ => suspension::record(&self.facts, install, action),
        }
    }

    /// A bind that may have left something is deleted, and a failed deletion is repeated.
    fn after_failed_action(&self, install: &Install, action: &str, status: Option<u16>) -> Option<Lifecycle> {
        let is_refused = status.is_some_and(|status| (400..500).contains(&status));
        match action {
            "bind" if is_refused => {
                self.forget_binding(install);
                None
            }
            "bind" | "unbind" if !is_refused => Some(Lifecycle::action(UNBIND.name)),
            _ => None,
        }
    }
}

fn record_binding(install: &Install, body: &Value) {
    let credentials = body["credentials"].as_object().into_iter().flatten();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    install.replace_config(credentials.map(|(name, value)| (name.clone(), text(value))).collect());
}

/// Records that the pending operation failed. Returns the call that follows: a failed creation is deleted, and a failed
/// deletion is repeated.
fn fail(install: &Install, step: &Step, body: &Value) -> Option<Lifecycle> {
    // only the message of this reply is recorded
    install.record_plan_change_as(&install.plan(), 422, &json!({ "message": body["description"] }));
    match step {
        Step::Provision | Step::Deprovision => Some(Lifecycle::Deprovision),
        Step::Update(_) => None,
        Step::Bind | Step::FetchBinding | Step::Unbind => Some(Lifecycle::action(UNBIND.name)),
    }
}

/// Returns the parameters of a provision. Numbers and `true` or `false` are sent as such.
fn parameters(install: &Install) -> Value {
    let Value::Object(mut parameters) = options(install) else { return json!({}) };
    for value in parameters.values_mut() {
        let parsed = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        if let Some(scalar) = parsed.filter(|parsed| parsed.is_number() || parsed.is_boolean()) {
            *value = scalar;
        }
    }
    parameters.into()
}
