//! One add-on as Heroku keeps it, and the steps of its life.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    app::AppRecord,
    call_counts::CallCounts,
    problem::Problem,
    state::State,
    tokens::Grant,
    violation::Rule,
    webhooks::{Action, Entity},
    world::{Due, PlatformState, Seq},
};
use crate::endpoint::new_uuid;

#[derive(Serialize, Deserialize)]
pub(super) struct Addon {
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) plan: String,
    pub(super) plan_id: String,
    pub(super) region: String,
    pub(super) app: String,
    pub(super) options: BTreeMap<String, String>,
    pub(super) provider_id: Option<String>,
    pub(super) message: Option<String>,
    pub(super) state: State,
    pub(super) config: BTreeMap<String, String>,
    pub(super) attachments: Vec<Attachment>,
    pub(super) log_token: String,
    /// The newest one. It stands among the tokens, too, and is found there again.
    #[serde(skip)]
    pub(super) grant: Option<Grant>,
    /// What the vendor last answered to the provision.
    pub(super) provision_status: Option<u16>,
    /// The end of the window in which the vendor must call back.
    pub(super) deadline: Option<OffsetDateTime>,
    pub(super) removal: Option<Removal>,
    pub(super) created_at: OffsetDateTime,
    pub(super) updated_at: OffsetDateTime,
    pub(super) pool: Pool,
    pub(super) call_counts: CallCounts,
}

/// How an add-on came to its end.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Removal {
    /// Exchanges from this number on began after it.
    pub(super) before: Seq,
    pub(super) cause: Cause,
}

/// Whether the vendor knows that an add-on ended, and so should not call any more.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum Cause {
    /// By what it answered.
    Answer,
    /// By this call of its own, unless a fault kept the answer from it.
    Call(Seq),
    /// It does not: Heroku ended it by itself.
    Heroku,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Attachment {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) app: String,
    pub(super) created_at: OffsetDateTime,
}

/// The requests that an add-on may still make at once.
#[derive(Serialize, Deserialize)]
pub(super) struct Pool {
    left: f64,
    at: OffsetDateTime,
}

impl Pool {
    pub(super) fn full(size: u32, at: OffsetDateTime) -> Self {
        Self { left: size.into(), at }
    }

    /// Takes one request out, after refilling for the time that went by; tells how many are left, or that none was.
    pub(super) fn take(&mut self, size: u32, refill: u32, now: OffsetDateTime) -> Option<u32> {
        let minutes = (now - self.at).as_seconds_f64().max(0.0) / 60.0;
        self.at = self.at.max(now);
        self.left = (self.left + minutes * f64::from(refill)).min(size.into());
        if self.left < 1.0 {
            return None;
        }
        self.left -= 1.0;
        Some(self.left())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a u32")]
    pub(super) fn left(&self) -> u32 {
        self.left as u32
    }
}

impl Addon {
    /// Whether the add-on belongs to this app or is attached to it.
    pub(super) fn is_visible_to(&self, app: &str) -> bool {
        self.app == app || self.attachments.iter().any(|attachment| attachment.app == app)
    }
}

/// What tells several add-ons of one service on one app apart.
const COLOURS: [&str; 8] = ["AMBER", "COBALT", "CRIMSON", "JADE", "OLIVE", "PURPLE", "ROSE", "TEAL"];

/// What a customer orders.
pub(super) struct Order {
    pub(super) plan: String,
    pub(super) app: Option<String>,
    pub(super) name: Option<String>,
    pub(super) attached_as: Option<String>,
    pub(super) region: String,
    pub(super) options: BTreeMap<String, String>,
}

impl PlatformState {
    /// The customer orders: from here on the add-on is `provisioning`, and its grant can be exchanged.
    pub(super) fn order(&mut self, order: Order) -> String {
        let uuid = new_uuid();
        let number: String = uuid.chars().take(8).collect();
        let name = order.name.unwrap_or_else(|| format!("{}-curved-{number}", self.service.slug));
        let app = order.app.unwrap_or_else(|| format!("{}-app-{number}", self.service.slug));
        let app = self.app_named(&app);
        let deadline = self.after(self.settings.async_window);
        let attached_as = order.attached_as.unwrap_or_else(|| self.free_attachment_name(&app));
        let attachment = Attachment { id: new_uuid(), name: attached_as, app: app.clone(), created_at: self.now };
        let addon = Addon {
            plan_id: self.plan_id(&order.plan),
            uuid: uuid.clone(),
            name,
            plan: order.plan,
            region: order.region,
            app,
            options: order.options,
            provider_id: None,
            message: None,
            state: State::Provisioning,
            config: BTreeMap::new(),
            attachments: vec![attachment],
            log_token: new_uuid(),
            grant: None,
            provision_status: None,
            deadline: Some(deadline),
            removal: None,
            created_at: self.now,
            updated_at: self.now,
            pool: Pool::full(self.settings.rate_limit, self.now),
            call_counts: CallCounts::default(),
        };
        self.addons.insert(uuid.clone(), addon);
        self.plan_for(deadline, Due::Window(uuid.clone()));
        self.grant(&uuid);
        self.changed(&uuid);
        uuid
    }

