use std::fmt;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    grant::{self, grant_json},
    legacy,
};
#[cfg(feature = "platform")]
use crate::install_fields::InstallFields;
use crate::{
    call::{Call, Kind, sealed::Sealed},
    fields::named,
    generate,
    json::write_json,
    path,
    request::Request,
};

/// Kind of [`Heroku::provision`](super::Heroku::provision). By default the body has every field that Heroku's add-on
/// partner API reference names, including those for log input and log drains.
///
/// ```
/// use maitre_testkit::Heroku;
/// use serde_json::json;
///
/// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
/// let uuid = heroku.new_uuid();
/// let call = heroku.provision("basic").uuid(&uuid).set("options", json!({"trace": "true"})).without("name");
///
/// let names: Vec<_> = call.fields().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(
///     names,
///     ["uuid", "plan", "region", "callback_url", "oauth_grant", "options", "log_input_url", "log_drain_token"],
/// );
/// assert!(call.fields().contains(&("callback_url".into(), format!("https://api.heroku.com/addons/{uuid}").into())));
/// ```
///
/// A clone has the same uuid and the same grant, so a retry is `call.clone()`.
#[derive(Clone)]
pub struct Provision {
    slug: String,
    plan: String,
    uuid: String,
    grant_code: String,
    log_token: String,
    at: Option<OffsetDateTime>,
    legacy: bool,
}

impl Provision {
    pub(super) fn new(slug: &str, plan: &str) -> Self {
        Self {
            slug: slug.to_owned(),
            plan: plan.to_owned(),
            uuid: generate::new_uuid(),
            grant_code: generate::new_uuid(),
            log_token: generate::new_uuid(),
            at: None,
            legacy: false,
        }
    }

    /// Returns a name that is globally unique and readable, like Heroku's own.
    fn name(&self) -> String {
        let number: String = self.uuid.chars().filter(char::is_ascii_hexdigit).take(8).collect();
        format!("{}-curved-{number}", self.slug)
    }

    fn grant(&self) -> Value {
        grant_json(&self.grant_code, self.at.unwrap_or_else(generate::now).saturating_add(grant::LIFETIME))
    }
}

impl Call<Provision> {
    /// Sets the uuid. Defaults to a new one.
    pub fn uuid(mut self, uuid: &str) -> Self {
        uuid.clone_into(&mut self.kind.uuid);
        self
    }

    /// Sets the time of the request; the grant expires five minutes later. Defaults to the time of sending.
    ///
    /// ```
    /// use maitre_testkit::Heroku;
    /// use time::OffsetDateTime;
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
    /// let call = heroku.provision("basic").at(OffsetDateTime::UNIX_EPOCH);
    /// let (_, grant) = call.fields().into_iter().find(|(name, _)| name == "oauth_grant").unwrap();
    /// // Heroku prints the offset without a colon, on which strict parsers of RFC 3339 fail.
    /// assert_eq!(grant["expires_at"], "1969-12-31T16:05:00-0800");
    /// ```
    pub fn at(mut self, instant: OffsetDateTime) -> Self {
        self.kind.at = Some(instant);
        self
    }

    /// Provisions an install of a [`Platform`](crate::platform::Platform): the body has its uuid, name, plan, region,
    /// options and grant, and the log fields that the platform's settings enable.
    ///
    /// ```
    /// use maitre_testkit::{Heroku, platform::Platform};
    ///
    /// let platform = Platform::new("tally", "password", "client secret");
    /// let install = platform.install_builder("premium").option("trace", "true").create();
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
    /// let call = heroku.provision("premium").install(&install);
    /// assert!(call.fields().contains(&("uuid".into(), install.uuid().into())));
    /// assert!(call.fields().contains(&("oauth_grant".into(), install.grant().json())));
    /// ```
    #[cfg(feature = "platform")]
    pub fn install(self, install: &impl InstallFields) -> Self {
        let call = self.uuid(install.uuid());
        let sent = install.provision_fields();
        sent.into_iter().fold(call, |call, (name, value)| match value {
            Value::Null => call.without(name),
            value => call.set(name, value),
        })
    }

    /// Writes the request of the first version, which kensa still sends: with `heroku_id` besides the uuid, without
    /// `name` and grant, and with `Accept: application/json`.
    pub fn legacy(mut self) -> Self {
        self.kind.legacy = true;
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
        if self.legacy {
            return named([
                ("heroku_id", legacy::app_id()),
                ("plan", json!(self.plan)),
                ("callback_url", "http://localhost:7779/callback/999".into()),
                ("logplex_token", Value::Null),
                ("region", "amazon-web-services::us-east-1".into()),
                ("options", json!({})),
                ("uuid", json!(self.uuid)),
            ]);
        }
        named([
            ("uuid", json!(self.uuid)),
            ("name", self.name().into()),
            ("plan", json!(self.plan)),
            ("region", "amazon-web-services::us-east-1".into()),
            ("callback_url", format!("https://api.heroku.com/addons/{}", self.uuid).into()),
            ("oauth_grant", self.grant()),
            ("options", json!({})),
            ("log_input_url", format!("https://token:t.{}@1.us.logplex.io/logs", self.log_token).into()),
            ("log_drain_token", format!("d.{}", self.log_token).into()),
        ])
    }

    fn write(&self, fields: Vec<(String, Value)>, request: &mut Request) {
        write(self.legacy, fields, request);
    }
}

impl fmt::Debug for Provision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provision").field("uuid", &self.uuid).field("plan", &self.plan).finish_non_exhaustive()
    }
}

/// Kind of [`Heroku::plan_change`](super::Heroku::plan_change). The body has the new `plan`.
#[derive(Clone, Debug)]
pub struct PlanChange {
    id: String,
    plan: String,
    stray_uuid: String,
    legacy: bool,
}

impl PlanChange {
    pub(super) fn new(id: &str, plan: &str) -> Self {
        Self { id: id.to_owned(), plan: plan.to_owned(), stray_uuid: generate::new_uuid(), legacy: false }
    }
}

impl Call<PlanChange> {
    /// Writes the request as kensa does: with a `heroku_id` and with a random `uuid`, because only the path
    /// identifies the resource.
    ///
    /// ```
    /// use maitre_testkit::Heroku;
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
    /// let call = heroku.plan_change("7", "premium").legacy();
    /// assert_eq!(call.fields().len(), 3);
    /// assert_eq!(call.request().header("accept"), Some("application/json"));
    /// ```
    pub fn legacy(mut self) -> Self {
        self.kind.legacy = true;
        self
    }
}

impl Sealed for PlanChange {}

impl Kind for PlanChange {
    type Value = Value;

    fn method(&self) -> &'static str {
        "PUT"
    }

    fn path(&self) -> String {
        path::resource(&self.id)
    }

    fn fields(&self) -> Vec<(String, Value)> {
        let mut fields = named([("plan", json!(self.plan))]);
        if self.legacy {
            fields.extend(named([("heroku_id", legacy::app_id()), ("uuid", json!(self.stray_uuid))]));
        }
        fields
    }

    fn write(&self, fields: Vec<(String, Value)>, request: &mut Request) {
        write(self.legacy, fields, request);
    }
}

fn write(legacy: bool, fields: Vec<(String, Value)>, request: &mut Request) {
    if legacy {
        request.replace_header("accept", legacy::ACCEPT);
    }
    write_json(fields, request);
}
