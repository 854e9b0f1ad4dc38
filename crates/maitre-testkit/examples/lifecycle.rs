//! Provisions an add-on, changes its plan and deprovisions it, as Heroku does for a customer.
//!
//! The add-on must be running and use this program as Heroku (port 5001). It may answer 202, as
//! `examples/async-provisioning` does. Rules that the add-on broke are printed at the end.
//!
//! ```sh
//! cargo run -p maitre-testkit --features platform --example lifecycle
//! cargo run -p maitre-testkit --features platform --example lifecycle -- \
//!     http://127.0.0.1:8300/heroku smithy PASSWORD SSO_SALT CLIENT_SECRET
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

const TIMEOUT: Duration = Duration::from_mins(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let defaults = [
        "http://127.0.0.1:8300/heroku",
        "smithy",
        "development-only-password",
        "development-only-sso-salt",
        "development-only-client-secret",
    ];
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, slug, password, salt, client_secret] =
        std::array::from_fn(|index| args.get(index).map_or(defaults[index], String::as_str));

    let platform = Platform::new(slug, password, client_secret);
    let serving = platform.serve_router(TcpListener::bind("127.0.0.1:5001").await?, platform.router())?;
    println!("Heroku runs at {}", serving.url());
    let vendor = Heroku::new(url, slug, password, salt);

    let install = platform.install("basic");
    let provision = || vendor.provision("basic").install(&install);
    let reply = print_reply("POST", provision().send().await);
    install.record_provision(&reply);
    // Heroku does not repeat an accepted request; this one shows the progress
    let finished = async {
        while install.state() == State::Provisioning {
            sleep(Duration::from_secs(3)).await;
            print_reply("POST, again", provision().send().await);
        }
    };
    timeout(TIMEOUT, finished).await?;
    println!("state {}, config {:?}", install.state(), install.config());
    if install.state() == State::Provisioned {
        change_plan(&vendor, &install).await?;
        let reply = print_reply("DELETE", vendor.deprovision(install.uuid()).send().await);
        install.record_deprovision(&reply);
        println!("state {}", install.state());
    }

    println!("\n{:#?}", install.call_counts());
    match &platform.violations()[..] {
        [] => println!("The add-on broke no rules."),
        violations => println!("The add-on broke rules: {violations:#?}"),
    }
    Ok(())
}

async fn change_plan(vendor: &Heroku, install: &Install) -> Result<(), Box<dyn Error>> {
    let patches = install.call_counts().config_patches;
    let reply = print_reply("PUT", vendor.plan_change(install.uuid(), "premium").send().await);
    install.record_plan_change("premium", &reply);
    let changed = async {
        while reply.status() == 202 && install.call_counts().config_patches == patches {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(TIMEOUT, changed).await?;
    println!("config {:?}", install.config());
    Ok(())
}

fn print_reply(method: &str, reply: Reply) -> Reply {
    println!("{method}: {} {}", reply.status(), reply.text());
    reply
}
