use std::fmt;
use std::str::FromStr;

use crate::one_of::one_of;

/// Marketplace whose requests the tools can send. [`checks`](crate::checks) returns the conformance checks of those that
/// have any.
///
/// ```
/// use maitre_conformance::Marketplace;
///
/// assert_eq!("cloudcontrol".parse(), Ok(Marketplace::CloudControl));
/// assert_eq!(Marketplace::Opperator.to_string(), "opperator");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Marketplace {
    /// Heroku, Partner API version 3.
    Heroku,
    /// cloudControl, closed in 2016.
    CloudControl,
    /// Opperator, which never launched.
    Opperator,
    /// Open Service Broker API: IBM Cloud, SAP BTP, Cloud Foundry, Korifi.
    OpenServiceBroker,
    /// DigitalOcean's Marketplace, SaaS add-ons.
    DigitalOcean,
    /// Clever Cloud.
    CleverCloud,
    /// Scalingo.
    Scalingo,
    /// QuickNode's Marketplace, provisioning APIs.
    QuickNode,
    /// Vercel Marketplace, native integrations.
    Vercel,
}

impl Marketplace {
    /// All marketplaces.
    pub const ALL: [Self; 9] = [
        Self::Heroku,
        Self::CloudControl,
        Self::Opperator,
        Self::OpenServiceBroker,
        Self::DigitalOcean,
        Self::CleverCloud,
        Self::Scalingo,
        Self::QuickNode,
        Self::Vercel,
    ];

    /// Returns the name used in check ids and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Heroku => "heroku",
            Self::CloudControl => "cloudcontrol",
            Self::Opperator => "opperator",
            Self::OpenServiceBroker => "osb",
            Self::DigitalOcean => "digitalocean",
            Self::CleverCloud => "clevercloud",
            Self::Scalingo => "scalingo",
            Self::QuickNode => "quicknode",
            Self::Vercel => "vercel",
        }
    }

    /// Returns the name in headings.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Heroku => "Heroku",
            Self::CloudControl => "cloudControl",
            Self::Opperator => "Opperator",
            Self::OpenServiceBroker => "Open Service Broker",
            Self::DigitalOcean => "DigitalOcean",
            Self::CleverCloud => "Clever Cloud",
            Self::Scalingo => "Scalingo",
            Self::QuickNode => "QuickNode",
            Self::Vercel => "Vercel",
        }
    }

    /// Returns the contract's name and version, and the date of the sources.
    #[must_use]
    pub fn contract(self) -> &'static str {
        match self {
            Self::Heroku => "Heroku partner API 3, as documented in November 2026",
            Self::CloudControl => "cloudControl add-on provider program, as archived in 2016",
            Self::Opperator => "Opperator, as implemented by maitre_d 0.4.0 in 2014",
            Self::OpenServiceBroker => "Open Service Broker API 2.17",
            Self::DigitalOcean => "DigitalOcean SaaS add-ons, as its sample vendor implemented them in 2023",
            Self::CleverCloud => "Clever Cloud add-on provider API, as documented in November 2026",
            Self::Scalingo => "Scalingo add-on provider API, as documented in November 2026",
            Self::QuickNode => "QuickNode provisioning APIs, as its checker implemented them in July 2025",
            Self::Vercel => "Vercel partner API for native integrations, as documented in August 2026",
        }
    }
}

impl fmt::Display for Marketplace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Error for an unknown marketplace name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownMarketplace(String);

impl fmt::Display for UnknownMarketplace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Marketplace::ALL.map(|marketplace| marketplace.name().to_owned());
        write!(f, "unknown marketplace {:?}: choose {}", self.0, one_of(&names))
    }
}

impl std::error::Error for UnknownMarketplace {}

impl FromStr for Marketplace {
    type Err = UnknownMarketplace;

    fn from_str(name: &str) -> Result<Self, UnknownMarketplace> {
        let found = Self::ALL.into_iter().find(|marketplace| marketplace.name() == name);
        found.ok_or_else(|| UnknownMarketplace(name.to_owned()))
    }
}
