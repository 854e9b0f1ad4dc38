//! The customer's side of an add-on: ordering it, and what Heroku makes of the vendor's answers.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    App, CallCounts, Exchange, Grant, Platform, State,
    addon::{Addon, Attachment, Cause},
    app::Drain,
    violation::Rule,
    webhooks::{Action, Entity},
    world::PlatformState,
};
use crate::{Reply, endpoint::new_uuid};

/// An order that is not placed yet: see [`Platform::order`].
///
/// ```
/// use maitre_testkit::platform::Platform;
///
/// let platform = Platform::new("tally", "password", "client secret");
/// let install = platform
///     .install_builder("premium")
///     .app("shop")
///     .name("tally-shop")
///     .region("amazon-web-services::eu-west-1")
///     .option("retention", "7d")
///     .create();
/// assert_eq!((install.name().as_str(), install.plan().as_str()), ("tally-shop", "premium"));
/// ```
#[derive(Clone, Debug)]
#[must_use = "an install is created with create()"]
pub struct InstallBuilder {
    platform: Platform,
    plan: String,
    app: Option<String>,
    name: Option<String>,
    attached_as: Option<String>,
    region: String,
    options: BTreeMap<String, String>,
}

impl InstallBuilder {
    pub(super) fn new(platform: Platform, plan: &str) -> Self {
        Self {
            platform,
            plan: plan.to_owned(),
            app: None,
            name: None,
            attached_as: None,
            region: "amazon-web-services::us-east-1".to_owned(),
            options: BTreeMap::new(),
        }
    }

    /// For this app, which is made if there is none of the name; otherwise for an app of its own.
    pub fn app(mut self, name: &str) -> Self {
        self.app = Some(name.to_owned());
        self
    }

    /// Under this name, in place of one that Heroku invents.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Attached to its app under this name, which prefixes its config vars there; otherwise under the add-on's own prefix,
    /// or one like it that is free.
    pub fn attached_as(mut self, name: &str) -> Self {
        self.attached_as = Some(name.to_owned());
        self
    }

    /// In this region, as a provision names it.
    pub fn region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.region);
        self
    }

    /// With an option of the command line.
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.options.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Places the order: the add-on is `provisioning`, and its first grant is given out. The vendor is not asked yet:
    /// that is what [`Heroku::provision`](crate::Heroku::provision) does.
    #[must_use]
    pub fn create(self) -> Install {
        let Self { platform, plan, app, name, attached_as, region, options } = self;
        let uuid = platform.world().order(super::addon::Order { plan, app, name, attached_as, region, options });
        Install { platform, uuid }
    }
}

/// One add-on that a customer ordered, through the eyes of Heroku.
///
/// ```no_run
/// # async fn example() {
/// use maitre_testkit::{Heroku, platform::{Platform, State}};
///
/// let platform = Platform::new("tally", "password", "client secret");
/// let api = platform.serve().await.unwrap(); // the vendor under test is told api.url()
/// let heroku = Heroku::new("http://127.0.0.1:5000/heroku", "tally", "password", "salt");
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
/// A clone is the same add-on. `Debug` shows its uuid and its state.
#[derive(Clone)]
pub struct Install {
    platform: Platform,
    uuid: String,
}

impl Install {
    pub(super) fn new(platform: Platform, uuid: String) -> Self {
        Self { platform, uuid }
    }

    /// Heroku's id of it.
    #[must_use]
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Its name now.
    #[must_use]
    pub fn name(&self) -> String {
        self.with(|addon| addon.name.clone())
    }

    /// Its plan now, as a provision names it.
    #[must_use]
    pub fn plan(&self) -> String {
        self.with(|addon| addon.plan.clone())
    }

    /// The name of the app that it belongs to.
    #[must_use]
    pub fn app(&self) -> String {
        let world = self.platform.world();
        world.apps[&world.addon(&self.uuid).app].name.clone()
    }

    /// Where it is in its life.
    #[must_use]
    pub fn state(&self) -> State {
        self.with(|addon| addon.state)
    }

    /// The status of the vendor's last answer to the provision, if it answered.
    #[must_use]
    pub fn provision_status(&self) -> Option<u16> {
        self.with(|addon| addon.provision_status)
    }

    /// When it was ordered, by the platform's clock.
    #[must_use]
    pub fn created_at(&self) -> OffsetDateTime {
        self.with(|addon| addon.created_at)
    }

    /// When Heroku removes it, unless the vendor finishes what it began.
    #[must_use]
    pub fn deadline(&self) -> Option<OffsetDateTime> {
        self.with(|addon| addon.deadline)
    }

    /// The add-on as the Platform API shows it.
    ///
    /// ```
    /// use maitre_testkit::platform::Platform;
    ///
    /// let install = Platform::new("tally", "password", "client secret").install("basic");
    /// assert_eq!(install.json()["plan"]["name"], "tally:basic");
    /// ```
    #[must_use]
    pub fn json(&self) -> Value {
        self.platform.world().addon_object(&self.uuid)
    }

