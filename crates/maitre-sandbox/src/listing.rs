//! Registration of the add-on at a marketplace.

use maitre_conformance::{Address, Marketplace, parse_manifest};
use maitre_core::Manifest;
use serde_json::Value;

use crate::{SetupError, contract::Credentials};

/// Marketplace, and what the vendor has registered there.
#[derive(Clone)]
pub(crate) enum Listing {
    /// Manifest or settings, in the form of the marketplace.
    Manifest(Marketplace, String),
    QuickNode {
        user: String,
        password: String,
        jwt_secret: String,
    },
    Vercel {
        integration: String,
        product: String,
    },
    Osb {
        user: String,
        password: String,
    },
}

impl Listing {
    pub(crate) fn from_manifest(marketplace: Marketplace, text: &str) -> Result<Self, SetupError> {
        if !matches!(
            marketplace,
            Marketplace::Heroku | Marketplace::DigitalOcean | Marketplace::CleverCloud | Marketplace::Scalingo
        ) {
            return Err(SetupError::new(format!("the sandbox does not sell by a manifest on {}", marketplace.title())));
        }
        parse_manifest(marketplace, text)?;
        Ok(Self::Manifest(marketplace, text.to_owned()))
    }

    pub(crate) fn marketplace(&self) -> Marketplace {
        match self {
            Self::Manifest(marketplace, _) => *marketplace,
            Self::QuickNode { .. } => Marketplace::QuickNode,
            Self::Vercel { .. } => Marketplace::Vercel,
            Self::Osb { .. } => Marketplace::OpenServiceBroker,
        }
    }

    pub(crate) fn manifest(&self) -> Result<Option<Manifest>, SetupError> {
        match self {
            Self::Manifest(marketplace, text) => Ok(Some(parse_manifest(*marketplace, text)?)),
            _ => Ok(None),
        }
    }

    /// Returns the manifest of Heroku.
    pub(crate) fn heroku_manifest(&self) -> Option<Value> {
        let Self::Manifest(Marketplace::Heroku, text) = self else { return None };
        serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()
    }

    /// Returns the manifest if the lint has rules for it.
    pub(crate) fn linted(&self) -> Option<&str> {
        match self {
            Self::Manifest(Marketplace::Heroku | Marketplace::CleverCloud | Marketplace::Scalingo, text) => Some(text),
            _ => None,
        }
    }

    /// Returns the name, which only the marketplace's own form of a manifest has.
    pub(crate) fn name(&self) -> Option<String> {
        let Self::Manifest(_, text) = self else { return None };
        serde_json::from_str::<Value>(text).ok()?["name"].as_str().map(str::to_owned)
    }

    /// Returns the product, which is not the user name of the marketplace's calls.
    pub(crate) fn product(&self) -> Option<&str> {
        match self {
            Self::Vercel { product, .. } => Some(product),
            _ => None,
        }
    }

    /// Returns the path of lifecycle calls below the root.
    pub(crate) fn collection(&self) -> &'static str {
        match self {
            Self::Manifest(..) => "/resources",
            Self::QuickNode { .. } => "/provision",
            Self::Vercel { .. } => "/v1",
            Self::Osb { .. } => "/v2",
        }
    }

    pub(crate) fn credentials(&self, address: Address, client_secret: &str) -> Result<Credentials, SetupError> {
        match self {
            Self::Manifest(marketplace, text) => {
                let manifest = parse_manifest(*marketplace, text)?;
                let salt = manifest.api.sso_salt.as_ref().map(|salt| salt.expose().to_owned()).unwrap_or_default();
                let is_heroku = *marketplace == Marketplace::Heroku;
                let default = format!("{}/sso", address.root);
                let sso_url = address.sso.or_else(|| (!is_heroku).then_some(default)).filter(|_| !salt.is_empty());
                let own_secret = (*marketplace == Marketplace::DigitalOcean).then(|| own_client_secret(text)).flatten();
                Ok(Credentials {
                    marketplace: *marketplace,
                    root: address.root,
                    sso_url,
                    id: manifest.id.clone(),
                    password: manifest.password()?.expose().to_owned(),
                    salt,
                    product: String::new(),
                    client_secret: own_secret.unwrap_or_else(|| client_secret.to_owned()),
                    config_vars: manifest.api.config_vars.clone(),
                })
            }
            Self::QuickNode { user, password, jwt_secret } => Ok(Credentials {
                sso_url: address.sso,
                id: user.clone(),
                password: password.clone(),
                salt: jwt_secret.clone(),
                ..Credentials::at(Marketplace::QuickNode, address.root)
            }),
            Self::Vercel { integration, product } => Ok(Credentials {
                sso_url: Some(address.sso.unwrap_or_else(|| format!("{}/sso", address.root))),
                id: integration.clone(),
                product: product.clone(),
                client_secret: client_secret.to_owned(),
                ..Credentials::at(Marketplace::Vercel, address.root)
            }),
            Self::Osb { user, password } => Ok(Credentials {
                id: user.clone(),
                password: password.clone(),
                ..Credentials::at(Marketplace::OpenServiceBroker, address.root)
            }),
        }
    }
}

/// Returns the client secret in the settings of DigitalOcean.
fn own_client_secret(text: &str) -> Option<String> {
    let settings: Value = serde_json::from_str(text).ok()?;
    settings["client_secret"].as_str().filter(|secret| !secret.is_empty()).map(str::to_owned)
}
