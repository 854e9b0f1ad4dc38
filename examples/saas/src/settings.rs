//! Settings from the environment.

use std::env;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use axum::http::Uri;
use axum::http::uri::Scheme;
use maitre::catalog::Catalog;
use maitre::{Keys, Manifest, Secret};

use crate::files::Files;

/// Prefix of the secrets in this repository, which are public.
const DEVELOPMENT_PREFIX: &str = "development-only";

const HEROKU_MANIFEST: &str = include_str!("../../../addon-manifest.json");

pub(crate) struct Settings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database_url: String,
    /// Keys of the ledger, if they are in a file.
    pub(crate) keys: Option<Keys>,
    /// Origin that customers use. Defaults to the address of the socket.
    public_url: Option<String>,
    pub(crate) heroku: Manifest,
    pub(crate) cloudcontrol: Manifest,
    pub(crate) clevercloud: Manifest,
    /// Settings of the add-on at DigitalOcean, as JSON.
    pub(crate) digitalocean: Secret,
    /// Scalingo's manifest, as JSON.
    pub(crate) scalingo: Secret,
    pub(crate) opperator_secret: Secret,
    pub(crate) osb: Broker,
    /// Credentials at QuickNode, as JSON.
    pub(crate) quicknode: Secret,
    /// Integration at Vercel, if it has an id.
    pub(crate) vercel: Option<VercelIntegration>,
    /// Access to Heroku's API. Without it all operations are synchronous.
    pub(crate) heroku_api: Option<HerokuApi>,
    pub(crate) apis: Apis,
    /// Simulated duration of provisioning.
    pub(crate) provision_delay: Duration,
    /// Time for which requests are still accepted on shutdown, while the process is not ready.
    pub(crate) drain_delay: Duration,
    /// Files whose secrets are reloaded when they change.
    pub(crate) files: Files,
}

/// Credentials and catalog of the service broker.
pub(crate) struct Broker {
    pub(crate) username: String,
    pub(crate) password: Secret,
    pub(crate) catalog: Catalog,
}

/// Integration at Vercel, and addresses of a local one in place of Vercel's.
pub(crate) struct VercelIntegration {
    pub(crate) integration: String,
    pub(crate) client_secret: Secret,
    pub(crate) issuer: Option<String>,
    pub(crate) jwks_url: Option<String>,
    pub(crate) api: Option<String>,
}

impl VercelIntegration {
    fn from_env(files: &mut Files) -> anyhow::Result<Option<Self>> {
        let client_secret = files.secret("VERCEL_CLIENT_SECRET")?;
        Ok(env::var("VERCEL_INTEGRATION_ID").ok().map(|integration| Self {
            integration,
            client_secret: client_secret.unwrap_or_else(|| "development-only-client-secret".into()),
            issuer: env::var("VERCEL_ISSUER").ok(),
            jwks_url: env::var("VERCEL_JWKS_URL").ok(),
            api: env::var("VERCEL_API").ok(),
        }))
    }
}

/// URLs of the APIs that other marketplaces offer to vendors. One that is not set is not called.
pub(crate) struct Apis {
    pub(crate) clevercloud: Option<String>,
    pub(crate) digitalocean: Option<String>,
    /// Without it all operations at Scalingo are synchronous.
    pub(crate) scalingo: Option<String>,
}

impl Apis {
    fn from_env() -> Self {
        let [clevercloud, digitalocean, scalingo] =
            ["CLEVERCLOUD_API", "DIGITALOCEAN_API", "SCALINGO_API"].map(|name| env::var(name).ok());
        Self { clevercloud, digitalocean, scalingo }
    }
}

pub(crate) struct HerokuApi {
    pub(crate) client_secret: Secret,
    /// Address of a sandbox, in place of `https://api.heroku.com` and `https://id.heroku.com`.
    pub(crate) url: Option<String>,
}