    /// Its attachments as the Platform API shows them; the first belongs to its own app, unless it was detached.
    #[must_use]
    pub fn attachments(&self) -> Vec<Value> {
        let world = self.platform.world();
        let addon = world.addon(&self.uuid);
        addon.attachments.iter().map(|attachment| world.attachment_object(addon, attachment)).collect()
    }

    /// The `id` that the vendor answered.
    #[must_use]
    pub fn provider_id(&self) -> Option<String> {
        self.with(|addon| addon.provider_id.clone())
    }

    /// What the vendor last told the customer.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        self.with(|addon| addon.message.clone())
    }

    /// Its config vars as the vendor names them. The app sees them once the add-on is provisioned.
    #[must_use]
    pub fn config(&self) -> BTreeMap<String, String> {
        self.with(|addon| addon.config.clone())
    }

    /// The newest grant.
    ///
    /// # Panics
    /// Never: the first is given out with the order.
    #[must_use]
    pub fn grant(&self) -> Grant {
        self.with(|addon| addon.grant.clone()).expect("a grant comes with the order")
    }

    /// Gives out one more grant, for a provision that is asked again. The one before stays good until it expires.
    #[expect(clippy::must_use_candidate, reason = "the next provision carries it")]
    pub fn issue_grant(&self) -> Grant {
        self.platform.world().grant(&self.uuid)
    }

    /// What was counted of the calls for it.
    #[must_use]
    pub fn call_counts(&self) -> CallCounts {
        self.with(|addon| addon.call_counts)
    }

    /// The calls for it, in the order of arrival.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        let mut all = self.platform.exchanges();
        all.retain(|exchange| exchange.uuid() == Some(&self.uuid));
        all
    }

    /// Takes what the vendor answered to the provision: 200 and 201 provision the add-on, 202 begins to, and 410 and
    /// 422 end it. After anything else Heroku would ask again.
    pub fn record_provision(&self, reply: &Reply) {
        let mut world = self.platform.world();
        world.addon_mut(&self.uuid).provision_status = Some(reply.status());
        match reply.status() {
            200 | 201 => {
                world.take_id(&self.uuid, reply);
                world.take_message(&self.uuid, reply);
                world.take_config(&self.uuid, reply);
                world.take_drain(&self.uuid, reply);
                if world.addon(&self.uuid).state == State::Provisioning {
                    world.provision(&self.uuid);
                }
            }
            202 => {
                world.take_id(&self.uuid, reply);
                world.take_message(&self.uuid, reply);
                world.take_drain(&self.uuid, reply);
                world.changed(&self.uuid);
                if !world.settings.async_provisioning {
                    let what = "its provision was answered 202, for which the add-on is not registered";
                    world.violation(&self.uuid, Rule::Unregistered202, what);
                }
            }
            410 | 422 => {
                world.take_message(&self.uuid, reply);
                world.remove(&self.uuid, Cause::Answer);
            }
            _ => {}
        }
    }

    /// Takes what the vendor answered to a change to this plan: after 200, 201 and 202 it is the add-on's.
    pub fn record_plan_change(&self, plan: &str, reply: &Reply) {
        let mut world = self.platform.world();
        world.take_message(&self.uuid, reply);
        if !(200..300).contains(&reply.status()) {
            return;
        }
        if reply.status() != 202 {
            world.take_config(&self.uuid, reply);
        }
        let plan_id = world.plan_id(plan);
        let slug = world.service.slug.clone();
        let addon = world.addon_mut(&self.uuid);
        let before = json!({ "id": addon.plan_id, "name": format!("{slug}:{}", addon.plan) });
        (addon.plan, addon.plan_id) = (plan.to_owned(), plan_id);
        world.addon_updated(&self.uuid, "plan", &before);
    }

    /// Takes what the vendor answered to the `DELETE`: 2xx, 404 and 410 end the add-on, and its token with it. 202
    /// begins to where [the settings](super::Settings::async_deprovisioning) admit it.
    pub fn record_deprovision(&self, reply: &Reply) {
        let mut world = self.platform.world();
        match reply.status() {
            // the vendor may be done, and have said so, before this answer is read
            202 if world.settings.async_deprovisioning && world.addon(&self.uuid).removal.is_some() => {}
            202 if world.settings.async_deprovisioning => world.begin_deprovision(&self.uuid),
            200..300 | 404 | 410 => world.remove(&self.uuid, Cause::Answer),
            _ => {}
        }
    }

    /// Takes that the vendor did not answer the `DELETE`, or not so that the add-on would be gone: Heroku asks again, and
    /// gives up after the time that it gives asynchronous operations.
    pub fn record_deprovision_failure(&self) {
        let mut world = self.platform.world();
        if world.addon(&self.uuid).removal.is_none() && world.addon(&self.uuid).state != State::Deprovisioning {
            world.begin_deprovision(&self.uuid);
        }
    }

    /// Ends the add-on without a word to the vendor, as it happens when a `DELETE` is lost.
    pub fn remove_silently(&self) {
        self.platform.world().remove(&self.uuid, Cause::Heroku);
    }

    /// Calls it otherwise.
    pub fn rename(&self, name: &str) {
        let mut world = self.platform.world();
        let before = std::mem::replace(&mut world.addon_mut(&self.uuid).name, name.to_owned());
        world.addon_updated(&self.uuid, "name", &before.into());
    }

    /// Attaches it to one more app, under the name that prefixes its config vars there.
    #[expect(clippy::must_use_candidate, reason = "to attach is use enough")]
    pub fn attach(&self, app: &str, name: &str) -> App {
        let mut world = self.platform.world();
        let app = world.app_named(app);
        let attachment = Attachment { id: new_uuid(), name: name.to_owned(), app: app.clone(), created_at: world.now };
        let data = world.attachment_object(world.addon(&self.uuid), &attachment);
        world.addon_mut(&self.uuid).attachments.push(attachment);
        world.emit(&self.uuid, Entity::Attachment, Action::Create, &data, &json!({}));
        drop(world);
        App::new(self.platform.clone(), app)
    }

    /// Detaches it from an app where it has this name; the id of the attachment will do, too.
    pub fn detach(&self, named: &str) {
        let mut world = self.platform.world();
        let addon = world.addon_mut(&self.uuid);
        let is_meant = |attachment: &Attachment| attachment.name == named || attachment.id == named;
        let Some(place) = addon.attachments.iter().position(is_meant) else { return };
        let attachment = addon.attachments.remove(place);
        let data = world.attachment_object(world.addon(&self.uuid), &attachment);
        world.emit(&self.uuid, Entity::Attachment, Action::Destroy, &data, &json!({}));
    }

    /// Ends its access tokens at once; its refresh tokens stay good.
    pub fn revoke_tokens(&self) {
        self.platform.world().revoke(Some(&self.uuid));
    }

    /// What a provision of it says, by field; null where it leaves the field out.
    pub(crate) fn provision_fields(&self) -> Vec<(&'static str, Value)> {
        let world = self.platform.world();
        let addon = world.addon(&self.uuid);
        let sent_if = |wanted: bool, value: String| if wanted { value.into() } else { Value::Null };
        vec![
            ("plan", json!(addon.plan)),
            ("name", json!(addon.name)),
            ("region", json!(addon.region)),
            ("callback_url", format!("{}/addons/{}", world.api_url(), addon.uuid).into()),
            ("oauth_grant", addon.grant.as_ref().map_or(Value::Null, Grant::json)),
            ("options", json!(addon.options)),
            ("log_input_url", sent_if(world.settings.log_input, addon.log_input_url())),
            ("log_drain_token", sent_if(world.settings.syslog_drain, addon.log_drain_token())),
        ]
    }

    fn with<T>(&self, look: impl FnOnce(&Addon) -> T) -> T {
        look(self.platform.world().addon(&self.uuid))
    }
}

