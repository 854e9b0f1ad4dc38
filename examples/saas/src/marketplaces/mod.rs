//! The marketplaces that sell Tally, one file each.

mod clevercloud;
mod cloudcontrol;
mod connections;
mod digitalocean;
mod heroku;
mod opperator;
mod osb;
mod quicknode;
mod scalingo;
mod vercel;
mod vercel_billing;

use maitre::Ledger;

use crate::listener::Tally;
use crate::settings::Settings;
pub(crate) use connections::Connections;

/// Connects all marketplaces with the product.
pub(crate) fn connect<'a>(
    settings: &'a Settings,
    ledger: &'a Ledger,
    tally: Tally,
    origin: &'a str,
) -> anyhow::Result<Connections<'a>> {
    let mut all = Connections::new(settings, ledger, tally, origin);
    heroku::connect(&mut all)?;
    cloudcontrol::connect(&mut all)?;
    opperator::connect(&mut all)?;
    osb::connect(&mut all)?;
    clevercloud::connect(&mut all)?;
    digitalocean::connect(&mut all)?;
    scalingo::connect(&mut all)?;
    quicknode::connect(&mut all)?;
    vercel::connect(&mut all)?;
    Ok(all)
}
