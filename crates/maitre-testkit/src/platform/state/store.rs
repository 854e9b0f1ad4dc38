//! State of a platform.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use time::OffsetDateTime;

use super::{
    addon::Addon,
    clock::Clock,
    customer_app::CustomerApp,
    error::RequestError,
    event::{PlatformEvent, Watchers},
    install_state::State,
    journal::Journal,
    settings::Settings,
    tokens::Tokens,
    violation::{Rule, Violation},
    webhook::Webhooks,
};
use crate::generate::new_uuid;

pub(crate) struct PlatformState {
    pub(crate) settings: Settings,
    pub(crate) service: Service,
    pub(crate) addons: BTreeMap<String, Addon>,
    pub(crate) apps: BTreeMap<String, CustomerApp>,
    pub(crate) tokens: Tokens,
    pub(crate) webhooks: Webhooks,
    pub(crate) violations: VecDeque<Violation>,
    /// URL of the first server, if there is one.
    pub(crate) url: Option<String>,
    /// The time of the current operation.
    pub(crate) now: OffsetDateTime,
    pub(crate) journal: Arc<Journal>,
    pub(crate) watchers: Arc<Watchers>,
    pub(crate) clock: Clock,
    pub(crate) agenda: BTreeSet<(OffsetDateTime, Due)>,
}

/// The add-on for sale: values of the manifest, and the client secret of the partner portal.
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) password: String,
    pub(crate) client_secret: String,
    /// Ids of plans by name.
    pub(crate) plans: BTreeMap<String, String>,
}

impl Service {
    pub(crate) fn new(slug: &str, password: &str, client_secret: &str) -> Self {
        Self {
            id: new_uuid(),
            slug: slug.to_owned(),
            password: password.to_owned(),
            client_secret: client_secret.to_owned(),
            plans: BTreeMap::new(),
        }
    }
}

/// Scheduled change.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A grant expires.
    Grant(String),
    /// The window of an asynchronous provision or deprovision closes.
    Window(String),
}

impl PlatformState {
    pub(crate) fn new(service: Service, clock: Clock, journal: Arc<Journal>, watchers: Arc<Watchers>) -> Self {
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

    pub(crate) fn schedule(&mut self, at: OffsetDateTime, due: Due) {
        self.agenda.insert((at, due));
    }

    pub(crate) fn record_violation(&mut self, uuid: &str, rule: Rule, what: &str) {
        let name = self.addons.get(uuid).map_or(uuid, |addon| addon.name.as_str());
        let message = format!("{name}: {what}");
        self.push_violation(Violation { at: self.now, rule, uuid: Some(uuid.to_owned()), message });
    }

    pub(crate) fn record_general_violation(&mut self, rule: Rule, message: String) {
        self.push_violation(Violation { at: self.now, rule, uuid: None, message });
    }

    fn push_violation(&mut self, violation: Violation) {
        self.watchers.notify(&PlatformEvent::RuleViolated(violation.clone()));
        self.violations.push_back(violation);
        while self.violations.len() > self.settings.history_limit {
            self.violations.pop_front();
        }
    }

    /// Reports a change of an add-on.
    pub(crate) fn notify_changed(&self, uuid: &str) {
        self.watchers.notify(&PlatformEvent::InstallChanged(uuid.to_owned()));
    }

    /// Returns the add-on with this uuid or name, if a token of `reached` can access it.
    pub(crate) fn reachable(&mut self, reached: &str, id_or_name: &str) -> Result<&mut Addon, RequestError> {
        let is_live = |addon: &Addon| addon.state != State::Deprovisioned;
        let found = if self.addons.contains_key(id_or_name) {
            self.addons.get_mut(id_or_name)
        } else {
            self.addons.values_mut().find(|addon| addon.name == id_or_name && is_live(addon))
        };
        match found.filter(|addon| is_live(addon)) {
            Some(addon) if addon.uuid == reached => Ok(addon),
            Some(_) => Err(RequestError::Forbidden("add-on")),
            None => Err(RequestError::NotFound("add-on")),
        }
    }

    pub(crate) fn app(&self, id_or_name: &str) -> Option<&CustomerApp> {
        self.apps.get(id_or_name).or_else(|| self.apps.values().find(|app| app.name == id_or_name))
    }

    /// Returns the app with this id or name, if a token of the add-on `reached` can access it.
    pub(crate) fn reachable_app(&self, reached: &str, id_or_name: &str) -> Result<&CustomerApp, RequestError> {
        let app = self.app(id_or_name).ok_or(RequestError::NotFound("app"))?;
        let touched = self.addons.get(reached).is_some_and(|addon| addon.is_visible_to(&app.id));
        touched.then_some(app).ok_or(RequestError::Forbidden("app"))
    }

    /// Returns the apps that an add-on's token can access: its own, and those it is attached to.
    pub(crate) fn reachable_apps(&self, reached: &str) -> impl Iterator<Item = &CustomerApp> {
        let addon = self.addons.get(reached);
        self.apps.values().filter(move |app| addon.is_some_and(|addon| addon.is_visible_to(&app.id)))
    }

    pub(crate) fn prefix(&self) -> String {
        let spoken = self.settings.config_vars_prefix.clone();
        spoken.unwrap_or_else(|| self.service.slug.to_uppercase().replace('-', "_"))
    }

    /// Whether this add-on may set a config var of this name.
    pub(crate) fn is_own_var(&self, name: &str) -> bool {
        match &self.settings.config_vars {
            Some(names) => names.iter().any(|known| known == name),
            None => name.strip_prefix(&self.prefix()).is_some_and(|rest| rest.starts_with('_')),
        }
    }

    pub(crate) fn has_config_vars(&self) -> bool {
        self.settings.config_vars.as_ref().is_none_or(|names| !names.is_empty())
    }

    /// Returns the id of a plan, which is always the same for its name.
    pub(crate) fn plan_id(&mut self, plan: &str) -> String {
        self.service.plans.entry(plan.to_owned()).or_insert_with(new_uuid).clone()
    }

    /// Returns the time this long from now.
    pub(crate) fn after(&self, by: std::time::Duration) -> OffsetDateTime {
        self.now.saturating_add(time::Duration::try_from(by).unwrap_or(time::Duration::MAX))
    }

    pub(crate) fn api_url(&self) -> String {
        self.url.clone().unwrap_or_else(|| "https://api.heroku.com".to_owned())
    }
}
