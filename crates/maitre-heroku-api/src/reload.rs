//! Replacing client secrets while they are in use.

use std::time::Duration;

use maitre_core::{Reload, ReloadError};
use time::OffsetDateTime;

use crate::Client;

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
        self.0.client_secrets.reload(text, now, overlap)
    }
}
