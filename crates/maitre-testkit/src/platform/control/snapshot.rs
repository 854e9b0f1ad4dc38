//! Snapshots of a platform, to continue after a restart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use time::OffsetDateTime;

use super::{
    super::state::{
        clock::Reading,
        delivery::Delivery,
        exchange::ExchangeNumber,
        store::{Due, PlatformState},
        tokens::Grant,
        webhook::Event,
    },
    platform::Platform,
};

/// Values that exist once per platform.
#[derive(Serialize, Deserialize)]
struct Singletons {
    at: OffsetDateTime,
    clock: Reading,
    calls: ExchangeNumber,
    service: String,
    plans: BTreeMap<String, String>,
}

impl Platform {
    /// Returns the add-ons, apps, tokens, webhooks and the clock as JSON texts by key. Calls, violations, faults and
    /// settings are not included.
    ///
    /// The texts and the keys contain secrets.
    ///
    /// ```
    /// use maitre_testkit::platform::Platform;
    ///
    /// let platform = Platform::new("tally", "password", "client secret");
    /// let install = platform.install_builder("basic").name("tally-shop").create();
    ///
    /// let restarted = Platform::new("tally", "password", "client secret");
    /// restarted.restore(&platform.snapshot())?;
    /// assert_eq!(restarted.find("tally-shop").map(|found| found.uuid().to_owned()), Some(install.uuid().to_owned()));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Panics
    /// Never panics: all values can be written as JSON.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<String, String> {
        let state = self.state();
        let whole = Singletons {
            at: state.now,
            clock: self.clock().reading_to_keep(),
            calls: self.journal().len(),
            service: state.service.id.clone(),
            plans: state.service.plans.clone(),
        };
        let mut rows = Tables(BTreeMap::new());
        rows.put("whole", "", &whole);
        state.addons.iter().for_each(|(uuid, addon)| rows.put("addon", uuid, addon));
        state.apps.iter().for_each(|(id, app)| rows.put("app", id, app));
        state.tokens.grants.iter().for_each(|(code, grant)| rows.put("grant", code, grant));
        state.tokens.access.iter().for_each(|(token, access)| rows.put("access", token, access));
        state.tokens.refresh.iter().for_each(|(token, refresh)| rows.put("refresh", token, refresh));
        state.webhooks.subscriptions.iter().for_each(|(id, webhook)| rows.put("hook", id, webhook));
        state.webhooks.events.iter().for_each(|event| rows.put("event", &event.id, event));
        state.webhooks.deliveries.iter().for_each(|delivery| rows.put("delivery", delivery.id(), delivery));
        rows.0
    }

    /// Replaces the state by a [snapshot](Self::snapshot) of a platform of the same add-on. Then everything happens
    /// that has become due.
    ///
    /// # Errors
    /// Returns an error if a text is not part of a snapshot.
    pub fn restore(&self, memory: &BTreeMap<String, String>) -> Result<(), serde_json::Error> {
        let rows = Memory(memory);
        let mut state = self.shared_state().lock_unsettled();
        if let Some(whole) = rows.read::<Singletons>("whole")?.remove("") {
            self.clock().go_on(whole.clock);
            self.journal().continue_at(whole.calls);
            (state.service.id, state.service.plans) = (whole.service, whole.plans);
            state.now = whole.at;
        }
        state.addons = rows.read("addon")?;
        state.apps = rows.read("app")?;
        state.tokens.grants = rows.read("grant")?.into_iter().collect();
        state.tokens.access = rows.read("access")?.into_iter().collect();
        state.tokens.refresh = rows.read("refresh")?.into_iter().collect();
        state.webhooks.subscriptions = rows.read("hook")?;
        let mut events: Vec<Event> = rows.read("event")?.into_values().collect();
        events.sort_by_key(|event| event.created_at);
        state.webhooks.events = events.into();
        let mut deliveries: Vec<Delivery> = rows.read("delivery")?.into_values().collect();
        deliveries.sort_by_key(|delivery| delivery.happened_at);
        state.webhooks.deliveries = deliveries.into();
        reschedule(&mut state);
        Ok(())
    }
}

/// Restores the derived values: the newest grants and the schedule.
fn reschedule(state: &mut PlatformState) {
    let mut due: Vec<(OffsetDateTime, Due)> = Vec::new();
    for (code, grant) in &state.tokens.grants {
        if grant.expires_at > state.now {
            due.push((grant.expires_at, Due::Grant(code.clone())));
        }
        let Some(addon) = state.addons.get_mut(&grant.addon) else { continue };
        if addon.grant.as_ref().is_none_or(|known| known.expires_at < grant.expires_at) {
            addon.grant = Some(Grant { code: code.clone(), expires_at: grant.expires_at });
        }
    }
    let windows = state.addons.values().filter_map(|addon| Some((addon.deadline?, Due::Window(addon.uuid.clone()))));
    due.extend(windows);
    for (at, due) in due {
        state.schedule(at, due);
    }
}

struct Tables(BTreeMap<String, String>);

impl Tables {
    fn put(&mut self, kind: &str, key: &str, value: &impl Serialize) {
        let text = serde_json::to_string(value).expect("plain fields");
        self.0.insert(format!("{kind}/{key}"), text);
    }
}

struct Memory<'a>(&'a BTreeMap<String, String>);

impl Memory<'_> {
    fn read<T: DeserializeOwned>(&self, kind: &str) -> Result<BTreeMap<String, T>, serde_json::Error> {
        let rows = self.0.iter().filter_map(|(key, text)| Some((key.strip_prefix(kind)?.strip_prefix('/')?, text)));
        rows.map(|(key, text)| Ok((key.to_owned(), serde_json::from_str(text)?))).collect()
    }
}
