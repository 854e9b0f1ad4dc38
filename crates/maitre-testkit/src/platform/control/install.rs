//! Handle of an install.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    super::state::{
        addon::{Addon, Attachment, RemovalCause},
        call_counts::CallCounts,
        exchange::Exchange,
        install_state::State,
        tokens::Grant,
        webhook::{Action, Entity},
    },
    app::App,
    platform::Platform,
};
use crate::{generate::new_uuid, install_fields::InstallFields, reply::Reply};

/// Install of the add-on, as Heroku knows it.
///
/// ```no_run
/// # async fn example() {
/// use maitre_testkit::{Heroku, platform::{Platform, State}};
///
/// let platform = Platform::new("tally", "password", "client secret");
/// let api = platform.serve().await.unwrap(); // the vendor under test uses api.url()
/// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
///
/// let install = platform.install("basic");
/// let reply = heroku.provision("basic").install(&install).await;
/// install.record_provision(reply.expect(202));
///
/// // … the vendor exchanges the grant, sets config vars, marks the add-on provisioned …
/// assert_eq!(install.state(), State::Provisioned);
/// assert_eq!(install.config()["TALLY_URL"], "https://tally.example/4711");
/// assert_eq!(platform.violations().len(), 0);
/// # }
/// ```
///
/// A clone refers to the same install. `Debug` shows its uuid and state.
#[derive(Clone)]
pub struct Install {
    platform: Platform,
    uuid: String,
}

impl Install {
    pub(crate) fn new(platform: Platform, uuid: String) -> Self {
        Self { platform, uuid }
    }

    /// Returns Heroku's id.
    #[must_use]
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Returns the current name.
    #[must_use]
    pub fn name(&self) -> String {
        self.with(|addon| addon.name.clone())
    }

    /// Returns the current plan, as a provision request names it.
    #[must_use]
    pub fn plan(&self) -> String {
        self.with(|addon| addon.plan.clone())
    }

    /// Returns the name of the app that owns the install.
    #[must_use]
    pub fn app(&self) -> String {
        let state = self.platform.state();
        state.apps[&state.addon(&self.uuid).app].name.clone()
    }

    /// Returns the state.
    #[must_use]
    pub fn state(&self) -> State {
        self.with(|addon| addon.state)
    }

    /// Returns the status of the vendor's last reply to the provision.
    #[must_use]
    pub fn provision_status(&self) -> Option<u16> {
        self.with(|addon| addon.provision_status)
    }

    /// Returns the time of creation, by the platform's clock.
    #[must_use]
    pub fn created_at(&self) -> OffsetDateTime {
        self.with(|addon| addon.created_at)
    }

    /// Returns the time at which Heroku ends the install unless the vendor completes the pending operation.
    #[must_use]
    pub fn deadline(&self) -> Option<OffsetDateTime> {
        self.with(|addon| addon.deadline)
    }

    /// Returns the add-on as the Platform API does.
    ///
    /// ```
    /// use maitre_testkit::platform::Platform;
    ///
    /// let install = Platform::new("tally", "password", "client secret").install("basic");
    /// assert_eq!(install.json()["plan"]["name"], "tally:basic");
    /// ```
    #[must_use]
    pub fn json(&self) -> Value {
        self.platform.state().addon_object(&self.uuid)
    }

    /// Returns the attachments as the Platform API does. The first one belongs to the owning app, unless it was
    /// detached.
    #[must_use]
    pub fn attachments(&self) -> Vec<Value> {
        let state = self.platform.state();
        let addon = state.addon(&self.uuid);
        addon.attachments.iter().map(|attachment| state.attachment_object(addon, attachment)).collect()
    }

