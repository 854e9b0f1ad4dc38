//! Arguments of several commands: the marketplace, the add-on's manifest and the add-on's address.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use maitre_conformance::{Address, Marketplace, read_manifest, split_origin};
use maitre_core::Manifest;
use maitre_testkit::heroku::Provision;
use maitre_testkit::{Call, CloudControl, Heroku, JwtLink, Opperator, QuickNode};
use serde_json::Value;

use crate::basic_client::BasicClient;
use crate::credential_args::CredentialArgs;
use crate::values;

/// Marketplace, and the secrets that it shares with the add-on.
#[derive(Args)]
pub(crate) struct MarketplaceArgs {
    /// Manifest of the add-on, in the form of its marketplace. DigitalOcean has none: a JSON file with its password and salt,
    /// see docs/digitalocean.md
    #[arg(long, value_name = "FILE", default_value = "addon-manifest.json", env = "MAITRE_MANIFEST")]
    pub(crate) manifest: PathBuf,

    /// Marketplace whose API to use: heroku, digitalocean, clevercloud, scalingo, quicknode, vercel, cloudcontrol, opperator
    /// or osb (Open Service Broker)
    #[arg(
        long,
        value_name = "NAME",
        default_value = "heroku",
        value_parser = values::marketplace(),
        hide_possible_values = true
    )]
    pub(crate) marketplace: Marketplace,

    /// Shared secret of Opperator
    #[arg(long, value_name = "SECRET", env = "MAITRE_SHARED_SECRET", hide_env_values = true)]
    shared_secret: Option<String>,

    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// Address of the add-on.
#[derive(Args)]
pub(crate) struct TargetArgs {
    /// Address of the add-on, with or without the path. Defaults to the manifest's api.test
    #[arg(long, value_name = "BASE_URL", env = "MAITRE_URL")]
    pub(crate) url: Option<String>,

    /// URL of single sign-on. Defaults to the manifest's path on the same host
    #[arg(long, value_name = "URL")]
    pub(crate) sso_url: Option<String>,

    /// Allow a target other than this machine: the one of --url, or the manifest's api.production
    #[arg(long)]
    pub(crate) allow_remote: bool,
}

/// Client that calls the add-on as a marketplace would.
pub(crate) enum MarketplaceClient {
    Heroku(Box<Heroku>),
    CloudControl(Box<CloudControl>),
    Opperator(Opperator),
    Basic(Box<BasicClient>),
    QuickNode(QuickNode),
}

/// Add-on to call.
pub(crate) struct Target {
    pub(crate) client: MarketplaceClient,
    pub(crate) requires: Vec<String>,
    /// Client for single sign-on, which may be on another host, and the path there.
    pub(crate) sso: Option<(MarketplaceClient, String)>,
}

impl Target {
    /// Returns a provision with the fields that Heroku sends to an add-on with this manifest.
    pub(crate) fn heroku_provision(&self, heroku: &Heroku, plan: &str, options: Value) -> Call<Provision> {
        let requires = |feature: &str| self.requires.iter().any(|required| required == feature);
        let optional = [("log_input", "log_input_url"), ("syslog_drain", "log_drain_token")];
        let omitted = optional.into_iter().filter(|(feature, _)| !requires(feature));
        let call = omitted.fold(heroku.provision(plan), |call, (_, field)| call.without(field));
        call.set("options", options)
    }
}

impl MarketplaceArgs {
    pub(crate) fn shared_secret(&self) -> anyhow::Result<&str> {
        self.shared_secret.as_deref().context("Opperator authenticates with a shared secret: set MAITRE_SHARED_SECRET")
    }

    /// Returns the path of the manifest. Fails if the such file is missing.
    pub(crate) fn existing_manifest(&self) -> anyhow::Result<&Path> {
        if !self.manifest.exists() {
            bail!(
                "manifest {} not found: use --manifest, or create one with `maitre manifest new`",
                self.manifest.display()
            );
        }
        Ok(&self.manifest)
    }

