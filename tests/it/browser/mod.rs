//! The marketplace on your own machine, in a real Chromium: the marketplace at `http://localhost`, the add-on at
//! `http://127.0.0.1`, which are two sites to a browser, as Heroku and an add-on are.

mod chromium;
mod hostile;
mod installs;
mod keyboard;
mod looks;
mod market;
mod slow;

use chromium::Browser;
use market::{Market, Tally};