    /// The prefix of the add-on's config vars; with a colour where an add-on of this app has that already.
    fn free_attachment_name(&self, app: &str) -> String {
        let live = self.addons.values().filter(|addon| addon.removal.is_none());
        let here = live.flat_map(|addon| &addon.attachments).filter(|attachment| attachment.app == app);
        let taken: BTreeSet<_> = here.map(|attachment| attachment.name.as_str()).collect();
        let prefix = self.prefix();
        let coloured = COLOURS.iter().map(|colour| format!("{prefix}_{colour}"));
        let numbered = (2..).map(|number| format!("{prefix}_{number}"));
        let mut names = std::iter::once(prefix.clone()).chain(coloured).chain(numbered);
        names.find(|name| !taken.contains(name.as_str())).unwrap_or(prefix)
    }

    /// The id of the app of this name, which is made if there is none.
    pub(super) fn app_named(&mut self, name: &str) -> String {
        if let Some(app) = self.app(name) {
            return app.id.clone();
        }
        let app = AppRecord::new(name, self.now);
        let id = app.id.clone();
        self.apps.insert(id.clone(), app);
        id
    }

    pub(super) fn addon(&self, uuid: &str) -> &Addon {
        self.addons.get(uuid).expect("an add-on is never forgotten")
    }

    pub(super) fn addon_mut(&mut self, uuid: &str) -> &mut Addon {
        self.addons.get_mut(uuid).expect("an add-on is never forgotten")
    }

    /// The add-on is in use: its vars are released, and the app restarts once.
    pub(super) fn provision(&mut self, uuid: &str) {
        let now = self.now;
        let addon = self.addon_mut(uuid);
        let before = addon.state;
        addon.state = State::Provisioned;
        addon.deadline = None;
        addon.updated_at = now;
        addon.call_counts.restarts += 1;
        self.addon_updated(uuid, "state", &before.to_string().into());
    }

    /// The vendor answered a `DELETE` with 202, as it may.
    pub(super) fn begin_deprovision(&mut self, uuid: &str) {
        let deadline = self.after(self.settings.async_window);
        let addon = self.addon_mut(uuid);
        let before = addon.state;
        addon.state = State::Deprovisioning;
        addon.deadline = Some(deadline);
        self.plan_for(deadline, Due::Window(uuid.to_owned()));
        self.addon_updated(uuid, "state", &before.to_string().into());
    }

    /// Sets config vars, and unsets those without a value. Nothing is changed if one of them may not be.
    pub(super) fn set_config(&mut self, uuid: &str, changes: Vec<(String, Option<String>)>) -> Result<(), Problem> {
        if let Some((name, _)) = changes.iter().find(|(name, _)| !self.is_own_var(name)) {
            let what = format!("it set the config var {name}, which is not in its manifest");
            self.violation(uuid, Rule::ForeignConfigVar, &what);
            return Err(Problem::invalid_params(format!("{name} is not a config var of this add-on.")));
        }
        let now = self.now;
        let addon = self.addon_mut(uuid);
        for (name, value) in changes {
            match value {
                Some(value) => drop(addon.config.insert(name, value)),
                None => drop(addon.config.remove(&name)),
            }
        }
        addon.updated_at = now;
        self.changed(uuid);
        Ok(())
    }

    pub(super) fn addon_updated(&mut self, uuid: &str, field: &str, previous: &Value) {
        self.changed(uuid);
        let data = self.addon_object(uuid);
        self.emit(uuid, Entity::Addon, Action::Update, &data, &json!({ field: previous }));
    }

    pub(super) fn addon_destroyed(&mut self, uuid: &str) {
        self.changed(uuid);
        let data = self.addon_object(uuid);
        self.emit(uuid, Entity::Addon, Action::Destroy, &data, &json!({}));
    }
}
