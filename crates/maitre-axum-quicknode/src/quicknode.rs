//! Credentials and settings of an add-on at QuickNode.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use jsonwebtoken::crypto::aws_lc;
use maitre_axum::BasicMarketplace;
use maitre_axum::core::sso::Window;
use maitre_axum::core::{CredentialsError, Marketplace, Password, Reload, ReloadError, Salt};
use serde::Deserialize;
use time::OffsetDateTime;

/// Credentials and settings of an add-on at QuickNode, made by [`QuickNode::new`] or read from JSON.
///
/// ```
/// use maitre_axum::core::Marketplace;
/// use maitre_axum_quicknode::QuickNode;
///
/// let quicknode = QuickNode::new("pomelo", "pomelo-pass", "pomelo-jwt-secret")?
///     .with_dashboard_url("https://pomelo.example/quicknode/sso")?;
/// assert!(!format!("{quicknode:?}").contains("pomelo-pass"));
///
/// let credentials = r#"{ "username": "pomelo", "password": "pomelo-pass", "jwt_secret": "pomelo-jwt-secret" }"#;
/// assert_eq!(serde_json::from_str::<QuickNode>(credentials)?.slug(), "pomelo");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "QuickNodeCredentials")]
pub struct QuickNode {
    pub(crate) basic: BasicMarketplace,
    pub(crate) dashboard_url: Option<String>,
    pub(crate) access_url_var: Option<String>,
    slug: Option<String>,
}

#[derive(Deserialize)]
struct QuickNodeCredentials {
    username: String,
    password: String,
    jwt_secret: String,
}

impl QuickNode {
    /// Creates it from the Basic credentials, which QuickNode issues, and the JWT secret, which the vendor enters in the
    /// portal.
    ///
    /// # Errors
    /// Returns an error if one of them is empty, or if the user contains a colon.
    pub fn new(user: &str, password: &str, jwt_secret: &str) -> Result<Self, CredentialsError> {
        if jwt_secret.is_empty() {
            return Err(CredentialsError::Empty("JWT secret"));
        }
        // if another dependency enables another implementation, jsonwebtoken panics unless one of them is chosen; an error
        // says that the program has chosen one before
        let _ = aws_lc::DEFAULT_PROVIDER.install_default();
        let basic = BasicMarketplace::new(user, password, jwt_secret)?;
        Ok(Self { basic, dashboard_url: None, access_url_var: None, slug: None })
    }

    /// Sets the add-on's name in logs and in the ledger, which must not change. Defaults to the Basic user.
    #[must_use]
    pub fn with_slug(mut self, slug: impl Into<String>) -> Self {
        self.slug = Some(slug.into());
        self
    }

    /// Accepts another password, during a rotation.
    #[must_use]
    pub fn with_password(mut self, password: Password) -> Self {
        self.basic = self.basic.with_password(password);
        self
    }

    /// Accepts tokens signed with another JWT secret, during a rotation.
    #[must_use]
    pub fn with_jwt_secret(mut self, secret: Salt) -> Self {
        self.basic = self.basic.with_salt(secret);
        self
    }

    /// Sets the public URL of the router's path `/sso`, which customers open with a token. Without it, the add-on has no
    /// single sign-on.
    ///
    /// # Errors
    /// Returns an error if it is not an `http` URL, or has a query or fragment: QuickNode appends `?jwt=`.
    pub fn with_dashboard_url(mut self, url: impl Into<String>) -> Result<Self, DashboardUrlError> {
        let url = url.into();
        let is_http = url.starts_with("https://") || url.starts_with("http://");
        if !is_http || url.contains(['?', '#']) || url.contains(char::is_control) {
            return Err(DashboardUrlError(()));
        }
        self.dashboard_url = Some(url);
        Ok(self)
    }

    /// Sets the config var with the URL that customers use, which is sent as `access-url`. QuickNode has no config vars, so
    /// that others are only visible in the vendor's dashboard.
    #[must_use]
    pub fn with_access_url_var(mut self, name: impl Into<String>) -> Self {
        self.access_url_var = Some(name.into());
        self
    }
}

impl TryFrom<QuickNodeCredentials> for QuickNode {
    type Error = CredentialsError;

    fn try_from(credentials: QuickNodeCredentials) -> Result<Self, CredentialsError> {
        Self::new(&credentials.username, &credentials.password, &credentials.jwt_secret)
    }
}

impl Marketplace for QuickNode {
    fn name(&self) -> Cow<'static, str> {
        "quicknode".into()
    }

    fn slug(&self) -> &str {
        self.slug.as_deref().unwrap_or_else(|| self.basic.slug())
    }

    fn sso_window(&self) -> Window {
        Window::default().with_max_age(Duration::from_mins(10))
    }
}

/// The text is the JSON of the credentials: `username`, `password` and `jwt_secret`.
impl Reload for QuickNode {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        self.basic.reload_json(text, |new: &Self| &new.basic, now, overlap)
    }
}

/// Error of an unsuitable dashboard URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardUrlError(());

impl fmt::Display for DashboardUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the dashboard URL must begin with https:// and have neither `?` nor `#`")
    }
}

impl std::error::Error for DashboardUrlError {}
