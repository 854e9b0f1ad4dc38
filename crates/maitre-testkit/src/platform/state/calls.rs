//! Calls of the vendor.

use super::{
    addon::RemovalCause, error::RequestError, exchange::ExchangeNumber, store::PlatformState, violation::Rule,
};

impl PlatformState {
    /// Assigns a call to an add-on, and refuses it if the add-on has ended.
    pub(crate) fn record_call(&mut self, uuid: &str, number: ExchangeNumber, line: &str) -> Result<(), RequestError> {
        self.journal.set_addon(number, uuid);
        let addon = self.addon_mut(uuid);
        addon.call_counts.calls += 1;
        let Some(removal) = addon.removal else { return Ok(()) };
        if number >= removal.before {
            addon.call_counts.calls_after_deprovision += 1;
            let is_known = match removal.cause {
                RemovalCause::Answer => true,
                RemovalCause::Call(number) => !self.journal.is_response_dropped(number),
                RemovalCause::Heroku => false,
            };
            if is_known {
                let what = format!("{line} came after it was deprovisioned");
                self.record_violation(uuid, Rule::CallAfterDeprovision, &what);
            }
        }
        Err(RequestError::Unauthorized)
    }
}