impl HerokuApi {
    fn from_env(files: &mut Files) -> anyhow::Result<Option<Self>> {
        let (secret, url) = (files.secret("HEROKU_CLIENT_SECRET")?, env::var("HEROKU_API").ok());
        if cfg!(feature = "sandbox") && url.is_some() {
            bail!(
                "HEROKU_API cannot be used with the feature `sandbox`, whose marketplace is used as Heroku: unset \
                 HEROKU_API or build without the feature"
            );
        }
        match (secret, url) {
            (Some(client_secret), url) => Ok(Some(Self { client_secret, url })),
            (None, Some(_)) => bail!("HEROKU_API needs HEROKU_CLIENT_SECRET, the OAuth client secret of the add-on"),
            (None, None) => Ok(None),
        }
    }
}

impl Settings {
    pub(crate) fn from_env() -> anyhow::Result<Self> {
        let port = var_or("PORT", "8300");
        let mut files = Files::default();
        let mut secret_or = |name, default: &str| anyhow::Ok(files.secret(name)?.unwrap_or_else(|| default.into()));
        let opperator_secret = secret_or("OPPERATOR_SECRET", "development-only-secret")?;
        let osb_password = secret_or("OSB_PASSWORD", "development-only-password")?;
        Ok(Self {
            host: var_or("HOST", "localhost"),
            port: port.parse().with_context(|| format!("PORT must be a number from 0 to 65535, not {port:?}"))?,
            database_url: var_or("DATABASE_URL", "sqlite://saas.db"),
            keys: keys(&mut files)?,
            public_url: env::var("PUBLIC_URL").ok().map(|url| parse_public_url(&url)).transpose()?,
            heroku: Manifest::parse(&files.text("ADDON_MANIFEST", HEROKU_MANIFEST)?)
                .context("ADDON_MANIFEST is invalid")?,
            cloudcontrol: Manifest::parse(
                &files.text("CLOUDCONTROL_MANIFEST", include_str!("../cloudcontrol-manifest.json"))?,
            )
            .context("CLOUDCONTROL_MANIFEST is invalid")?,
            clevercloud: Manifest::parse(
                &files.text("CLEVERCLOUD_MANIFEST", include_str!("../clevercloud-manifest.json"))?,
            )
            .context("CLEVERCLOUD_MANIFEST is invalid")?,
            digitalocean: files.text("DIGITALOCEAN_MANIFEST", include_str!("../digitalocean-settings.json"))?.into(),
            scalingo: files.text("SCALINGO_MANIFEST", include_str!("../scalingo-manifest.json"))?.into(),
            opperator_secret,
            osb: Broker {
                username: var_or("OSB_USERNAME", "tally"),
                password: osb_password,
                catalog: Catalog::parse(&files.text("OSB_CATALOG", include_str!("../osb-catalog.json"))?)
                    .context("OSB_CATALOG is invalid")?,
            },
            quicknode: quicknode(&mut files)?,
            vercel: VercelIntegration::from_env(&mut files)?,
            heroku_api: HerokuApi::from_env(&mut files)?,
            apis: Apis::from_env(),
            provision_delay: seconds("SET_UP_SECONDS")?,
            drain_delay: seconds("DRAIN_SECONDS")?,
            files,
        })
    }

    /// Returns an error if a public address is combined with secrets from this repository, which everyone can read.
    pub(crate) fn reject_public_development_secrets(&self) -> anyhow::Result<()> {
        if !self.is_public() {
            return Ok(());
        }
        for (secret, place) in self.secrets()? {
            if is_development_secret(secret) {
                let setting = match &self.public_url {
                    Some(url) if is_https(url) => format!("with PUBLIC_URL={url}"),
                    _ => format!("with HOST={}, which is not a loopback address", self.host),
                };
                bail!("{place} is a public secret from the repository: set your own to start {setting}");
            }
        }
        Ok(())
    }

