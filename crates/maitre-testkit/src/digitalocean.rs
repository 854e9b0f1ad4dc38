//! DigitalOcean's calls to a vendor of a SaaS add-on.

use std::fmt;

use serde_json::{Value, json};

use crate::{
    call::Call, endpoint::Endpoint, fields::named, generate, json::Json, path::resource, sign, signed_form::SignedForm,
    sso::SignOn,
};

/// DigitalOcean, from the point of view of the vendor of one add-on.
///
/// ```no_run
/// # async fn example() {
/// use maitre_testkit::DigitalOcean;
///
/// let digitalocean = DigitalOcean::new("http://127.0.0.1:8300/digitalocean", "tamarind", "password", "salt");
/// let uuid = digitalocean.new_uuid();
/// digitalocean.provision("basic").set("uuid", uuid.as_str()).await.expect(200);
/// digitalocean.plan_change(&uuid, "premium").await.expect(200);
/// digitalocean.suspended([uuid.as_str()]).await.expect(204);
/// digitalocean.reactivated([uuid.as_str()]).await.expect(204);
/// digitalocean.single_sign_on(&uuid).await.expect(302);
/// digitalocean.deprovision(&uuid).await.expect(204);
/// # }
/// ```
///
/// `Debug` shows only the vendor's URL and the app's slug.
#[derive(Clone)]
pub struct DigitalOcean {
    endpoint: Endpoint,
    slug: String,
    salt: String,
}

impl DigitalOcean {
    /// Returns a DigitalOcean that calls `root` (the base URL with `/digitalocean`) with the app's slug, password and salt.
    #[must_use]
    pub fn new(root: &str, app_slug: &str, password: &str, salt: &str) -> Self {
        let endpoint = Endpoint::new(root, [("authorization", sign::basic(app_slug, password))]);
        Self { endpoint, slug: app_slug.to_owned(), salt: salt.to_owned() }
    }

    /// Returns a new resource key.
    #[must_use]
    pub fn new_uuid(&self) -> String {
        generate::new_uuid()
    }

    /// `POST /resources`: a customer adds the add-on, with a new `uuid` and grant.
    ///
    /// ```
    /// use maitre_testkit::DigitalOcean;
    ///
    /// let digitalocean = DigitalOcean::new("http://127.0.0.1:8300/digitalocean", "tamarind", "password", "salt");
    /// let call = digitalocean.provision("duo").set("uuid", "0f6a2c3e");
    /// assert!(call.fields().contains(&("plan_slug".into(), "duo".into())));
    /// assert!(call.fields().contains(&("app_slug".into(), "tamarind".into())));
    /// ```
    pub fn provision(&self, plan: &str) -> Call<Json> {
        let uuid = generate::new_uuid();
        let expires_at = generate::now().unix_timestamp() + 300;
        let grant = json!({ "type": "authorization_code", "code": generate::new_uuid(), "expires_at": expires_at });
        let fields = [
            ("resource_name", format!("{}-{}", self.slug, &uuid[..8]).into()),
            ("uuid", uuid.into()),
            ("app_slug", self.slug.as_str().into()),
            ("plan_slug", plan.into()),
            ("metadata", json!({})),
            ("email", "fwd-71@relay.example".into()),
            ("creator_id", "team-zz91".into()),
            ("oauth_grant", grant),
        ];
        self.endpoint.json("POST", "/resources".to_owned(), fields)
    }

    /// `PUT /resources/{uuid}`: the customer changes the plan.
    pub fn plan_change(&self, uuid: &str, plan: &str) -> Call<Json> {
        self.endpoint.json("PUT", resource(uuid), [("plan_slug", plan.into())])
    }

    /// `DELETE /resources/{uuid}`: the customer deprovisions the add-on. Sent without a body.
    pub fn deprovision(&self, uuid: &str) -> Call<Json> {
        self.endpoint.json("DELETE", resource(uuid), [])
    }

