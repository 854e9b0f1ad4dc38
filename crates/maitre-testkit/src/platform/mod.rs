//! Heroku's own side of its API, for tests: the token endpoint, the Platform API as far as a vendor's token opens it,
//! webhooks and the inventory of installs, on a port of its own or as an [`axum::Router`].
//!
//! A [`Platform`] is Heroku as one add-on's vendor meets it. A customer orders by [`Platform::install`]; the testkit's
//! [`Heroku`](crate::Heroku) carries that order, with its very grant, to the vendor under test; what the vendor then
//! asks of the platform is answered, written down and judged:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use maitre_testkit::platform::{Platform, State};
//! use serde_json::json;
//!
//! let platform = Platform::new("tally", "password", "client secret");
//! let api = platform.serve().await?;
//! let install = platform.install("basic");
//!
//! // What a vendor does that answered 202:
//! let http = reqwest::Client::builder().user_agent("tally/1.0").build()?;
//! let grant = install.grant();
//! let form = [("grant_type", "authorization_code"), ("code", grant.code()), ("client_secret", "client secret")];
//! let token: serde_json::Value =
//!     http.post(format!("{}/oauth/token", api.url())).form(&form).send().await?.json().await?;
//! let ask = |request: reqwest::RequestBuilder| {
//!     let request = request.header("accept", "application/vnd.heroku+json; version=3");
//!     request.bearer_auth(token["access_token"].as_str().unwrap()).send()
//! };
//! let addon = format!("{}/addons/{}", api.url(), install.uuid());
//! let config = json!({ "config": [{ "name": "TALLY_URL", "value": "https://tally.example/4711" }] });
//! ask(http.patch(format!("{addon}/config")).json(&config)).await?.error_for_status()?;
//! ask(http.post(format!("{addon}/actions/provision"))).await?.error_for_status()?;
//!
//! assert_eq!(install.state(), State::Provisioned);
//! assert_eq!(install.call_counts().exchanges, 1);
//! assert!(platform.violations().is_empty(), "{:#?}", platform.violations());
//! # Ok(())
//! # }
//! ```
//!
//! - **A clock one can turn**: [`Platform::clock`]. Grants live five minutes, tokens eight hours, an add-on that nobody
//!   finishes twelve hours, and no test has to wait for it.
//! - **News as they come**: [`Platform::watch`], for whoever shows or keeps what happens.
//! - **Faults one can order**: [`Platform::fault`]. A status, a dropped connection, a delay, half a body, before or after
//!   the work was done, for the next calls that match or for a share of them that is the same in every run.
//! - **Where the documents leave something open**, [`Settings`] say how it is here.
//!
//! What is played is what Heroku's documents and its published schema say; what they leave out is marked in the
//! settings. It shares no code with the library that it judges.

mod api;
mod control;
mod state;

pub use self::{
    control::{
        app::App,
        fault::Fault,
        install::Install,
        install_builder::InstallBuilder,
        platform::{Platform, PlatformBuilder},
        serve::PlatformServer,
    },
    state::{
        call_counts::CallCounts,
        clock::Clock,
        delivery::Delivery,
        event::PlatformEvent,
        exchange::Exchange,
        install_state::State,
        settings::{RefreshTokens, Settings},
        tokens::Grant,
        violation::{Rule, Violation},
    },
};
