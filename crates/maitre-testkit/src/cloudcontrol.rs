//! cloudControl's calls to a vendor (its add-on provider program). The platform closed in 2016. Its contract survives
//! in toolkits: Heroku's first version with other names.

use std::fmt;

use serde_json::{Value, json};

use crate::{
    call::{Call, Kind, sealed::Sealed},
    endpoint::Endpoint,
    fields::named,
    generate,
    json::{Json, write_json},
    path::{self, resource},
    request::Request,
    sign,
    sso::{Form, SignOn},
};

/// cloudControl, from the point of view of the vendor of one add-on.
///
/// ```no_run
/// # async fn example() {
/// use maitre_testkit::CloudControl;
///
/// let cloudcontrol = CloudControl::new("http://127.0.0.1:8300/cloudcontrol", "papaya", "password", "salt");
/// let provisioned = cloudcontrol.provision("starter").await.expect(201).json();
/// let id = provisioned["id"].as_str().unwrap();
///
/// cloudcontrol.plan_change(id, "large").await.expect(200);
/// cloudcontrol.single_sign_on(id).await.expect(302);
/// cloudcontrol.deprovision(id).await.expect(204);
/// # }
/// ```
#[derive(Clone)]
pub struct CloudControl {
    endpoint: Endpoint,
    slug: String,
    salt: String,
}

impl CloudControl {
    /// Returns a cloudControl that calls `root` (the manifest's `base_url` without its `/resources`) with the
    /// manifest's `id`, `api.password` and `api.sso_salt`.
    #[must_use]
    pub fn new(root: &str, slug: &str, password: &str, salt: &str) -> Self {
        let endpoint = Endpoint::new(root, [("authorization", sign::basic(slug, password))]);
        Self { endpoint, slug: slug.to_owned(), salt: salt.to_owned() }
    }

    /// `POST /resources`: a customer adds the add-on to a new deployment.
    ///
    /// ```
    /// use maitre_testkit::CloudControl;
    ///
    /// let cloudcontrol = CloudControl::new("http://127.0.0.1:8300/cloudcontrol", "papaya", "password", "salt");
    /// let call = cloudcontrol.provision("starter").deployment("depq7w8e9r0@cloudcontrolled.com");
    /// assert!(call.fields().contains(&(
    ///     "callback_url".into(),
    ///     "https://api.cloudcontrol.com/vendor/apps/depq7w8e9r0%40cloudcontrolled.com".into(),
    /// )));
    /// ```
    pub fn provision(&self, plan: &str) -> Call<Provision> {
        self.endpoint.call(Provision { deployment: new_deployment(), plan: plan.to_owned() })
    }

    /// `PUT /resources/{id}`: the customer changes the plan. The required `cloudcontrol_id` is random; use
    /// `.set("cloudcontrol_id", …)` where it matters.
    pub fn plan_change(&self, id: &str, plan: &str) -> Call<Json> {
        self.endpoint.json("PUT", resource(id), [("cloudcontrol_id", new_deployment().into()), ("plan", plan.into())])
    }

    /// `DELETE /resources/{id}`: the customer deprovisions the add-on. Sent without a body.
    pub fn deprovision(&self, id: &str) -> Call<Json> {
        self.endpoint.json("DELETE", resource(id), [])
    }

    /// `POST /resources/sso`: a user opens the add-on's dashboard, with `id`, `token`, `timestamp` and `nav-data`. In
    /// its first years cloudControl signed on [`by_get`](Call::by_get).
    ///
    /// ```
    /// use maitre_testkit::CloudControl;
    ///
    /// let cloudcontrol = CloudControl::new("http://127.0.0.1:8300/cloudcontrol", "papaya", "password", "rock salt");
    /// let form = cloudcontrol.single_sign_on("789").timestamp("1700000000");
    /// assert!(form.fields().contains(&("token".into(), "9b65f5836299bfe5dce9af06e2fa59d3044a8cc9".into())));
    /// ```
    pub fn single_sign_on(&self, id: &str) -> Call<SignOn<LaunchForm>> {
        self.endpoint.sign_on(LaunchForm { id: id.to_owned(), salt: self.salt.clone() })
    }
}

impl fmt::Debug for CloudControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudControl").field("root", &self.endpoint).field("slug", &self.slug).finish_non_exhaustive()
    }
}

/// Kind of [`CloudControl::provision`]: `cloudcontrol_id`, `plan`, `callback_url` and `options`, as the platform's
/// own sample providers read them.
#[derive(Clone, Debug)]
pub struct Provision {
    deployment: String,
    plan: String,
}

impl Call<Provision> {
    /// Sets the deployment: the `cloudcontrol_id`, which is also the end of the `callback_url`.
    pub fn deployment(mut self, cloudcontrol_id: impl Into<String>) -> Self {
        self.kind.deployment = cloudcontrol_id.into();
        self
    }
}

impl Sealed for Provision {}

impl Kind for Provision {
    type Value = Value;

    fn method(&self) -> &'static str {
        "POST"
    }

    fn path(&self) -> String {
        "/resources".to_owned()
    }

    fn fields(&self) -> Vec<(String, Value)> {
        let callback_url = format!("https://api.cloudcontrol.com/vendor/apps/{}", path::segment(&self.deployment));
        named([
            ("cloudcontrol_id", json!(self.deployment)),
            ("plan", json!(self.plan)),
            ("callback_url", callback_url.into()),
            ("options", json!({})),
        ])
    }

    fn write(&self, fields: Vec<(String, Value)>, request: &mut Request) {
        write_json(fields, request);
    }
}

/// Form of [`CloudControl::single_sign_on`].
#[derive(Clone)]
pub struct LaunchForm {
    id: String,
    salt: String,
}

impl Sealed for LaunchForm {}

impl Form for LaunchForm {
    fn path(&self) -> String {
        "/resources/sso".to_owned()
    }

    fn provider_id(&self) -> &str {
        &self.id
    }

    fn sign(&self, timestamp: &str) -> Vec<(String, String)> {
        named([
            ("id", self.id.clone()),
            ("token", sign::token(&self.id, &self.salt, timestamp)),
            ("timestamp", timestamp.to_owned()),
            // opaque to the vendor, which passes it on in a cookie
            ("nav-data", "eyJhZGRvbiI6InBhcGF5YSJ9".to_owned()),
        ])
    }

    fn sign_legacy(&self, timestamp: &str) -> Vec<(String, String)> {
        self.sign(timestamp)
    }
}

impl fmt::Debug for LaunchForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaunchForm").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Returns a random deployment id: `dep`, eight characters, and the platform's domain.
fn new_deployment() -> String {
    format!("dep{}@cloudcontrolled.com", &generate::new_uuid()[..8])
}
