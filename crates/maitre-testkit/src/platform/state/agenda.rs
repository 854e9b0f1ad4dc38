//! Changes at scheduled times.

use time::OffsetDateTime;

use super::{
    addon::RemovalCause,
    install_state::State,
    store::{Due, PlatformState},
    violation::Rule,
};

impl PlatformState {
    /// Applies everything that was due up to `now`, in order and each at its own time.
    pub(crate) fn settle(&mut self, now: OffsetDateTime) {
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

    fn window_closes(&mut self, uuid: &str, at: OffsetDateTime) {
        let Some(addon) = self.addons.get(uuid).filter(|addon| addon.deadline == Some(at)) else { return };
        if addon.state == State::Provisioning && addon.provision_status == Some(202) {
            self.record_violation(
                uuid,
                Rule::Unfinished,
                "it was not marked provisioned in time, so Heroku removed it",
            );
        }
        self.remove(uuid, RemovalCause::Heroku);
    }
}
