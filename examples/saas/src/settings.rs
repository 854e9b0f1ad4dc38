//! What the environment decides.

use std::env;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use maitre::{Manifest, Secret};

/// Every secret in this repository begins so: anyone can read it here.
const DEVELOPMENT: &str = "development-only";

pub(crate) struct Settings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database_url: String,
    /// Where customers reach this server, if not at the address that it listens on.
    public_url: Option<String>,
    pub(crate) heroku: Manifest,
    pub(crate) cloudcontrol: Manifest,
    pub(crate) opperator_secret: Secret,
    /// Where Heroku is and what it knows this add-on by; without it nobody calls Heroku, and no answer is given later.
    pub(crate) heroku_api: Option<HerokuApi>,
    /// How long Tally takes to set up an install, to see what happens while it does.
    pub(crate) set_up: Duration,
}

pub(crate) struct HerokuApi {
    pub(crate) client_secret: Secret,
    /// In the place of `https://api.heroku.com` and `https://id.heroku.com`: a sandbox.
    pub(crate) url: Option<String>,
}

impl Settings {
    pub(crate) fn from_env() -> anyhow::Result<Self> {
        let port = or("PORT", "5000");
        let set_up = or("SET_UP_SECONDS", "0");
        Ok(Self {
            host: or("HOST", "127.0.0.1"),
            port: port.parse().with_context(|| format!("PORT is {port:?}: write a number from 0 to 65535"))?,
            database_url: or("DATABASE_URL", "sqlite://saas.db"),
            public_url: env::var("PUBLIC_URL").ok(),
            heroku: Manifest::read(or("ADDON_MANIFEST", "addon-manifest.json"))?,
            cloudcontrol: Manifest::read(or("CLOUDCONTROL_MANIFEST", "examples/saas/cloudcontrol-manifest.json"))?,
            opperator_secret: or("OPPERATOR_SECRET", "development-only-secret").into(),
            heroku_api: env::var("HEROKU_CLIENT_SECRET")
                .ok()
                .map(|secret| HerokuApi { client_secret: secret.into(), url: env::var("HEROKU_API").ok() }),
            set_up: Duration::from_secs(
                set_up.parse().with_context(|| format!("SET_UP_SECONDS is {set_up:?}: write a number of seconds"))?,
            ),
        })
    }

    /// On any address but loopback everyone who has read this repository could order, remove and sign in.
    pub(crate) fn refuse_development_secrets_in_public(&self) -> anyhow::Result<()> {
        if !self.is_public() {
            return Ok(());
        }
        for (secret, place) in self.secrets()? {
            if is_for_development(secret) {
                bail!(
                    "{place} is the one from the repository, which anyone can read: set your own before HOST={} \
                     (only loopback addresses go with it)",
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

    /// Whether anyone but this machine can call.
    pub(crate) fn is_public(&self) -> bool {
        let loopback = self.host.parse::<IpAddr>().map_or(self.host == "localhost", |address| address.is_loopback());
        !loopback
    }

    /// Scheme, host and port that customers and browsers use.
    pub(crate) fn origin(&self, listening_on: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{listening_on}"))
    }
}

pub(crate) fn is_for_development(secret: &Secret) -> bool {
    secret.expose().starts_with(DEVELOPMENT)
}

fn or(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}
