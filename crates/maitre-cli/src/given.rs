//! What several commands ask for: the add-on, and where it is.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use maitre_conformance::{Address, Marketplace};
use maitre_core::{ExposeSecret as _, Manifest};
use maitre_testkit::{CloudControl, Heroku, Opperator};

use crate::answer::Fault;

/// The add-on's manifest.
#[derive(Args)]
pub(crate) struct Given {
    /// The add-on's manifest
    #[arg(long, value_name = "FILE", default_value = "addon-manifest.json", env = "MAITRE_MANIFEST")]
    pub(crate) manifest: PathBuf,

    /// Whose contract it is: heroku, cloudcontrol or opperator
    #[arg(long, value_name = "NAME", default_value = "heroku")]
    pub(crate) marketplace: Marketplace,

    /// Opperator's shared secret
    #[arg(long, value_name = "SECRET", env = "MAITRE_SHARED_SECRET", hide_env_values = true)]
    shared_secret: Option<String>,
}

/// Where the add-on is.
#[derive(Args)]
pub(crate) struct Place {
    #[arg(
        long,
        value_name = "BASE_URL",
        env = "MAITRE_URL",
        help = "Where the add-on runs, in place of the manifest's api.test: http://localhost:5000, with or without its path"
    )]
    pub(crate) url: Option<String>,

    /// Where single sign-on is posted to, if not to the manifest's path at the same host
    #[arg(long, value_name = "URL")]
    pub(crate) sso_url: Option<String>,

    /// Call another machine than this one: the one of --url, or that of the manifest's api.production
    #[arg(long)]
    pub(crate) production: bool,
}

/// A marketplace that calls the add-on.
pub(crate) enum Market {
    Heroku(Box<Heroku>),
    CloudControl(Box<CloudControl>),
    Opperator(Opperator),
}

/// The marketplace's side, and the door of single sign-on.
pub(crate) struct Marketing {
    pub(crate) market: Market,
    pub(crate) requires: Vec<String>,
    /// The marketplace at the door of single sign-on, and the path there.
    pub(crate) door: Option<(Market, String)>,
}

impl Given {
    pub(crate) fn shared_secret(&self) -> Result<&str, Fault> {
        let missing = "Opperator shows who it is by a shared secret: set MAITRE_SHARED_SECRET";
        self.shared_secret.as_deref().context(missing)
    }

    /// The manifest's file, which is there.
    pub(crate) fn file(&self) -> Result<&Path, Fault> {
        if !self.manifest.exists() {
            bail!(
                "there is no manifest {}: name one with --manifest, or write one with `maitre manifest new`",
                self.manifest.display()
            );
        }
        Ok(&self.manifest)
    }

    pub(crate) fn read(&self) -> Result<Manifest, Fault> {
        Ok(Manifest::read(self.file()?)?)
    }

    /// The manifest, and the two of its secrets.
    pub(crate) fn secrets(&self) -> Result<(Manifest, String, String), Fault> {
        let manifest = self.read()?;
        let password = manifest.password()?.expose_secret().to_owned();
        let salt = manifest.api.sso_salt.as_ref().map(|salt| salt.expose_secret().to_owned()).unwrap_or_default();
        Ok((manifest, password, salt))
    }

    pub(crate) fn market(&self, place: &Place) -> Result<Marketing, Fault> {
        let (url, sso_url) = (place.url.as_deref(), place.sso_url.as_deref());
        if self.marketplace == Marketplace::Opperator {
            let address = Address::find(self.marketplace, None, url, None, place.production)?;
            let market = Market::Opperator(Opperator::new(&address.root, self.shared_secret()?));
            return Ok(Marketing { market, requires: Vec::new(), door: None });
        }
        let (manifest, password, salt) = self.secrets()?;
        let address = Address::find(self.marketplace, Some(&manifest), url, sso_url, place.production)?;
        let at = |root: &str| -> Result<Market, Fault> {
            Ok(match self.marketplace {
                Marketplace::Heroku => Market::Heroku(Box::new(Heroku::new(root, &manifest.id, &password, &salt))),
                Marketplace::CloudControl => {
                    Market::CloudControl(Box::new(CloudControl::new(root, &manifest.id, &password, &salt)))
                }
                other => bail!("there is nothing to call for {other}"),
            })
        };
        let door = match address.sso.filter(|_| !salt.is_empty()) {
            Some(url) => {
                let host = url.find("://").map_or(0, |place| place + 3);
                let (origin, path) = url.split_at(url[host..].find(['/', '?']).map_or(url.len(), |end| host + end));
                Some((at(origin)?, path.to_owned()))
            }
            None => None,
        };
        Ok(Marketing { market: at(&address.root)?, requires: manifest.api.requires, door })
    }
}
