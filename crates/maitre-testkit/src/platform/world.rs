//! All that this Heroku knows, and what time does to it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use time::OffsetDateTime;

use super::{
    addon::{Addon, Cause, Removal},
    app::AppRecord,
    clock::Clock,
    event::{PlatformEvent, Watchers},
    journal::Journal,
    problem::Problem,
    settings::Settings,
    state::State,
    tokens::Tokens,
    violation::{Rule, Violation},
    webhooks::Webhooks,
};
use crate::endpoint::new_uuid;

/// The number of an exchange in the order of arrival.
pub(super) type Seq = usize;

pub(super) struct PlatformState {
    pub(super) settings: Settings,
    pub(super) service: Service,
    pub(super) addons: BTreeMap<String, Addon>,
    pub(super) apps: BTreeMap<String, AppRecord>,
    pub(super) tokens: Tokens,
    pub(super) webhooks: Webhooks,
    pub(super) violations: VecDeque<Violation>,
    /// Where the platform is served, if it is.
    pub(super) url: Option<String>,
    /// The instant of this look at the world.
    pub(super) now: OffsetDateTime,
    pub(super) journal: Arc<Journal>,
    pub(super) watchers: Arc<Watchers>,
    pub(super) clock: Clock,
    agenda: BTreeSet<(OffsetDateTime, Due)>,
}

/// The add-on that is sold: what the manifest says, and the client secret of the partner portal.
pub(super) struct Service {
    pub(super) id: String,
    pub(super) slug: String,
    pub(super) password: String,
    pub(super) client_secret: String,
    /// The id of each plan that was ever sold.
    pub(super) plans: BTreeMap<String, String>,
}

impl Service {
    pub(super) fn new(slug: &str, password: &str, client_secret: &str) -> Self {
        Self {
            id: new_uuid(),
            slug: slug.to_owned(),
            password: password.to_owned(),
            client_secret: client_secret.to_owned(),
            plans: BTreeMap::new(),
        }
    }
}

/// What happens by itself when its time comes.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A grant expires.
    Grant(String),
    /// The window of an asynchronous provision or deprovision closes.
    Window(String),
}

impl PlatformState {
    pub(super) fn new(service: Service, clock: Clock, journal: Arc<Journal>, watchers: Arc<Watchers>) -> Self {
        Self {
            settings: Settings::default(),
            service,
            addons: BTreeMap::new(),
            apps: BTreeMap::new(),
            tokens: Tokens::default(),
            webhooks: Webhooks::default(),
            violations: VecDeque::new(),
            url: None,
            now: OffsetDateTime::UNIX_EPOCH,
            journal,
            watchers,
            clock,
            agenda: BTreeSet::new(),
        }
    }

