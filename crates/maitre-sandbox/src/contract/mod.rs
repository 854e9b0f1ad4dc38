//! Contracts of the marketplaces: each builds its calls to the add-on, reads the responses, and declares what its customers
//! can do.

mod basic;
mod clevercloud;
mod credentials;
mod definition;
mod digitalocean;
mod facts;
mod fields;
mod heroku;
mod merge;
mod osb;
mod osb_catalog;
mod osb_operation;
mod quicknode;
mod scalingo;
mod suspension;
mod vercel;

use maitre_conformance::Marketplace;
use maitre_testkit::platform::Platform;

use self::{
    clevercloud::CleverCloudContract, digitalocean::DigitalOceanContract, heroku::HerokuContract, osb::OsbContract,
    quicknode::QuickNodeContract, scalingo::ScalingoContract, vercel::VercelContract,
};
pub(crate) use self::{
    credentials::Credentials,
    definition::{Action, Contract, Profile, SignOnForm, Visit},
    facts::Facts,
    suspension::is_suspended,
};

/// Returns the contract of the marketplace that has these credentials.
pub(crate) fn of(credentials: &Credentials, platform: &Platform, facts: &Facts) -> Box<dyn Contract> {
    match credentials.marketplace {
        Marketplace::DigitalOcean => Box::new(DigitalOceanContract::new(credentials, platform, facts)),
        Marketplace::CleverCloud => Box::new(CleverCloudContract::new(credentials, platform)),
        Marketplace::Scalingo => Box::new(ScalingoContract::new(credentials, platform, facts)),
        Marketplace::QuickNode => Box::new(QuickNodeContract::new(credentials, platform, facts)),
        Marketplace::OpenServiceBroker => Box::new(OsbContract::new(credentials, platform, facts)),
        Marketplace::Vercel => Box::new(VercelContract::new(credentials, platform, facts)),
        _ => Box::new(HerokuContract::new(credentials)),
    }
}
