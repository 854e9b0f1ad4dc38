//! Heroku on this machine, with one customer: orders an add-on, changes its plan and removes it, and tells what happens.
//!
//! The add-on listens already, takes this program for Heroku (port 5001), and may answer 202; `examples/async-provisioning`
//! is one. What it did wrong is told at the end.
//!
//! ```sh
//! cargo run -p maitre-testkit --features platform --example order
//! cargo run -p maitre-testkit --features platform --example order -- \
//!     http://127.0.0.1:5000/heroku smithy PASSWORD SSO_SALT CLIENT_SECRET
//! ```

use std::{error::Error, time::Duration};

use maitre_testkit::{
    Heroku, Reply,
    platform::{Install, Platform, State},
};
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};

const PATIENCE: Duration = Duration::from_mins(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let defaults = [
        "http://127.0.0.1:5000/heroku",
        "smithy",
        "development-only-password",
        "development-only-sso-salt",
        "development-only-client-secret",
    ];
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [url, slug, password, salt, client_secret] =
        std::array::from_fn(|place| given.get(place).map_or(defaults[place], String::as_str));

    let platform = Platform::new(slug, password, client_secret);
    let serving = platform.serve_router(TcpListener::bind("127.0.0.1:5001").await?, platform.router())?;
    println!("Heroku is at {}", serving.url());
    let vendor = Heroku::new(url, slug, password, salt);

    let install = platform.install("basic");
    let order = || vendor.provision("basic").install(&install);
    let reply = tell("POST", order().send().await);
    install.record_provision(&reply);
    // Heroku would not ask again: a customer is curious how far it is
    let finished = async {
        while install.state() == State::Provisioning {
            sleep(Duration::from_secs(3)).await;
            tell("POST, once more", order().send().await);
        }
    };
    timeout(PATIENCE, finished).await?;
    println!("it is {}: {:?}", install.state(), install.config());
    if install.state() == State::Provisioned {
        change(&vendor, &install).await?;
        let reply = tell("DELETE", vendor.deprovision(install.uuid()).send().await);
        install.record_deprovision(&reply);
        println!("it is {}", install.state());
    }

    println!("\n{:#?}", install.call_counts());
    match &platform.violations()[..] {
        [] => println!("The add-on did nothing wrong."),
        violations => println!("The add-on did wrong: {violations:#?}"),
    }
    Ok(())
}

async fn change(vendor: &Heroku, install: &Install) -> Result<(), Box<dyn Error>> {
    let patches = install.call_counts().config_patches;
    let reply = tell("PUT", vendor.plan_change(install.uuid(), "premium").send().await);
    install.record_plan_change("premium", &reply);
    let changed = async {
        while reply.status() == 202 && install.call_counts().config_patches == patches {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, changed).await?;
    println!("its config is {:?}", install.config());
    Ok(())
}

fn tell(what: &str, reply: Reply) -> Reply {
    println!("{what}: {} {}", reply.status(), reply.text());
    reply
}
