//! A platform of the Open Service Broker API 2.17: its calls to a broker, and the two calls that IBM Cloud adds.

mod ids;
mod operation;

use std::{fmt, time::Duration};

use serde_json::{Value, json};

pub use self::{
    ids::{BindingId, InstanceId},
    operation::Operation,
};
use crate::{call::Call, endpoint::Endpoint, generate, path::segment, raw::Raw, sign};

/// Version that every call declares, unless [`Call::version`] sets another one.
const VERSION: &str = "2.17";

/// The time after which platforms usually count a request as failed.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Open Service Broker platform, from the point of view of one broker.
///
/// ```no_run
/// # async fn example() {
/// use maitre_testkit::Osb;
///
/// let osb = Osb::new("http://127.0.0.1:8300/osb", "tally", "password");
/// let catalog = osb.catalog().await.expect(200).json();
/// let service = &catalog["services"][0];
///
/// let instance = osb.new_instance(service["id"].as_str().unwrap(), service["plans"][0]["id"].as_str().unwrap());
/// osb.provision(&instance).await.expect(201);
/// let binding = instance.new_binding();
/// let credentials = osb.bind(&binding).await.expect(201).json()["credentials"].clone();
/// assert!(credentials.is_object());
///
/// // Every call can be made invalid.
/// osb.provision(&instance).without("plan_id").await.expect(400);
/// osb.deprovision(&instance).without_query("service_id").await.expect(400);
///
/// osb.unbind(&binding).await.expect(200);
/// osb.deprovision(&instance).await.expect(200);
/// # }
/// ```
///
/// `Debug` shows only the broker's URL and the user.
#[derive(Clone)]
pub struct Osb {
    endpoint: Endpoint,
    user: String,
}

impl Osb {
    /// Returns a platform that calls the broker at `root` (the URL above `/v2`) with these Basic credentials.
    ///
    /// ```
    /// use maitre_testkit::Osb;
    ///
    /// let osb = Osb::new("http://127.0.0.1:8300/osb/", "tally", "password");
    /// let request = osb.catalog().request();
    /// assert_eq!((request.method(), request.url()), ("GET", "http://127.0.0.1:8300/osb/v2/catalog"));
    /// assert_eq!(request.header("X-Broker-API-Version"), Some("2.17"));
    /// assert!(!format!("{osb:?} {request:?}").contains("password"));
    /// ```
    #[must_use]
    pub fn new(root: &str, user: &str, password: &str) -> Self {
        let headers = [("authorization", sign::basic(user, password)), (operation::VERSION_HEADER, VERSION.to_owned())];
        Self { endpoint: Endpoint::new(root, headers).with_timeout(TIMEOUT), user: user.to_owned() }
    }

    /// Returns a new instance of this service and plan, with a random id. The broker does not know it yet.
    #[must_use]
    pub fn new_instance(&self, service_id: &str, plan_id: &str) -> InstanceId {
        InstanceId::new(&generate::new_uuid(), service_id, plan_id)
    }

    /// `GET /v2/catalog`: the services that the broker offers.
    pub fn catalog(&self) -> Call<Operation> {
        self.call("GET", "/v2/catalog", Vec::new(), Vec::new())
    }

    /// `PUT /v2/service_instances/{id}`: a user creates the instance. The platform accepts an asynchronous response.
    ///
    /// ```
    /// use maitre_testkit::Osb;
    ///
    /// let osb = Osb::new("http://127.0.0.1:8300/osb", "tally", "password");
    /// let instance = osb.new_instance("tally-service", "tally-basic");
    /// let sent = osb.provision(&instance).accepts_incomplete(false).set("parameters", serde_json::json!({"zone": "b"}));
    /// assert!(sent.url().ends_with(instance.id()));
    /// let body: serde_json::Value = serde_json::from_slice(sent.request().body())?;
    /// assert_eq!((&body["plan_id"], &body["context"]["platform"]), (&"tally-basic".into(), &"cloudfoundry".into()));
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    pub fn provision(&self, instance: &InstanceId) -> Call<Operation> {
        let fields = vec![
            ("service_id", instance.service_id().into()),
            ("plan_id", instance.plan_id().into()),
            ("organization_guid", ORGANIZATION.into()),
            ("space_guid", SPACE.into()),
            ("context", context(instance)),
        ];
        self.call("PUT", &instance_path(instance), vec![accepts_incomplete()], fields)
    }

    /// `GET /v2/service_instances/{id}`: the platform reads the instance.
    pub fn fetch(&self, instance: &InstanceId) -> Call<Operation> {
        self.call("GET", &instance_path(instance), hints(instance), Vec::new())
    }

    /// `PATCH /v2/service_instances/{id}`: a user changes the plan, or with `.set("parameters", …)` and
    /// `.without("plan_id")` the parameters only.
    pub fn update(&self, instance: &InstanceId, plan_id: &str) -> Call<Operation> {
        let previous = json!({
            "service_id": instance.service_id(),
            "plan_id": instance.plan_id(),
            "organization_id": ORGANIZATION,
            "space_id": SPACE,
        });
        let fields = vec![
            ("service_id", instance.service_id().into()),
            ("plan_id", plan_id.into()),
            ("context", context(instance)),
            ("previous_values", previous),
        ];
        self.call("PATCH", &instance_path(instance), vec![accepts_incomplete()], fields)
    }

    /// `DELETE /v2/service_instances/{id}`: a user deletes the instance, or the platform cleans up after a provision of
    /// unknown result.
    pub fn deprovision(&self, instance: &InstanceId) -> Call<Operation> {
        let mut query = hints(instance);
        query.push(accepts_incomplete());
        self.call("DELETE", &instance_path(instance), query, Vec::new())
    }

