//! The sandbox sells the example on other marketplaces than Heroku.

mod basic;
mod market;
mod osb;
mod quicknode;
mod vercel;

pub(crate) use market::Market;
