//! Removal of all installs, and reset of the sandbox.

use futures_util::{StreamExt as _, stream};
use maitre_testkit::platform::State;
use time::OffsetDateTime;

use crate::{Chaos, Sandbox, events::PageEvent, retry::Lifecycle};

/// Number of concurrent deprovisions.
const CONCURRENCY: usize = 8;

impl Sandbox {
    /// Deprovisions all installs.
    pub(crate) async fn remove_all(&self) {
        let removals = self.live_installs().into_iter().map(|install| async move {
            self.perform(&install, Lifecycle::Deprovision).await;
        });
        stream::iter(removals).buffer_unordered(CONCURRENCY).collect::<()>().await;
    }

    /// Forgets all installs without calling the add-on, and resets the timeline, the clock and the faults.
    pub(crate) fn reset(&self) {
        self.inner().retries.clear();
        self.inner().faults.clear();
        self.set_chaos(Chaos::default(), self.inner().faults.seed());
        let clock = self.platform().clock();
        clock.set(OffsetDateTime::now_utc());
        for install in self.platform().installs() {
            if install.state() != State::Deprovisioned {
                install.remove_silently();
            }
            self.states().insert(install.uuid().to_owned(), State::Deprovisioned);
            self.contract().update_api(&install);
            self.forgotten().insert(install.uuid().to_owned());
        }
        self.platform().apps().iter().for_each(|app| self.apps().destroy(&app.name()));
        self.trials().clear();
        self.facts().clear();
        self.journal().clear(clock.now(), "The sandbox was reset");
        self.mark_dirty();
        self.publish(PageEvent::Panel);
        self.publish(PageEvent::Installs);
    }
}
