//! Scalingo's calls to a vendor.

use std::fmt;

use serde_json::json;

use crate::{
    call::Call, endpoint::Endpoint, fields::named, generate, json::Json, path::resource, sign, signed_form::SignedForm,
    sso::SignOn,
};

/// Scalingo, from the point of view of the vendor of one add-on.
///
/// ```no_run
/// # async fn example() {
/// use maitre_testkit::Scalingo;
///
/// let scalingo = Scalingo::new("http://127.0.0.1:8300/scalingo", "lychee", "password", "salt");
/// let provisioned = scalingo.provision("small").await.expect(200).json();
/// let id = provisioned["id"].as_str().unwrap();
/// scalingo.plan_change(id, "large").method("PATCH").await.expect(200);
/// scalingo.suspend(id).await.expect(204);
/// scalingo.resume(id).await.expect(204);
/// scalingo.single_sign_on(id).await.expect(302);
/// scalingo.deprovision(id).await.expect(204);
/// # }
/// ```
///
/// `Debug` shows only the vendor's URL and the user name.
#[derive(Clone)]
pub struct Scalingo {
    endpoint: Endpoint,
    username: String,
    salt: String,
}

impl Scalingo {
    /// Returns a Scalingo that calls `root` (the manifest's `base_url` without its `/resources`) with the manifest's
    /// `username`, `password` and `sso_salt`.
    #[must_use]
    pub fn new(root: &str, username: &str, password: &str, salt: &str) -> Self {
        let headers = [("accept", "application/json".to_owned()), ("authorization", sign::basic(username, password))];
        Self { endpoint: Endpoint::new(root, headers), username: username.to_owned(), salt: salt.to_owned() }
    }

    /// Returns a new resource key.
    #[must_use]
    pub fn new_uuid(&self) -> String {
        format!("ad-{}", generate::new_uuid())
    }

    /// `POST /resources`: a customer adds the add-on to an app, with a new `uuid` and `app_id`.
    ///
    /// ```
    /// use maitre_testkit::Scalingo;
    ///
    /// let scalingo = Scalingo::new("http://127.0.0.1:8300/scalingo", "lychee", "password", "salt");
    /// let names: Vec<_> = scalingo.provision("small").fields().into_iter().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["plan", "app_id", "options", "uuid"]);
    /// ```
    pub fn provision(&self, plan: &str) -> Call<Json> {
        let app_id: String = generate::new_uuid().chars().filter(char::is_ascii_hexdigit).take(24).collect();
        let fields = [
            ("plan", plan.into()),
            ("app_id", app_id.into()),
            ("options", json!({})),
            ("uuid", self.new_uuid().into()),
        ];
        self.endpoint.json("POST", "/resources".to_owned(), fields)
    }

    /// `PUT /resources/{id}`: the customer changes the plan. Scalingo's boilerplate also accepts `PATCH`.
    pub fn plan_change(&self, id: &str, plan: &str) -> Call<Json> {
        self.endpoint.json("PUT", resource(id), [("plan", plan.into())])
    }

    /// `DELETE /resources/{id}`: the customer deprovisions the add-on. Sent without a body.
    pub fn deprovision(&self, id: &str) -> Call<Json> {
        self.endpoint.json("DELETE", resource(id), [])
    }

    /// `POST /resources/{id}/suspend`: a payment failed, or a trial ended. Sent without a body.
    ///
    /// ```
    /// use maitre_testkit::Scalingo;
    ///
    /// let scalingo = Scalingo::new("http://127.0.0.1:8300/scalingo", "lychee", "password", "salt");
    /// let request = scalingo.suspend("ad-7").request();
    /// assert_eq!(request.url(), "http://127.0.0.1:8300/scalingo/resources/ad-7/suspend");
    /// assert_eq!((request.method(), request.body()), ("POST", &[][..]));
    /// ```
    pub fn suspend(&self, id: &str) -> Call<Json> {
        self.endpoint.json("POST", format!("{}/suspend", resource(id)), [])
    }

    /// `POST /resources/{id}/resume`: the account is back in order. Sent without a body.
    pub fn resume(&self, id: &str) -> Call<Json> {
        self.endpoint.json("POST", format!("{}/resume", resource(id)), [])
    }

    /// `GET /sso`: a user opens the dashboard by a link. The user is not sent.
    ///
    /// ```
    /// use maitre_testkit::Scalingo;
    ///
    /// let scalingo = Scalingo::new("http://127.0.0.1:8300/scalingo", "lychee", "password", "orange-salt");
    /// let link = scalingo.single_sign_on("ad-7d0c2b8e").timestamp("1700000000");
    /// assert_eq!(
    ///     link.request().url(),
    ///     "http://127.0.0.1:8300/scalingo/sso?id=ad-7d0c2b8e&timestamp=1700000000\
    ///      &token=3a751389dfbbb8db220922b22026a2cf27aa814f",
    /// );
    /// ```
    pub fn single_sign_on(&self, id: &str) -> Call<SignOn<SignedForm>> {
        self.endpoint.sign_on(SignedForm::new(id, &self.salt, signed, signed).link())
    }
}

impl fmt::Debug for Scalingo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scalingo")
            .field("root", &self.endpoint)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

fn signed(form: &SignedForm, timestamp: &str) -> Vec<(String, String)> {
    named([
        ("id", form.id.clone()),
        ("timestamp", timestamp.to_owned()),
        ("token", sign::token(&form.id, &form.salt, timestamp)),
    ])
}
