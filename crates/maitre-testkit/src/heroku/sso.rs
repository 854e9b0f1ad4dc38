use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use crate::{
    call::{Call, sealed::Sealed},
    fields::named,
    sign,
    sso::{Form, SignOn},
};

/// Form of [`Heroku::single_sign_on`](super::Heroku::single_sign_on). By default it has every field that Heroku's
/// add-on single sign-on article names, including the three generations of tokens, as Heroku sends it today.
///
/// | field | holds |
/// | --- | --- |
/// | `resource_id`, `resource_token` | Heroku's uuid; SHA-1 |
/// | `user_scoped_resource_token` | SHA-256, the only one that covers who signs on |
/// | `timestamp` | Unix seconds, in decimals |
/// | `user_id`, `email` | the user; the address has a `+`, which a form escapes |
/// | `app`, `context_app` | the app that owns the add-on, and the one the user came from |
/// | `id`, `token`, `nav-data` | deprecated: the vendor's own id, SHA-1 over it, and the page header's data |
///
/// ```
/// use maitre_testkit::Heroku;
///
/// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
/// let names = |form: maitre_testkit::Call<_>| form.fields().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
///
/// let form = heroku.single_sign_on("7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21").provider_id("4711");
/// assert_eq!(names(form.clone()).len(), 11);
/// assert_eq!(names(form.clone().only_legacy()), ["id", "token", "timestamp", "nav-data", "email", "app"]);
/// assert!(!names(form.clone().only_resource_token()).contains(&"user_scoped_resource_token".into()));
/// assert!(!names(form.only_user_scoped()).contains(&"resource_token".into()));
/// ```
#[derive(Clone)]
pub struct LaunchForm {
    slug: String,
    salt: String,
    resource_id: String,
    provider_id: Option<String>,
    user_id: String,
    email: String,
    tokens: Tokens,
}

#[derive(Clone, Copy)]
enum Tokens {
    All,
    UserScoped,
    Resource,
    Legacy,
}

impl LaunchForm {
    pub(super) fn new(slug: &str, salt: &str, resource_id: &str) -> Self {
        Self {
            slug: slug.to_owned(),
            salt: salt.to_owned(),
            resource_id: resource_id.to_owned(),
            provider_id: None,
            user_id: "c4b1f2d0-8e2a-4d6b-9c11-5a7e3f9d2b64".to_owned(),
            email: "ada+ops@example.org".to_owned(),
            tokens: Tokens::All,
        }
    }

    fn app(&self) -> String {
        format!("{}-counter", self.slug)
    }

    fn nav_data(&self) -> String {
        let data = json!({
            "addon": self.slug,
            "appname": self.app(),
            "addons": [{ "slug": self.slug, "name": self.slug, "current": true }],
        });
        BASE64_URL_SAFE_NO_PAD.encode(data.to_string())
    }
}

impl Call<SignOn<LaunchForm>> {
    /// Signs only with the SHA-256 token. The other fields stay.
    pub fn only_user_scoped(self) -> Self {
        self.only(Tokens::UserScoped)
    }

    /// Signs only with the SHA-1 `resource_token`. The other fields stay.
    pub fn only_resource_token(self) -> Self {
        self.only(Tokens::Resource)
    }

    /// Signs as in the first version, which kensa still sends: six fields, `id`, `token`, `timestamp`, `nav-data`,
    /// `email` and `app`.
    pub fn only_legacy(self) -> Self {
        self.only(Tokens::Legacy)
    }

    fn only(mut self, tokens: Tokens) -> Self {
        self.kind.form.tokens = tokens;
        self
    }

    /// Sets the user's email address.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.kind.form.email = email.into();
        self
    }

    /// Sets the user's id, a uuid of Heroku.
    pub fn user_id(mut self, user_id: impl Into<String>) -> Self {
        self.kind.form.user_id = user_id.into();
        self
    }

    /// Sets the vendor's id of the resource: the `id` that the oldest token signs. Defaults to Heroku's uuid.
    pub fn provider_id(mut self, id: impl Into<String>) -> Self {
        self.kind.form.provider_id = Some(id.into());
        self
    }
}

impl Sealed for LaunchForm {}

impl Form for LaunchForm {
    fn path(&self) -> String {
        "/resources/sso".to_owned()
    }

    fn provider_id(&self) -> &str {
        self.provider_id.as_ref().unwrap_or(&self.resource_id)
    }

    fn sign(&self, timestamp: &str) -> Vec<(String, String)> {
        if matches!(self.tokens, Tokens::Legacy) {
            return self.sign_legacy(timestamp);
        }
        let Self { salt, resource_id, user_id, email, .. } = self;
        let mut fields = named([
            ("resource_id", resource_id.clone()),
            ("resource_token", sign::resource_token(resource_id, salt, timestamp)),
            (
                "user_scoped_resource_token",
                sign::user_scoped_resource_token(resource_id, salt, timestamp, user_id, email),
            ),
            ("timestamp", timestamp.to_owned()),
            ("user_id", user_id.clone()),
            ("email", email.clone()),
            ("app", self.app()),
            ("context_app", self.app()),
            ("id", self.provider_id().to_owned()),
            ("token", sign::token(self.provider_id(), salt, timestamp)),
            ("nav-data", self.nav_data()),
        ]);
        let kept = match self.tokens {
            Tokens::UserScoped => "user_scoped_resource_token",
            Tokens::Resource => "resource_token",
            Tokens::All | Tokens::Legacy => return fields,
        };
        fields.retain(|(name, _)| name == kept || !name.ends_with("token"));
        fields
    }

    fn sign_legacy(&self, timestamp: &str) -> Vec<(String, String)> {
        named([
            ("id", self.provider_id().to_owned()),
            ("token", sign::token(self.provider_id(), &self.salt, timestamp)),
            ("timestamp", timestamp.to_owned()),
            ("nav-data", self.nav_data()),
            ("email", self.email.clone()),
            ("app", self.app()),
        ])
    }
}

impl fmt::Debug for LaunchForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaunchForm").field("resource_id", &self.resource_id).finish_non_exhaustive()
    }
}
