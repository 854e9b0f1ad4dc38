use std::time::Duration;

/// How this platform behaves where Heroku's documents leave it open, change, or disagree; see
/// [`Platform::with`](crate::platform::Platform::with) and [`Platform::change`](crate::platform::Platform::change).
///
/// The defaults are what the documents say most often, with all of a grant's and a token's documented lives.
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
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own, with two answers")]
#[non_exhaustive]
pub struct Settings {
    /// The manifest's `api.config_vars`: only these names may be set. `None` admits every name with the add-on's
    /// prefix; an empty list says that this add-on has no config vars, so none is missed before
    /// `actions/provision`.
    pub config_vars: Option<Vec<String>>,
    /// The manifest's `api.config_vars_prefix`; the slug in capitals where it is `None`.
    pub config_vars_prefix: Option<String>,
    /// Whether a provision carries `log_input_url` (manifest: `requires` has `log_input`).
    pub log_input: bool,
    /// Whether a provision carries `log_drain_token` (manifest: `requires` has `syslog_drain`).
    pub syslog_drain: bool,
    /// Whether the add-on is registered for answering a provision 202. Where it is not, a 202 is a
    /// [violation](crate::platform::Violation).
    pub async_provisioning: bool,
    /// Whether a `DELETE` may be answered 202 (asynchronous deprovisioning, a beta).
    pub async_deprovisioning: bool,
    /// After how long an add-on that is not marked provisioned, or one that is not marked deprovisioned, is removed.
    pub async_window: Duration,
    /// What a repeated `actions/provision` is answered; no document says it.
    pub repeated_provision_status: u16,

    /// How long a grant can be exchanged.
    pub grant_lifetime: Duration,
    /// How long an access token is good.
    pub token_lifetime: Duration,
    /// What the token endpoint answers to an exchange. The documents show 200.
    pub exchange_status: u16,
    /// What the token endpoint answers to a refresh. The documents show 200, and 201 in one sample.
    pub refresh_status: u16,
    /// Whether the answer to a refresh holds `expires_in`.
    pub refresh_includes_expiry: bool,
    /// Whether the answer to a refresh holds a `refresh_token`.
    pub refresh_includes_refresh_token: bool,
    /// What becomes of a refresh token that was used.
    pub refresh_tokens: RefreshTokens,
    /// Whether `GET /vendor/resources/{uuid}/oauth-grant` hands out a new grant; Heroku turns it on per partner.
    pub grant_backfill: bool,

    /// What the `web_url` of an add-on begins with, which leads to its dashboard by way of single sign-on; behind it
    /// stands `/apps/{app}/addons/{addon}`.
    pub dashboard_url: String,
    /// How many calls, violations, events and deliveries are remembered: so many of each, the newest.
    pub history_limit: usize,

    /// How many requests an add-on may make at once before it gets 429.
    pub rate_limit: u32,
    /// How many requests come back to that pool in a minute.
    pub rate_refill: u32,
    /// How many objects a page holds when the request does not say.
    pub page_size: usize,
    /// How many installs a page of the inventory holds.
    pub inventory_page_size: usize,

    /// What subscribing to webhooks is answered: the reference says 201, the narrative 200.
    pub webhook_status: u16,
    /// How long after an event its delivery is tried again, for a subscription of the level `sync`.
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
            token_lifetime: Duration::from_secs(28_800),
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

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshTokens {
    /// It is told again, and stays.
    Same,
    /// A new one is told, and both are good.
    Renewed,
    /// A new one is told, and the used one is dead.
    Rotated,
}
