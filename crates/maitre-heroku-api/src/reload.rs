//! Replacing client secrets while they are in use.

use std::time::Duration;

use maitre_core::{Reload, ReloadError, overlap_end};
use time::OffsetDateTime;

use crate::{Client, client_secrets::ClientSecret};

/// The text has one client secret per line, the current one first. An old one is used if Heroku does not accept the current
/// one.
///
/// ```
/// use std::time::Duration;
/// use maitre_core::Reload;
/// use maitre_heroku_api::Client;
///
/// let client = Client::builder("older").build()?;
/// client.reload("newer\n", client.now(), Duration::from_secs(3600))?;
/// assert!(client.reload("\n", client.now(), Duration::ZERO).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Reload for Client {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut secrets: Vec<_> = lines.map(|line| ClientSecret::new(line.into(), None)).collect();
        if secrets.is_empty() {
            return Err(ReloadError::new("the file contains no client secret: copy it from Heroku's partner portal"));
        }
        let until = overlap_end(now, overlap);
        for mut old in self.0.client_secrets.active(now) {
            if secrets.iter().all(|new| new.value.expose() != old.value.expose()) {
                old.expires_at.get_or_insert(until);
                secrets.push(old);
            }
        }
        self.0.client_secrets.replace(secrets);
        Ok(())
    }
}