    /// Returns the `callback_url` of a provision of version 1: the vendor sets config vars there by `PUT`, which completes
    /// a provision that it answered 202.
    ///
    /// ```
    /// use maitre_testkit::{Heroku, platform::Platform};
    ///
    /// let install = Platform::new("tally", "password", "client secret").install("basic");
    /// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
    /// let call = heroku.provision("basic").legacy().uuid(install.uuid()).set("callback_url", install.callback_url());
    /// let fields = call.fields();
    /// assert!(fields.contains(&("callback_url".into(), format!("https://api.heroku.com/vendor/apps/{}", install.uuid()).into())));
    /// ```
    #[must_use]
    pub fn callback_url(&self) -> String {
        format!("{}/vendor/apps/{}", self.platform.state().api_url(), self.uuid)
    }

    /// Returns the `id` from the vendor's reply.
    #[must_use]
    pub fn provider_id(&self) -> Option<String> {
        self.with(|addon| addon.provider_id.clone())
    }

    /// Returns the vendor's last message to the customer.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        self.with(|addon| addon.message.clone())
    }

    /// Returns the config vars with the vendor's names. The app gets them once the add-on is provisioned.
    #[must_use]
    pub fn config(&self) -> BTreeMap<String, String> {
        self.with(|addon| addon.config.clone())
    }

    /// Returns the newest grant.
    ///
    /// # Panics
    /// Never panics: every install has a grant.
    #[must_use]
    pub fn grant(&self) -> Grant {
        self.with(|addon| addon.grant.clone()).expect("a grant comes with the order")
    }

    /// Issues another grant, for a retried provision. Earlier grants stay valid until they expire.
    #[expect(clippy::must_use_candidate, reason = "the next provision carries it")]
    pub fn issue_grant(&self) -> Grant {
        self.platform.state().grant(&self.uuid)
    }

    /// Returns the counters of the calls for this install.
    #[must_use]
    pub fn call_counts(&self) -> CallCounts {
        self.with(|addon| addon.call_counts)
    }

    /// Returns the calls for this install, in the order of arrival.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        let mut all = self.platform.exchanges();
        all.retain(|exchange| exchange.uuid() == Some(&self.uuid));
        all
    }

    /// Records the vendor's reply to the provision: 200 and 201 provision the add-on, 202 leaves it provisioning, and 410
    /// and 422 end it. After any other status Heroku would retry.
    pub fn record_provision(&self, reply: &Reply) {
        self.platform.state().record_provision(&self.uuid, reply.status(), &body(reply));
    }

    /// Records the vendor's reply to a change to this plan: after 200, 201 and 202 the add-on has the plan.
    pub fn record_plan_change(&self, plan: &str, reply: &Reply) {
        self.platform.state().record_plan_change(&self.uuid, plan, reply.status(), &body(reply));
    }

    /// Records the vendor's reply to the `DELETE`: 2xx, 404 and 410 end the add-on and its token. 202 begins an
    /// asynchronous deprovision if [the settings](crate::platform::Settings::async_deprovisioning) allow it.
    pub fn record_deprovision(&self, reply: &Reply) {
        self.platform.state().record_deprovision(&self.uuid, reply.status());
    }

    /// Records that the vendor did not reply to the `DELETE`, or not with a status that ends the add-on. Heroku retries,
    /// and gives up after the window for asynchronous operations.
    pub fn record_deprovision_failure(&self) {
        self.platform.state().record_deprovision_failure(&self.uuid);
    }

    /// Records a reply to the provision in the form of Heroku's replies, for a marketplace with another contract: see
    /// [`record_provision`](Self::record_provision).
    pub fn record_provision_as(&self, status: u16, fields: &Value) {
        self.platform.state().record_provision(&self.uuid, status, fields);
    }

    /// Records a reply to a change to this plan in the form of Heroku's replies: see
    /// [`record_plan_change`](Self::record_plan_change).
    pub fn record_plan_change_as(&self, plan: &str, status: u16, fields: &Value) {
        self.platform.state().record_plan_change(&self.uuid, plan, status, fields);
    }

    /// Replaces the config vars. Their names are not compared with the manifest.
    ///
    /// ```
    /// use maitre_testkit::platform::Platform;
    ///
    /// let install = Platform::new("tally", "password", "client secret").install("basic");
    /// install.replace_config([("POSTGRES_URL".to_owned(), "postgres://tally.example".to_owned())].into());
    /// assert_eq!(install.config()["POSTGRES_URL"], "postgres://tally.example");
    /// ```
    pub fn replace_config(&self, config: BTreeMap<String, String>) {
        let mut state = self.platform.state();
        state.addon_mut(&self.uuid).config = config;
        state.notify_changed(&self.uuid);
    }

    /// Completes a provision that was answered 202, as the vendor's `actions/provision` does.
    pub fn complete_provision(&self) {
        let mut state = self.platform.state();
        if state.addon(&self.uuid).state == State::Provisioning {
            state.provision(&self.uuid);
        }
    }

    /// Ends the install without notifying the vendor, as when a `DELETE` is lost.
    pub fn remove_silently(&self) {
        self.platform.state().remove(&self.uuid, RemovalCause::Heroku);
    }

    /// Changes the name.
    pub fn rename(&self, name: &str) {
        let mut state = self.platform.state();
        let before = std::mem::replace(&mut state.addon_mut(&self.uuid).name, name.to_owned());
        state.addon_updated(&self.uuid, "name", &before.into());
    }

    /// Attaches the install to another app, under the name that prefixes its config vars there.
    #[expect(clippy::must_use_candidate, reason = "the call is made for its effect")]
    pub fn attach(&self, app: &str, name: &str) -> App {
        let mut state = self.platform.state();
        let app = state.app_named(app);
        let attachment = Attachment { id: new_uuid(), name: name.to_owned(), app: app.clone(), created_at: state.now };
        let data = state.attachment_object(state.addon(&self.uuid), &attachment);
        state.addon_mut(&self.uuid).attachments.push(attachment);
        state.emit(&self.uuid, Entity::Attachment, Action::Create, &data, &json!({}));
        drop(state);
        App::new(self.platform.clone(), app)
    }

    /// Removes the attachment with this name or id.
    pub fn detach(&self, id_or_name: &str) {
        let mut state = self.platform.state();
        let addon = state.addon_mut(&self.uuid);
        let is_match = |attachment: &Attachment| attachment.name == id_or_name || attachment.id == id_or_name;
        let Some(position) = addon.attachments.iter().position(is_match) else { return };
        let attachment = addon.attachments.remove(position);
        let data = state.attachment_object(state.addon(&self.uuid), &attachment);
        state.emit(&self.uuid, Entity::Attachment, Action::Destroy, &data, &json!({}));
    }

    /// Revokes all access tokens. Refresh tokens stay valid.
    pub fn revoke_tokens(&self) {
        self.platform.state().revoke(Some(&self.uuid));
    }

    fn with<T>(&self, look: impl FnOnce(&Addon) -> T) -> T {
        look(self.platform.state().addon(&self.uuid))
    }
}

fn body(reply: &Reply) -> Value {
    serde_json::from_slice(reply.body()).unwrap_or_default()
}

impl InstallFields for Install {
    fn uuid(&self) -> &str {
        &self.uuid
    }

    fn provision_fields(&self) -> Vec<(&'static str, Value)> {
        let state = self.platform.state();
        let addon = state.addon(&self.uuid);
        let sent_if = |wanted: bool, value: String| if wanted { value.into() } else { Value::Null };
        vec![
            ("plan", json!(addon.plan)),
            ("name", json!(addon.name)),
            ("region", json!(addon.region)),
            ("callback_url", format!("{}/addons/{}", state.api_url(), addon.uuid).into()),
            ("oauth_grant", addon.grant.as_ref().map_or(Value::Null, Grant::json)),
            ("options", json!(addon.options)),
            ("log_input_url", sent_if(state.settings.log_input, addon.log_input_url())),
            ("log_drain_token", sent_if(state.settings.syslog_drain, addon.log_drain_token())),
        ]
    }
}

impl fmt::Debug for Install {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Install").field("uuid", &self.uuid).field("state", &self.state()).finish_non_exhaustive()
    }
}
