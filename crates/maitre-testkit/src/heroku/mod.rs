//! Heroku's calls to a vendor (the add-on partner API, third version), and those of the first version that its old
//! test tool, kensa, still sends.

mod grant;
mod legacy;
mod provision;
mod sso;

use std::fmt;

use serde_json::json;

#[cfg(feature = "platform")]
pub(crate) use self::grant::grant_json;
pub use self::{
    provision::{PlanChange, Provision},
    sso::LaunchForm,
};
use crate::{call::Call, endpoint::Endpoint, generate, json::Json, path::resource, raw::Raw, sign, sso::SignOn};

/// Heroku, from the point of view of the vendor of one add-on.
///
/// ```no_run
/// # async fn example() {
/// use maitre_testkit::Heroku;
///
/// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
/// let uuid = heroku.new_uuid();
/// let provisioned = heroku.provision("basic").uuid(&uuid).await.expect(200).json();
///
/// heroku.plan_change(&uuid, "premium").await.expect(200);
/// heroku.single_sign_on(&uuid).await.expect(302);
/// heroku.deprovision(&uuid).await.expect(204);
///
/// // The same as asked first is answered as before; a removed resource stays removed.
/// heroku.provision("basic").uuid(&uuid).await.expect(410);
/// # }
/// ```
///
/// `Debug` shows only the vendor's URL and the add-on's slug.
#[derive(Clone)]
pub struct Heroku {
    endpoint: Endpoint,
    slug: String,
    salt: String,
}

impl Heroku {
    /// Returns a Heroku that calls `root` (the manifest's `base_url` without its `/resources`) with the manifest's
    /// `id`, `api.password` and `api.sso_salt`.
    #[must_use]
    pub fn new(root: &str, slug: &str, password: &str, salt: &str) -> Self {
        let headers = [
            ("accept", "application/vnd.heroku-addons+json; version=3".to_owned()),
            ("authorization", sign::basic(slug, password)),
        ];
        Self { endpoint: Endpoint::new(root, headers), slug: slug.to_owned(), salt: salt.to_owned() }
    }

    /// Returns a new resource id.
    ///
    /// ```
    /// use maitre_testkit::Heroku;
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
    /// assert_eq!(heroku.new_uuid().len(), 36);
    /// assert_ne!(heroku.new_uuid(), heroku.new_uuid());
    /// ```
    #[must_use]
    pub fn new_uuid(&self) -> String {
        generate::new_uuid()
    }

    /// `POST /resources`: a customer provisions the add-on on this plan, a bare name such as `basic`.
    ///
    /// The body has every field that Heroku documents, and a new uuid; see [`Provision`].
    pub fn provision(&self, plan: &str) -> Call<Provision> {
        self.endpoint.call(Provision::new(&self.slug, plan))
    }

    /// `PUT /resources/{id}`: the customer changes the plan. `id` is the one that the vendor returned.
    ///
    /// ```
    /// use maitre_testkit::Heroku;
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
    /// let request = heroku.plan_change("7", "premium").request();
    /// assert_eq!((request.method(), request.body()), ("PUT", &br#"{"plan":"premium"}"#[..]));
    /// ```
    pub fn plan_change(&self, id: &str, plan: &str) -> Call<PlanChange> {
        self.endpoint.call(PlanChange::new(id, plan))
    }

    /// `DELETE /resources/{id}`: the customer deprovisions the add-on. Sent without a body.
    pub fn deprovision(&self, id: &str) -> Call<Json> {
        self.endpoint.json("DELETE", resource(id), [])
    }

    /// `POST /resources/{id}/events`: the customer deployed (Heroku's add-on partner event notifications article;
    /// deprecated, and sent only to add-ons that require `deploy_notify`).
    ///
    /// ```
    /// use maitre_testkit::Heroku;
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
    /// let event = heroku.deploy_event("7");
    /// assert_eq!(event.url(), "http://127.0.0.1:8300/heroku/resources/7/events");
    /// assert!(event.fields().contains(&("event".into(), "deploy".into())));
    /// ```
    pub fn deploy_event(&self, id: &str) -> Call<Json> {
        let detail = json!({
            "app": "tally-counter",
            "user": "ada+ops@example.org",
            "url": "https://tally-counter.example.org",
            "head": "9d4c1e7",
            "head_long": "9d4c1e7a52b8f06d3e91c47ab05f8d2263e7b190",
            "prev_head": "41f0ab3c96d2e87f1b5a0c4d93e6728fb1d05ec2",
        });
        let fields = [("heroku_id", legacy::app_id()), ("event", "deploy".into()), ("detail", detail)];
        self.endpoint.json("POST", format!("{}/events", resource(id)), fields)
    }

    /// Returns a request to any URL with only the headers that you set, for example to repeat a recorded request.
    ///
    /// ```
    /// use maitre_testkit::Heroku;
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
    /// let sent = heroku.plan_change("7", "premium").request();
    /// let again = sent.headers().fold(heroku.raw(sent.method(), sent.url()), |call, (name, value)| call.header(name, value));
    /// assert_eq!(again.body(sent.body()).request().to_string(), sent.to_string());
    /// ```
    pub fn raw(&self, method: &str, url: &str) -> Call<Raw> {
        self.endpoint.raw(method, url)
    }

    /// `POST /resources/sso`: a user of the customer's app opens the add-on's dashboard. See [`LaunchForm`] for the
    /// fields, and [`Call::path`] for a vendor with another `sso_url`.
    pub fn single_sign_on(&self, id: &str) -> Call<SignOn<LaunchForm>> {
        self.endpoint.sign_on(LaunchForm::new(&self.slug, &self.salt, id))
    }
}

impl fmt::Debug for Heroku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heroku").field("root", &self.endpoint).field("slug", &self.slug).finish_non_exhaustive()
    }
}