    /// Does what was due up to `now`, each at its own instant and in their order.
    pub(super) fn settle(&mut self, now: OffsetDateTime) {
        while self.agenda.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((at, due)) = self.agenda.pop_first() {
                self.now = at;
                match due {
                    Due::Grant(code) => self.grant_expires(&code),
                    Due::Window(uuid) => self.window_closes(&uuid, at),
                }
            }
        }
        self.now = now;
    }

    pub(super) fn plan_for(&mut self, at: OffsetDateTime, due: Due) {
        self.agenda.insert((at, due));
    }

    fn window_closes(&mut self, uuid: &str, at: OffsetDateTime) {
        let Some(addon) = self.addons.get(uuid).filter(|addon| addon.deadline == Some(at)) else { return };
        if addon.state == State::Provisioning && addon.provision_status == Some(202) {
            self.violation(uuid, Rule::Unfinished, "it was not marked provisioned in time, so Heroku removed it");
        }
        self.remove(uuid, Cause::Heroku);
    }

    /// Ends an add-on: its token is dead from now on.
    pub(super) fn remove(&mut self, uuid: &str, cause: Cause) {
        let before = self.journal.len();
        let now = self.now;
        let Some(addon) = self.addons.get_mut(uuid).filter(|addon| addon.removal.is_none()) else { return };
        addon.state = State::Deprovisioned;
        addon.updated_at = now;
        addon.deadline = None;
        addon.removal = Some(Removal { before, cause });
        self.addon_destroyed(uuid);
    }

    pub(super) fn violation(&mut self, uuid: &str, rule: Rule, what: &str) {
        let name = self.addons.get(uuid).map_or(uuid, |addon| addon.name.as_str());
        let sentence = format!("{name}: {what}");
        self.broken(Violation { at: self.now, rule, uuid: Some(uuid.to_owned()), sentence });
    }

    pub(super) fn general_violation(&mut self, rule: Rule, sentence: String) {
        self.broken(Violation { at: self.now, rule, uuid: None, sentence });
    }

    fn broken(&mut self, violation: Violation) {
        self.watchers.tell(&PlatformEvent::RuleViolated(violation.clone()));
        self.violations.push_back(violation);
        while self.violations.len() > self.settings.history_limit {
            self.violations.pop_front();
        }
    }

    /// Tells that an add-on is another one than before.
    pub(super) fn changed(&self, uuid: &str) {
        self.watchers.tell(&PlatformEvent::InstallChanged(uuid.to_owned()));
    }

    /// The add-on that the path names, by uuid or by name, for a token that reaches `reached` alone.
    pub(super) fn reachable(&mut self, reached: &str, named: &str) -> Result<&mut Addon, Problem> {
        let is_live = |addon: &Addon| addon.state != State::Deprovisioned;
        let found = if self.addons.contains_key(named) {
            self.addons.get_mut(named)
        } else {
            self.addons.values_mut().find(|addon| addon.name == named && is_live(addon))
        };
        match found.filter(|addon| is_live(addon)) {
            Some(addon) if addon.uuid == reached => Ok(addon),
            Some(_) => Err(Problem::forbidden("add-on")),
            None => Err(Problem::not_found("add-on")),
        }
    }

    pub(super) fn app(&self, named: &str) -> Option<&AppRecord> {
        self.apps.get(named).or_else(|| self.apps.values().find(|app| app.name == named))
    }

    /// The app that the path names, for a token that reaches the apps of one add-on.
    pub(super) fn reachable_app(&self, reached: &str, named: &str) -> Result<&AppRecord, Problem> {
        let app = self.app(named).ok_or_else(|| Problem::not_found("app"))?;
        let touched = self.addons.get(reached).is_some_and(|addon| addon.is_visible_to(&app.id));
        touched.then_some(app).ok_or_else(|| Problem::forbidden("app"))
    }

    /// The apps that an add-on's token reaches: its own, and all it is attached to.
    pub(super) fn reachable_apps(&self, reached: &str) -> impl Iterator<Item = &AppRecord> {
        let addon = self.addons.get(reached);
        self.apps.values().filter(move |app| addon.is_some_and(|addon| addon.is_visible_to(&app.id)))
    }

    pub(super) fn prefix(&self) -> String {
        let spoken = self.settings.config_vars_prefix.clone();
        spoken.unwrap_or_else(|| self.service.slug.to_uppercase().replace('-', "_"))
    }

    /// Whether this add-on may set a config var of this name.
    pub(super) fn is_own_var(&self, name: &str) -> bool {
        match &self.settings.config_vars {
            Some(names) => names.iter().any(|known| known == name),
            None => name.strip_prefix(&self.prefix()).is_some_and(|rest| rest.starts_with('_')),
        }
    }

    pub(super) fn has_config_vars(&self) -> bool {
        self.settings.config_vars.as_ref().is_none_or(|names| !names.is_empty())
    }

    /// Heroku's id of a plan, which stays the same for its name.
    pub(super) fn plan_id(&mut self, plan: &str) -> String {
        self.service.plans.entry(plan.to_owned()).or_insert_with(new_uuid).clone()
    }

    /// The time this long from now.
    pub(super) fn after(&self, by: std::time::Duration) -> OffsetDateTime {
        self.now.saturating_add(time::Duration::try_from(by).unwrap_or(time::Duration::MAX))
    }

    pub(super) fn api_url(&self) -> String {
        self.url.clone().unwrap_or_else(|| "https://api.heroku.com".to_owned())
    }
}