    /// Returns the manifest, its password and its SSO salt (empty if it has none).
    pub(crate) fn read_manifest(&self) -> anyhow::Result<(Manifest, String, String)> {
        let manifest = read_manifest(self.marketplace, self.existing_manifest()?)?;
        let password = manifest.password()?.expose().to_owned();
        let salt = manifest.api.sso_salt.as_ref().map(|salt| salt.expose().to_owned()).unwrap_or_default();
        Ok((manifest, password, salt))
    }

    pub(crate) fn target(&self, args: &TargetArgs) -> anyhow::Result<Target> {
        let (url, sso_url) = (args.url.as_deref(), args.sso_url.as_deref());
        if self.marketplace == Marketplace::Opperator {
            let address = Address::resolve(self.marketplace, None, url, None, args.allow_remote)?;
            let client = MarketplaceClient::Opperator(Opperator::new(&address.root, self.shared_secret()?));
            return Ok(Target { client, requires: Vec::new(), sso: None });
        }
        if self.marketplace == Marketplace::QuickNode {
            let address = Address::resolve(self.marketplace, None, url, None, args.allow_remote)?;
            let (user, password) = self.credentials.basic()?;
            // only sign-on needs the secret
            let jwt_secret = self.credentials.jwt_secret().unwrap_or_default();
            let client = MarketplaceClient::QuickNode(QuickNode::new(&address.root, user, password, jwt_secret));
            return Ok(Target { client, requires: Vec::new(), sso: None });
        }
        if matches!(self.marketplace, Marketplace::OpenServiceBroker | Marketplace::Vercel) {
            bail!("{} is not supported by this command", self.marketplace);
        }
        let (manifest, password, salt) = self.read_manifest()?;
        let address = Address::resolve(self.marketplace, Some(&manifest), url, sso_url, args.allow_remote)?;
        let client = |root: &str| -> anyhow::Result<MarketplaceClient> {
            let id = &manifest.id;
            Ok(match self.marketplace {
                Marketplace::Heroku => MarketplaceClient::Heroku(Box::new(Heroku::new(root, id, &password, &salt))),
                Marketplace::CloudControl => {
                    MarketplaceClient::CloudControl(Box::new(CloudControl::new(root, id, &password, &salt)))
                }
                other => match BasicClient::new(other, root, id, &password, &salt) {
                    Some(basic) => MarketplaceClient::Basic(Box::new(basic)),
                    None => bail!("{other} is not supported by this command"),
                },
            })
        };
        let client_at_root = client(&address.root)?;
        let default_sso = || match &client_at_root {
            MarketplaceClient::Basic(_) => Some(format!("{}/sso", address.root)),
            _ => None,
        };
        let sso = match address.sso.clone().or_else(default_sso).filter(|_| !salt.is_empty()) {
            Some(url) => {
                let (origin, path) = split_origin(&url);
                Some((client(origin)?, path.to_owned()))
            }
            None => None,
        };
        Ok(Target { client: client_at_root, requires: manifest.api.requires, sso })
    }
}

/// Splits a key at QuickNode into account and endpoint; the key of an account has no endpoint.
pub(crate) fn account_and_endpoint(key: &str) -> (&str, Option<&str>) {
    match key.split_once('/') {
        Some((account, endpoint)) => (account, Some(endpoint)),
        None => (key, None),
    }
}

/// Returns the sign-on link of an account at QuickNode. The dashboard URL is `--sso-url`, or `/sso` at the add-on's address.
pub(crate) fn quicknode_link(
    quicknode: &QuickNode,
    marketplace_args: &MarketplaceArgs,
    target_args: &TargetArgs,
    key: &str,
    at: Option<&str>,
) -> anyhow::Result<Call<JwtLink>> {
    marketplace_args.credentials.jwt_secret()?;
    let (account, _) = account_and_endpoint(key);
    let link = match &target_args.sso_url {
        Some(url) => quicknode.single_sign_on_at(url, account),
        None => quicknode.single_sign_on(account),
    };
    let at = at.map(|at| at.parse::<i64>().context("--at needs a Unix time in seconds")).transpose()?;
    Ok(at.into_iter().fold(link, |link, at| link.set("iat", at)))
}