    /// `GET /v2/service_instances/{id}/last_operation`: the platform polls a provision, update or deprovision, with the
    /// `operation` of its 202, if it has one.
    pub fn last_operation(&self, instance: &InstanceId, operation: Option<&str>) -> Call<Operation> {
        let path = format!("{}/last_operation", instance_path(instance));
        self.call("GET", &path, polled(instance, operation), Vec::new())
    }

    /// `PUT /v2/service_instances/{id}/service_bindings/{id}`: a user binds an app to the instance.
    pub fn bind(&self, binding: &BindingId) -> Call<Operation> {
        let instance = binding.instance();
        let fields = vec![
            ("service_id", instance.service_id().into()),
            ("plan_id", instance.plan_id().into()),
            ("app_guid", APP.into()),
            ("bind_resource", json!({ "app_guid": APP })),
            ("context", context(instance)),
        ];
        self.call("PUT", &binding_path(binding), vec![accepts_incomplete()], fields)
    }

    /// `GET /v2/service_instances/{id}/service_bindings/{id}`: the platform reads the binding.
    pub fn fetch_binding(&self, binding: &BindingId) -> Call<Operation> {
        self.call("GET", &binding_path(binding), hints(binding.instance()), Vec::new())
    }

    /// `DELETE /v2/service_instances/{id}/service_bindings/{id}`: a user unbinds the app.
    pub fn unbind(&self, binding: &BindingId) -> Call<Operation> {
        let mut query = hints(binding.instance());
        query.push(accepts_incomplete());
        self.call("DELETE", &binding_path(binding), query, Vec::new())
    }

    /// `GET …/service_bindings/{id}/last_operation`: the platform polls a bind or unbind.
    pub fn last_binding_operation(&self, binding: &BindingId, operation: Option<&str>) -> Call<Operation> {
        let path = format!("{}/last_operation", binding_path(binding));
        self.call("GET", &path, polled(binding.instance(), operation), Vec::new())
    }

    /// `GET /bluemix_v1/service_instances/{id}`: IBM Cloud reads whether the instance is enabled.
    pub fn state(&self, instance: &InstanceId) -> Call<Operation> {
        self.call("GET", &state_path(instance), Vec::new(), Vec::new())
    }

    /// `PUT /bluemix_v1/service_instances/{id}`: IBM Cloud suspends the instance, for example because its account is
    /// suspended, or enables it again.
    ///
    /// ```
    /// use maitre_testkit::Osb;
    ///
    /// let osb = Osb::new("http://127.0.0.1:8300/osb", "tally", "password");
    /// let instance = osb.new_instance("tally-service", "tally-basic");
    /// let request = osb.set_enabled(&instance, false, "IBMCLOUD_ACCT_SUSPEND").request();
    /// assert!(request.url().contains("/bluemix_v1/service_instances/"));
    /// ```
    pub fn set_enabled(&self, instance: &InstanceId, enabled: bool, reason_code: &str) -> Call<Operation> {
        let fields = vec![
            ("enabled", enabled.into()),
            ("initiator_id", "IBMid-550000A1B2".into()),
            ("reason_code", reason_code.into()),
        ];
        self.call("PUT", &state_path(instance), Vec::new(), fields)
    }

    /// Returns a request to any URL with only the headers that you set, for example to repeat a recorded request.
    pub fn raw(&self, method: &str, url: &str) -> Call<Raw> {
        self.endpoint.raw(method, url)
    }

    fn call(
        &self,
        method: &'static str,
        path: &str,
        query: Vec<(&str, String)>,
        fields: Vec<(&str, Value)>,
    ) -> Call<Operation> {
        self.endpoint.call(Operation::new(method, path, query, fields))
    }
}

impl fmt::Debug for Osb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Osb").field("root", &self.endpoint).field("user", &self.user).finish_non_exhaustive()
    }
}

const ORGANIZATION: &str = "3f1c9b52-7a0e-4c4d-9d7b-5f0c2f2b8a11";
const SPACE: &str = "c9d2e6a4-18b3-4f7c-8a55-0e9a6b7d4c22";
const APP: &str = "77b1d0e8-5c36-4b9e-a2f4-6d3c8e1f0a33";

/// Returns the context that Cloud Foundry sends with every request about this instance.
fn context(instance: &InstanceId) -> Value {
    let short: String = instance.id().chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    json!({
        "platform": "cloudfoundry",
        "organization_guid": ORGANIZATION,
        "organization_name": "orchard",
        "space_guid": SPACE,
        "space_name": "development",
        "instance_name": format!("tally-{short}"),
    })
}

fn instance_path(instance: &InstanceId) -> String {
    format!("/v2/service_instances/{}", segment(instance.id()))
}

fn binding_path(binding: &BindingId) -> String {
    format!("{}/service_bindings/{}", instance_path(binding.instance()), segment(binding.id()))
}

fn state_path(instance: &InstanceId) -> String {
    format!("/bluemix_v1/service_instances/{}", segment(instance.id()))
}

fn accepts_incomplete() -> (&'static str, String) {
    ("accepts_incomplete", "true".to_owned())
}

fn hints(instance: &InstanceId) -> Vec<(&'static str, String)> {
    vec![("service_id", instance.service_id().to_owned()), ("plan_id", instance.plan_id().to_owned())]
}

fn polled(instance: &InstanceId, operation: Option<&str>) -> Vec<(&'static str, String)> {
    let mut query = hints(instance);
    query.extend(operation.map(|operation| ("operation", operation.to_owned())));
    query
}
