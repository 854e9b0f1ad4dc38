//! The sandbox in a real Chromium: the marketplace at `http://localhost`, the add-on at `http://127.0.0.1`, which are
//! two sites to a browser, as Heroku and an add-on are.

mod appearance;
mod async_provisioning;
mod chromium;
mod inspection;
mod installs;
mod keyboard;
mod other_marketplace;
mod setup;
mod untrusted_input;

use chromium::Browser;
use setup::{Example, RunningSandbox};
