use std::time::Duration;

/// Behavior of a platform where Heroku's documents leave it open, change, or contradict each other; see
/// [`PlatformBuilder::settings`](crate::platform::PlatformBuilder::settings) and
/// [`Platform::update_settings`](crate::platform::Platform::update_settings).
///
/// The defaults follow the majority of the documents.
///
/// ```
/// use maitre_testkit::platform::{Platform, RefreshTokens};
/// use std::time::Duration;
///
/// let platform = Platform::builder("tally", "password", "client secret").settings(|settings| {
///     settings.token_lifetime = Duration::from_mins(10);
///     settings.refresh_tokens = RefreshTokens::Rotated;
/// }).build();
/// platform.update_settings(|settings| settings.refresh_status = 200);
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent")]
#[non_exhaustive]
pub struct Settings {
    /// The manifest's `api.config_vars`: only these names may be set. `None` allows every name with the add-on's
    /// prefix. With an empty list the add-on has no config vars, so none is required before `actions/provision`.
    pub config_vars: Option<Vec<String>>,
    /// The manifest's `api.config_vars_prefix`. Defaults to the slug in capitals.
    pub config_vars_prefix: Option<String>,
    /// Whether a provision has `log_input_url` (manifest: `requires` has `log_input`).
    pub log_input: bool,
    /// Whether a provision has `log_drain_token` (manifest: `requires` has `syslog_drain`).
    pub syslog_drain: bool,
    /// Whether the add-on is registered for asynchronous provisioning. If not, a 202 is a
    /// [violation](crate::platform::Violation).
    pub async_provisioning: bool,
    /// Whether a `DELETE` may be answered 202 (asynchronous deprovisioning, a beta).
    pub async_deprovisioning: bool,
    /// Time after which a pending provision or deprovision ends the add-on.
    pub async_window: Duration,
    /// Status of a repeated `actions/provision`, which is not documented.
    pub repeated_provision_status: u16,

    /// Lifetime of a grant.
    pub grant_lifetime: Duration,
    /// Lifetime of an access token.
    pub token_lifetime: Duration,
    /// Status of an exchange at the token endpoint. The documents show 200.
    pub exchange_status: u16,
    /// Status of a refresh at the token endpoint. The documents show 200, and 201 in one sample.
    pub refresh_status: u16,
    /// Whether the response to a refresh has `expires_in`.
    pub refresh_includes_expiry: bool,
    /// Whether the response to a refresh has a `refresh_token`.
    pub refresh_includes_refresh_token: bool,
    /// Handling of a used refresh token.
    pub refresh_tokens: RefreshTokens,
    /// Whether `GET /vendor/resources/{uuid}/oauth-grant` issues a new grant. Heroku enables it per partner.
    pub grant_backfill: bool,

    /// Base URL of an add-on's `web_url`, which leads to its dashboard by single sign-on;
    /// `/apps/{app}/addons/{addon}` follows.
    pub dashboard_url: String,
    /// Maximum number of calls, violations, events and deliveries that are kept, each.
    pub history_limit: usize,

    /// Size of the rate limit's token bucket per add-on.
    pub rate_limit: u32,
    /// Tokens per minute that refill the bucket.
    pub rate_refill: u32,
    /// Default page size.
    pub page_size: usize,
    /// Page size of the list of installs.
    pub inventory_page_size: usize,

    /// Status of a new webhook subscription: the reference says 201, the narrative 200.
    pub webhook_status: u16,
    /// Time for which deliveries of level `sync` are retried.
    pub webhook_retry_window: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            config_vars: None,
            config_vars_prefix: None,
            log_input: false,
            syslog_drain: false,
            async_provisioning: true,
            async_deprovisioning: false,
            async_window: Duration::from_hours(12),
            repeated_provision_status: 200,
            grant_lifetime: Duration::from_mins(5),
            token_lifetime: Duration::from_hours(8),
            exchange_status: 200,
            refresh_status: 200,
            refresh_includes_expiry: true,
            refresh_includes_refresh_token: true,
            refresh_tokens: RefreshTokens::Same,
            grant_backfill: false,
            dashboard_url: "https://addons-sso.heroku.com".to_owned(),
            history_limit: 100_000,
            rate_limit: 4_500,
            rate_refill: 75,
            page_size: 200,
            inventory_page_size: 4_000,
            webhook_status: 201,
            webhook_retry_window: Duration::from_hours(72),
        }
    }
}

/// Effect of a refresh on the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshTokens {
    /// The same token is returned and stays valid.
    Same,
    /// A new token is returned, and both are valid.
    Renewed,
    /// A new token is returned, and the used one is revoked.
    Rotated,
}