    /// `POST /notifications` of any type.
    ///
    /// ```
    /// use maitre_testkit::DigitalOcean;
    /// use serde_json::json;
    ///
    /// let digitalocean = DigitalOcean::new("http://127.0.0.1:8300/digitalocean", "tamarind", "password", "salt");
    /// let call = digitalocean.suspended(["0f6a2c3e"]);
    /// assert_eq!(call.url(), "http://127.0.0.1:8300/digitalocean/notifications");
    /// assert!(call.fields().contains(&("payload".into(), json!({ "resources_uuids": ["0f6a2c3e"] }))));
    /// ```
    pub fn notification(&self, kind: &str, payload: Value) -> Call<Json> {
        let created_at = generate::now().unix_timestamp();
        let fields = [("type", kind.into()), ("created_at", created_at.into()), ("payload", payload)];
        self.endpoint.json("POST", "/notifications".to_owned(), fields)
    }

    /// Notification `resources.suspended`: the account is unpaid or blocked.
    pub fn suspended<'a>(&self, uuids: impl IntoIterator<Item = &'a str>) -> Call<Json> {
        self.notification("resources.suspended", batch(uuids))
    }

    /// Notification `resources.reactivated`: the account is in good standing again.
    pub fn reactivated<'a>(&self, uuids: impl IntoIterator<Item = &'a str>) -> Call<Json> {
        self.notification("resources.reactivated", batch(uuids))
    }

    /// Notification `resources.deprovisioning.failed`: DigitalOcean could not deprovision the resources.
    pub fn deprovisioning_failed<'a>(&self, uuids: impl IntoIterator<Item = &'a str>) -> Call<Json> {
        self.notification("resources.deprovisioning.failed", batch(uuids))
    }

    /// Notification `resources.updated`: the customer renamed the resource or changed its plan.
    pub fn updated(&self, uuid: &str, name: &str, plan: &str) -> Call<Json> {
        let time = json!({ "seconds": generate::now().unix_timestamp() });
        let payload = json!({
            "resource": { "uuid": uuid, "name": name, "state": "provisioned", "created_at": time, "updated_at": time },
            "plan": { "display_name": plan, "slug": plan, "created_at": time, "updated_at": time },
        });
        self.notification("resources.updated", payload)
    }

    /// `POST /sso`: a user opens the dashboard. The user is not signed.
    ///
    /// ```
    /// use maitre_testkit::DigitalOcean;
    ///
    /// let digitalocean = DigitalOcean::new("http://127.0.0.1:8300/digitalocean", "tamarind", "password", "kelp-salt");
    /// let form = digitalocean.single_sign_on("0f6a2c3e-5d41-4b7a-9c11-2f3e4d5c6b7a").timestamp("1700000000");
    /// let token = "0a5d00d652afcb4a327e61f05ccb04404d637af83fcb92eb011e423f9996f278";
    /// assert!(form.fields().contains(&("token".into(), token.into())));
    /// ```
    pub fn single_sign_on(&self, uuid: &str) -> Call<SignOn<SignedForm>> {
        self.endpoint.sign_on(SignedForm::new(uuid, &self.salt, signed, signed_in_2021))
    }
}

impl fmt::Debug for DigitalOcean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigitalOcean").field("root", &self.endpoint).field("slug", &self.slug).finish_non_exhaustive()
    }
}

fn batch<'a>(uuids: impl IntoIterator<Item = &'a str>) -> Value {
    json!({ "resources_uuids": uuids.into_iter().collect::<Vec<_>>() })
}

fn signed(form: &SignedForm, timestamp: &str) -> Vec<(String, String)> {
    named([
        ("resource_uuid", form.id.clone()),
        ("token", sign::digitalocean(&form.id, &form.salt, timestamp)),
        ("timestamp", timestamp.to_owned()),
        ("user_email", form.email.clone()),
        ("user_id", form.user_id.clone()),
    ])
}

fn signed_in_2021(form: &SignedForm, timestamp: &str) -> Vec<(String, String)> {
    named([
        ("resource_uuid", form.id.clone()),
        ("resource_token", sign::token(&form.id, &form.salt, timestamp)),
        ("timestamp", timestamp.to_owned()),
        ("email", form.email.clone()),
    ])
}
