//! Replacing webhook secrets and the password of the manifest while they are in use.

use std::time::Duration;

use maitre_core::{Manifest, Reload, ReloadError, overlap_end};
use time::OffsetDateTime;

use crate::{api::WebhookSecret, platform::Platform, webhooks::WebhookReceiver};

/// The text has one secret per line.
impl Reload for WebhookReceiver {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut secrets: Vec<_> = lines.map(WebhookSecret::new).collect::<Result<_, _>>().map_err(ReloadError::new)?;
        if secrets.is_empty() {
            return Err(ReloadError::new("the file contains no webhook secret: use the one returned when subscribing"));
        }
        let until = overlap_end(now, overlap);
        for old in self.secrets.get().iter().filter(|old| old.is_active(now)) {
            if !secrets.contains(old) {
                let old = old.clone();
                secrets.push(if old.is_old() { old } else { old.with_expiry(until) });
            }
        }
        self.secrets.replace(secrets);
        Ok(())
    }
}

/// The text is the manifest, whose password is used for calls in the name of the add-on. The client secret has a file of its
/// own, for [`Platform::client`].
impl Reload for Platform {
    fn reload(&self, text: &str, _: OffsetDateTime, _: Duration) -> Result<(), ReloadError> {
        let manifest = Manifest::parse(text).map_err(ReloadError::new)?;
        let password = manifest.password().map_err(ReloadError::new)?.clone();
        if password.expose().starts_with("sha256:") {
            return Err(ReloadError::new("the manifest's api.password is a hash, with which Heroku cannot be called"));
        }
        self.0.password.replace(Some(password));
        Ok(())
    }
}
