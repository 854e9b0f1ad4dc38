//! Settings from the environment.

use std::env;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use maitre::{Manifest, Secret};

/// Prefix of the secrets in this repository, which are public.
const DEVELOPMENT_PREFIX: &str = "development-only";

pub(crate) struct Settings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database_url: String,
    /// Origin that customers use. Defaults to the address of the socket.
    public_url: Option<String>,
    pub(crate) heroku: Manifest,
    pub(crate) cloudcontrol: Manifest,
    pub(crate) opperator_secret: Secret,
    /// Access to Heroku's API. Without it all operations are synchronous.
    pub(crate) heroku_api: Option<HerokuApi>,
    /// Simulated duration of provisioning.
    pub(crate) provision_delay: Duration,
}

pub(crate) struct HerokuApi {
    pub(crate) client_secret: Secret,
    /// Address of a sandbox, in place of `https://api.heroku.com` and `https://id.heroku.com`.
    pub(crate) url: Option<String>,
}

impl Settings {
    pub(crate) fn from_env() -> anyhow::Result<Self> {
        let port = var_or("PORT", "8300");
        let delay = var_or("SET_UP_SECONDS", "0");
        Ok(Self {
            host: var_or("HOST", "127.0.0.1"),
            port: port.parse().with_context(|| format!("PORT must be a number from 0 to 65535, not {port:?}"))?,
            database_url: var_or("DATABASE_URL", "sqlite://saas.db"),
            public_url: env::var("PUBLIC_URL").ok(),
            heroku: Manifest::read(var_or("ADDON_MANIFEST", "addon-manifest.json"))?,
            cloudcontrol: Manifest::read(var_or("CLOUDCONTROL_MANIFEST", "examples/saas/cloudcontrol-manifest.json"))?,
            opperator_secret: var_or("OPPERATOR_SECRET", "development-only-secret").into(),
            heroku_api: env::var("HEROKU_CLIENT_SECRET")
                .ok()
                .map(|secret| HerokuApi { client_secret: secret.into(), url: env::var("HEROKU_API").ok() }),
            provision_delay: Duration::from_secs(
                delay.parse().with_context(|| format!("SET_UP_SECONDS must be a number of seconds, not {delay:?}"))?,
            ),
        })
    }

    /// Returns an error if a public address is combined with secrets from this repository, which everyone can read.
    pub(crate) fn reject_public_development_secrets(&self) -> anyhow::Result<()> {
        if !self.is_public() {
            return Ok(());
        }
        for (secret, place) in self.secrets()? {
            if is_development_secret(secret) {
                bail!(
                    "{place} is a public secret from the repository: set your own to listen on HOST={}, \
                     which is not a loopback address",
                    self.host
                );
            }
        }
        Ok(())
    }

    fn secrets(&self) -> anyhow::Result<[(&Secret, &'static str); 5]> {
        Ok([
            (self.heroku.password()?, "api.password in ADDON_MANIFEST"),
            (self.heroku.sso_salt()?, "api.sso_salt in ADDON_MANIFEST"),
            (self.cloudcontrol.password()?, "api.password in CLOUDCONTROL_MANIFEST"),
            (self.cloudcontrol.sso_salt()?, "api.sso_salt in CLOUDCONTROL_MANIFEST"),
            (&self.opperator_secret, "OPPERATOR_SECRET"),
        ])
    }

    /// Whether other machines can connect.
    pub(crate) fn is_public(&self) -> bool {
        let loopback = self.host.parse::<IpAddr>().map_or(self.host == "localhost", |address| address.is_loopback());
        !loopback
    }

    /// Returns scheme, host and port that customers and browsers use.
    pub(crate) fn origin(&self, listening_on: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{listening_on}"))
    }
}

pub(crate) fn is_development_secret(secret: &Secret) -> bool {
    secret.expose().starts_with(DEVELOPMENT_PREFIX)
}

fn var_or(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}
