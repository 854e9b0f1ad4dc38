//! Simulation of Heroku's APIs for vendors: the token endpoint, the Platform API as far as a vendor's token can
//! access it, webhooks and the list of installs, on an own port or as an [`axum::Router`].
//!
//! A [`Platform`] sells one add-on. A customer creates an install by [`Platform::install`]; the testkit's
//! [`Heroku`](crate::Heroku) sends the provision request with its grant to the vendor under test. The platform then
//! answers, records and checks the vendor's calls:
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
//! - **Clock**: [`Platform::clock`]. Grants expire after five minutes, tokens after eight hours, pending operations
//!   after twelve hours, and tests need not wait.
//! - **Events**: [`Platform::watch`] reports what happens.
//! - **Faults**: [`Platform::inject_fault`]. A status, a dropped connection, a delay or half a body, before or after
//!   the call takes effect, for the next matching calls or for a reproducible share of them.
//! - **Settings**: [`Settings`] decide what Heroku's documents leave open.
//!
//! The simulation follows Heroku's documents and its published schema. It shares no code with the library under test.

mod api;
mod control;
mod state;

pub use self::{
    control::{
        app::App,
        fault::Fault,
        install::Install,
        install_builder::InstallBuilder,
        installs::InstallPage,
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

pub(crate) use self::{
    api::problem::json_text,
    control::{fault::Faults, serve::accept},
};