impl PlatformState {
    fn take_id(&mut self, uuid: &str, reply: &Reply) {
        let id = match &answer(reply)["id"] {
            Value::String(id) if !id.is_empty() => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return self.violation(uuid, Rule::NoProviderId, "its provision was answered without an id"),
        };
        let known = self.addon_mut(uuid).provider_id.get_or_insert_with(|| id.clone()).clone();
        if known != id {
            let what = format!("its id was {known}, and a later answer says {id}");
            self.violation(uuid, Rule::ChangedProviderId, &what);
        }
    }

    fn take_message(&mut self, uuid: &str, reply: &Reply) {
        if let Some(message) = answer(reply)["message"].as_str() {
            self.addon_mut(uuid).message = Some(message.to_owned());
            self.changed(uuid);
        }
    }

    fn take_config(&mut self, uuid: &str, reply: &Reply) {
        let answer = answer(reply);
        let vars = answer["config"].as_object().into_iter().flatten();
        let changes = vars.filter_map(|(name, value)| Some((name.clone(), Some(value.as_str()?.to_owned()))));
        // a foreign name is written down as a violation, which is all that a customer would see of it
        let _ = self.set_config(uuid, changes.collect());
    }

    fn take_drain(&mut self, uuid: &str, reply: &Reply) {
        let answer = answer(reply);
        let Some(url) = answer["log_drain_url"].as_str() else { return };
        let (addon, now) = (self.addon(uuid), self.now);
        let (app, token) = (addon.app.clone(), addon.log_drain_token());
        let url = url.to_owned();
        let drains = &mut self.apps.get_mut(&app).expect("an app is never forgotten").drains;
        match drains.iter_mut().find(|drain| drain.addon.as_deref() == Some(uuid)) {
            Some(drain) => drain.url = url,
            None => {
                drains.push(Drain { id: new_uuid(), token, url, addon: Some(uuid.to_owned()), created_at: now });
            }
        }
    }
}

fn answer(reply: &Reply) -> Value {
    serde_json::from_slice(reply.body()).unwrap_or_default()
}

impl fmt::Debug for Install {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Install").field("uuid", &self.uuid).field("state", &self.state()).finish_non_exhaustive()
    }
}
