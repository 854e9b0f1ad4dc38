//! Credentials, catalog and settings of a service broker.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use maitre_axum::core::catalog::Catalog;
use maitre_axum::core::{Credentials, CredentialsError, Marketplace, Password, Reload, ReloadError, SupportsAsync};
use maitre_axum::{BasicMarketplace, TaggedJson};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use time::OffsetDateTime;

/// Credentials, catalog and settings of a service broker.
///
/// ```
/// use maitre_axum::core::catalog::Catalog;
/// use maitre_axum_osb::Osb;
///
/// let osb = Osb::new("lantern", "s3cr3t-example", Catalog::default())?
///     .with_platform("ibm-cloud")
///     .with_dashboard_url("https://lantern.example/instances/{instance}");
/// assert!(!format!("{osb:?}").contains("s3cr3t"));
/// # Ok::<(), maitre_axum::core::CredentialsError>(())
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "settings that are independent of each other")]
pub struct Osb {
    pub(crate) basic: BasicMarketplace,
    pub(crate) catalog: Arc<Catalog>,
    /// The catalog as a response.
    pub(crate) published: TaggedJson,
    pub(crate) minimum_minor: u32,
    pub(crate) space_required: bool,
    pub(crate) app_required: bool,
    pub(crate) async_required: bool,
    pub(crate) deleted_is_gone: bool,
    dashboard_url: Option<String>,
    name: Cow<'static, str>,
}

impl Osb {
    /// Creates it from the Basic credentials that the platform uses, and the catalog.
    ///
    /// # Errors
    /// Returns an error if a credential is empty.
    pub fn new(username: &str, password: &str, catalog: Catalog) -> Result<Self, CredentialsError> {
        Ok(Self {
            basic: BasicMarketplace::from_credentials(Credentials::without_single_sign_on(username, password)?),
            published: TaggedJson::new(&catalog),
            catalog: Arc::new(catalog),
            minimum_minor: 12,
            space_required: true,
            app_required: false,
            async_required: false,
            deleted_is_gone: true,
            dashboard_url: None,
            name: "osb".into(),
        })
    }

    /// Names the platform, for logs and the ledger, where its instances are kept apart from those of others. The
    /// marketplace's name is then `osb-` and this name. It must not change.
    #[must_use]
    pub fn with_platform(mut self, name: &str) -> Self {
        self.name = format!("osb-{name}").into();
        self
    }

    /// Accepts another password, during a rotation.
    #[must_use]
    pub fn with_password(mut self, password: Password) -> Self {
        self.basic = self.basic.with_password(password);
        self
    }

    /// Sets the lowest minor version of API 2 that a platform may use. Defaults to 12, as IBM Cloud uses 2.12.
    #[must_use]
    pub fn with_minimum_minor_version(mut self, minor: u32) -> Self {
        self.minimum_minor = minor;
        self
    }

    /// Sets whether a provision must name its organization and space, as the specification says. Defaults to `true`;
    /// some platforms without spaces omit them.
    #[must_use]
    pub fn with_space_required(mut self, required: bool) -> Self {
        self.space_required = required;
        self
    }

    /// Sets whether a bind must name an app. Without one it is then answered 422 `RequiresApp`. Defaults to `false`.
    #[must_use]
    pub fn with_app_required(mut self, required: bool) -> Self {
        self.app_required = required;
        self
    }

    /// Sets whether provisions are refused with 422 `AsyncRequired` if the platform does not accept asynchronous
    /// replies, for services that always take longer than a response. Defaults to `false`.
    #[must_use]
    pub fn with_async_required(mut self, required: bool) -> Self {
        self.async_required = required;
        self
    }

    /// Sets whether a platform that polls for a completed removal is answered 410. Otherwise it is 200 with the state
    /// `succeeded`. Both are allowed. Defaults to `true`.
    #[must_use]
    pub fn with_gone_after_deletion(mut self, gone: bool) -> Self {
        self.deleted_is_gone = gone;
        self
    }

    /// Sets the dashboard's URL for provisions that do not set one in their reply; `{instance}` is replaced by the
    /// instance's id. Asynchronous provisions need it here, as their first response contains it.
    #[must_use]
    pub fn with_dashboard_url(mut self, template: impl Into<String>) -> Self {
        self.dashboard_url = Some(template.into());
        self
    }

    pub(crate) fn dashboard_url(&self, instance: &str) -> Option<String> {
        let instance = utf8_percent_encode(instance, NON_ALPHANUMERIC).to_string();
        self.dashboard_url.as_ref().map(|template| template.replace("{instance}", &instance))
    }
}

impl Marketplace for Osb {
    fn name(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    fn slug(&self) -> &str {
        self.basic.slug()
    }
}

impl SupportsAsync for Osb {}

/// The text has one password per line; each may be `sha256:` and a hash.
impl Reload for Osb {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        self.basic.reload_passwords(text, now, overlap)
    }
}