    fn secrets(&self) -> anyhow::Result<Vec<(&Secret, &'static str)>> {
        let mut secrets = vec![
            (self.heroku.password()?, "api.password in ADDON_MANIFEST"),
            (self.heroku.sso_salt()?, "api.sso_salt in ADDON_MANIFEST"),
            (self.cloudcontrol.password()?, "api.password in CLOUDCONTROL_MANIFEST"),
            (self.cloudcontrol.sso_salt()?, "api.sso_salt in CLOUDCONTROL_MANIFEST"),
            (self.clevercloud.password()?, "api.password in CLEVERCLOUD_MANIFEST"),
            (self.clevercloud.sso_salt()?, "api.sso_salt in CLEVERCLOUD_MANIFEST"),
            (&self.digitalocean, "a secret in DIGITALOCEAN_MANIFEST"),
            (&self.scalingo, "a secret in SCALINGO_MANIFEST"),
            (&self.opperator_secret, "OPPERATOR_SECRET"),
            (&self.osb.password, "OSB_PASSWORD"),
            (&self.quicknode, "a secret in QUICKNODE_MANIFEST"),
        ];
        if let Some(vercel) = &self.vercel {
            secrets.push((&vercel.client_secret, "VERCEL_CLIENT_SECRET"));
        }
        if let Some(api) = &self.heroku_api {
            secrets.push((&api.client_secret, "HEROKU_CLIENT_SECRET"));
        }
        Ok(secrets)
    }

    /// Whether other machines can connect, directly or through a proxy that terminates TLS.
    pub(crate) fn is_public(&self) -> bool {
        !is_loopback(&self.host) || self.public_url.as_deref().is_some_and(is_https)
    }

    pub(crate) fn has_public_url(&self) -> bool {
        self.public_url.is_some()
    }

    /// Returns scheme, host and port that customers and browsers use.
    pub(crate) fn origin(&self, listening_on: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{listening_on}"))
    }
}

/// Returns the origin without a slash at its end. Plain `http` is for loopback addresses only, because browsers return the
/// session cookie of a public address only over `https`.
fn parse_public_url(url: &str) -> anyhow::Result<String> {
    let shown = maitre::mask_urls(url);
    let invalid = || format!("PUBLIC_URL must be an origin such as https://tally.example, not {shown:?}");
    let uri: Uri = url.parse().with_context(invalid)?;
    let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else { bail!(invalid()) };
    if uri.path() != "/" || uri.query().is_some() || authority.as_str().contains('@') {
        bail!(invalid());
    }
    if *scheme != Scheme::HTTPS && !(*scheme == Scheme::HTTP && is_loopback(authority.host())) {
        bail!("PUBLIC_URL must begin with https://, as it is not a loopback address: {shown:?}");
    }
    Ok(format!("{scheme}://{authority}"))
}

fn is_https(url: &str) -> bool {
    url.starts_with("https:")
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.parse::<IpAddr>().map_or(host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
}

pub(crate) fn is_development_secret(secret: &Secret) -> bool {
    secret.expose().contains(DEVELOPMENT_PREFIX)
}

/// Returns QuickNode's credentials as JSON: those of the file, or those that variables set in their place.
fn quicknode(files: &mut Files) -> anyhow::Result<Secret> {
    let text = files.text("QUICKNODE_MANIFEST", include_str!("../quicknode-settings.json"))?;
    let mut credentials: serde_json::Map<_, _> =
        serde_json::from_str(&text).context("QUICKNODE_MANIFEST is invalid")?;
    let variables = [
        ("QUICKNODE_USERNAME", "username"),
        ("QUICKNODE_PASSWORD", "password"),
        ("QUICKNODE_JWT_SECRET", "jwt_secret"),
    ];
    for (variable, field) in variables {
        if let Ok(value) = env::var(variable) {
            credentials.insert(field.to_owned(), value.into());
        }
    }
    Ok(serde_json::Value::from(credentials).to_string().into())
}

fn seconds(name: &str) -> anyhow::Result<Duration> {
    let value = var_or(name, "0");
    let seconds = value.parse().with_context(|| format!("{name} must be a number of seconds, not {value:?}"))?;
    Ok(Duration::from_secs(seconds))
}

fn var_or(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// Returns the keys of `MAITRE_KEY_FILE`. Without it, the ledger reads `MAITRE_KEY`.
fn keys(files: &mut Files) -> anyhow::Result<Option<Keys>> {
    if env::var_os("MAITRE_KEY_FILE").is_none() {
        return Ok(None);
    }
    let text = files.secret("MAITRE_KEY")?;
    text.map(|text| text.expose().parse().context("MAITRE_KEY_FILE is invalid")).transpose()
}

/// Returns the text of Heroku's manifest.
#[cfg(feature = "sandbox")]
pub(crate) fn heroku_manifest() -> anyhow::Result<String> {
    Files::default().text("ADDON_MANIFEST", HEROKU_MANIFEST)
}
