//! Credentials and settings of an add-on at DigitalOcean.

use std::borrow::Cow;
use std::time::Duration;

use maitre_axum::BasicMarketplace;
use maitre_axum::core::sso::Window;
use maitre_axum::core::{CredentialsError, Marketplace, Password, Reload, ReloadError, Salt, Secret};
use serde::Deserialize;
use time::OffsetDateTime;

/// Credentials and settings of an add-on at DigitalOcean, made by [`DigitalOcean::new`] or read from JSON.
///
/// ```
/// use maitre_axum_digitalocean::DigitalOcean;
///
/// let digitalocean = DigitalOcean::new("tamarind", "s3cr3t-example", "kelp-salt")?;
/// assert!(!format!("{digitalocean:?}").contains("kelp"));
///
/// let settings = r#"{ "app_slug": "tamarind", "password": "s3cr3t-example", "salt": "kelp-salt", "client_secret": "c" }"#;
/// assert!(serde_json::from_str::<DigitalOcean>(settings)?.client_secret().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Settings")]
pub struct DigitalOcean {
    pub(crate) basic: BasicMarketplace,
    pub(crate) legacy_token: bool,
    client_secret: Option<Secret>,
}

#[derive(Deserialize)]
struct Settings {
    app_slug: String,
    password: String,
    salt: String,
    client_secret: Option<Secret>,
}

impl DigitalOcean {
    /// Creates it from the app's slug, password and salt, as shown when the app was registered.
    ///
    /// # Errors
    /// Returns an error if one of them is empty.
    pub fn new(app_slug: &str, password: &str, salt: &str) -> Result<Self, CredentialsError> {
        Ok(Self { basic: BasicMarketplace::new(app_slug, password, salt)?, legacy_token: false, client_secret: None })
    }

    /// Accepts another password, during a rotation.
    #[must_use]
    pub fn with_password(mut self, password: Password) -> Self {
        self.basic = self.basic.with_password(password);
        self
    }

    /// Accepts tokens signed with another salt, during a rotation.
    #[must_use]
    pub fn with_salt(mut self, salt: Salt) -> Self {
        self.basic = self.basic.with_salt(salt);
        self
    }

    /// Sets whether the SHA-1 `resource_token` of 2021 is accepted if a form has no `token`. Defaults to `false`.
    #[must_use]
    pub fn with_legacy_token(mut self, accepted: bool) -> Self {
        self.legacy_token = accepted;
        self
    }

    /// Returns the OAuth client secret, for the exchange of grants.
    #[must_use]
    pub fn client_secret(&self) -> Option<&Secret> {
        self.client_secret.as_ref()
    }
}

impl TryFrom<Settings> for DigitalOcean {
    type Error = CredentialsError;

    fn try_from(settings: Settings) -> Result<Self, CredentialsError> {
        let digitalocean = Self::new(&settings.app_slug, &settings.password, &settings.salt)?;
        Ok(Self { client_secret: settings.client_secret, ..digitalocean })
    }
}

impl Marketplace for DigitalOcean {
    fn name(&self) -> Cow<'static, str> {
        "digitalocean".into()
    }

    fn slug(&self) -> &str {
        self.basic.slug()
    }

    fn sso_window(&self) -> Window {
        let two_minutes = Duration::from_mins(2);
        Window::default().with_max_age(two_minutes).with_max_ahead(two_minutes)
    }
}

/// The text is the JSON of the settings. Only their password and salt are reloaded.
impl Reload for DigitalOcean {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        self.basic.reload_json(text, |new: &Self| &new.basic, now, overlap)
    }
}
