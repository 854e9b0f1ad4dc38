//! Clever Cloud's calls to a vendor.

use std::fmt;

use serde_json::json;

use crate::{
    call::Call, endpoint::Endpoint, fields::named, generate, json::Json, path::resource, sign, signed_form::SignedForm,
    sso::SignOn,
};

/// Clever Cloud, from the point of view of the vendor of one add-on.
///
/// ```no_run
/// # async fn example() {
/// use maitre_testkit::CleverCloud;
///
/// let clevercloud = CleverCloud::new("http://127.0.0.1:8300/clevercloud", "quince", "password", "salt");
/// let provisioned = clevercloud.provision("dev").await.expect(200).json();
/// let id = provisioned["id"].as_str().unwrap();
/// clevercloud.plan_change(id, "prod").await.expect(200);
/// clevercloud.single_sign_on(id).await.expect(302);
/// clevercloud.deprovision(id).await.expect(200);
/// # }
/// ```
///
/// `Debug` shows only the vendor's URL and the id of the add-on.
#[derive(Clone)]
pub struct CleverCloud {
    endpoint: Endpoint,
    id: String,
    salt: String,
}

impl CleverCloud {
    /// Returns a Clever Cloud that calls `root` (the manifest's `base_url` without its `/resources`) with the manifest's
    /// `id`, `api.password` and `api.sso_salt`.
    #[must_use]
    pub fn new(root: &str, id: &str, password: &str, salt: &str) -> Self {
        let endpoint = Endpoint::new(root, [("authorization", sign::basic(id, password))]);
        Self { endpoint, id: id.to_owned(), salt: salt.to_owned() }
    }

    /// Returns a new resource key.
    #[must_use]
    pub fn new_addon_id(&self) -> String {
        format!("addon_{}", generate::new_uuid())
    }

    /// `POST /resources`: a customer adds the add-on, with a new `addon_id`.
    ///
    /// ```
    /// use maitre_testkit::CleverCloud;
    ///
    /// let clevercloud = CleverCloud::new("http://127.0.0.1:8300/clevercloud", "quince", "password", "salt");
    /// let fields = clevercloud.provision("dev").fields();
    /// let (_, key) = &fields[0];
    /// let callback_url = format!("https://api.clever-cloud.com/v2/vendor/apps/{}", key.as_str().unwrap());
    /// assert!(fields.contains(&("callback_url".into(), callback_url.into())));
    /// ```
    pub fn provision(&self, plan: &str) -> Call<Json> {
        let addon_id = self.new_addon_id();
        let callback_url = format!("https://api.clever-cloud.com/v2/vendor/apps/{addon_id}");
        let fields = [
            ("addon_id", addon_id.into()),
            ("owner_id", "orga_9e000000-0000-4000-8000-000000000002".into()),
            ("owner_name", "Quince Labs".into()),
            ("user_id", "user_5a000000-0000-4000-8000-000000000003".into()),
            ("plan", plan.into()),
            ("region", "EU".into()),
            ("callback_url", callback_url.into()),
            ("options", json!({})),
        ];
        self.endpoint.json("POST", "/resources".to_owned(), fields)
    }

    /// `PUT /resources/{id}`: the customer changes the plan. `id` is the one that the vendor returned.
    pub fn plan_change(&self, id: &str, plan: &str) -> Call<Json> {
        self.endpoint.json("PUT", resource(id), [("plan", plan.into())])
    }

    /// `DELETE /resources/{id}`: the customer deprovisions the add-on. Sent without a body.
    pub fn deprovision(&self, id: &str) -> Call<Json> {
        self.endpoint.json("DELETE", resource(id), [])
    }

    /// `POST /sso`: a user opens the dashboard. Resource and user are signed. Timestamps are in milliseconds, unless
    /// [`Call::timestamp`] sets another text.
    ///
    /// ```
    /// use maitre_testkit::CleverCloud;
    /// use time::OffsetDateTime;
    ///
    /// # fn main() -> Result<(), time::error::ComponentRange> {
    /// let clevercloud = CleverCloud::new("http://127.0.0.1:8300/clevercloud", "quince", "password", "salt");
    /// let at = OffsetDateTime::from_unix_timestamp(1_700_000_000)?;
    /// let form = clevercloud.single_sign_on("res_42").at(at);
    /// assert!(form.fields().contains(&("timestamp".into(), "1700000000000".into())));
    /// # Ok(())
    /// # }
    /// ```
    pub fn single_sign_on(&self, id: &str) -> Call<SignOn<SignedForm>> {
        self.endpoint.sign_on(SignedForm::new(id, &self.salt, signed, signed_until_2025).in_milliseconds())
    }
}

impl fmt::Debug for CleverCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CleverCloud").field("root", &self.endpoint).field("id", &self.id).finish_non_exhaustive()
    }
}

fn signed(form: &SignedForm, timestamp: &str) -> Vec<(String, String)> {
    named([
        ("id", form.id.clone()),
        ("timestamp", timestamp.to_owned()),
        ("nav-data", String::new()),
        ("email", form.email.clone()),
        ("user_id", form.user_id.clone()),
        ("signature", sign::clever_cloud(&form.id, &form.user_id, &form.email, "", &form.salt, timestamp)),
    ])
}

fn signed_until_2025(form: &SignedForm, timestamp: &str) -> Vec<(String, String)> {
    named([
        ("id", form.id.clone()),
        ("timestamp", timestamp.to_owned()),
        ("nav-data", String::new()),
        ("email", form.email.clone()),
        ("user_id", form.user_id.clone()),
        ("token", sign::token(&form.id, &form.salt, timestamp)),
    ])
}
