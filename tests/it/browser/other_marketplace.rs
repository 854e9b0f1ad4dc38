//! The page for another marketplace than Heroku.

use maitre_sandbox::{Marketplace, Sandbox};

use super::{Browser, appearance::paths};
use crate::sandbox_marketplaces::Market;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn digitalocean_provisions_suspends_and_opens_the_dashboard() {
    let settings = include_str!("../../../examples/saas/digitalocean-settings.json");
    let builder = Sandbox::builder_for(Marketplace::DigitalOcean, settings).unwrap();
    let api = |url: &str| vec![("DIGITALOCEAN_API", url.to_owned())];
    let (market, browser) = tokio::join!(Market::start(builder, api), Browser::start());
    browser.open(market.serving.url()).await;
    browser.sees("#selling", "on DigitalOcean").await;
    browser.sees("#install-form", "Metadata").await;
    browser.counts("select[name=region]", 0).await;

    browser.click("#install-form button[type=submit]").await;
    browser.sees(".install .pill", "provisioned").await;
    browser.sees(".install .config", "TALLY_TOKEN").await;
    browser.sees("#lines", "Provision basic").await;
    browser.sees("#lines", "Token").await; // the grant is exchanged
    browser.click("button[id^=suspend]").await;
    browser.sees(".install .suspended", "suspended").await;
    for path in paths("sandbox-digitalocean.png") {
        browser.screenshot(&path).await;
    }
    browser.counts("button[id^=suspend]", 0).await;
    browser.click("button[id^=reinstate]").await;
    browser.counts(".install .suspended", 0).await;
    browser.write("input[id^=rename-value]", "orchard").await;
    browser.click("button[id^=rename-]").await;
    browser.sees(".install h3", "orchard").await;

    browser.click(".install .actions form[target] button").await;
    browser.switch_to_tab(2).await;
    browser.sees("h1", "Your counters").await;
    browser.sees("body", "Plan basic on DigitalOcean").await;
    browser.close_tab().await;
    browser.counts("#lines .findings", 0).await;
    browser.assert_no_errors().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_broker_is_bound_and_its_dashboard_opened() {
    let builder = Sandbox::osb_builder("tally", "development-only-password");
    let (market, browser) = tokio::join!(Market::start_below("/osb", builder, |_| Vec::new()), Browser::start());
    browser.open(market.serving.url()).await;
    browser.sees("#selling", "on Cloud Foundry").await;
    browser.sees("#install-form", "Parameters").await;
    browser.sees("#hints", "Bind app").await;

    browser.click("#install-form button[type=submit]").await;
    browser.sees(".install .pill", "provisioned").await;
    browser.sees("#lines", "Fetch catalog").await;
    browser.counts(".install .config", 0).await;
    browser.counts("button[id^=try]", 0).await;
    browser.click("button[id^=bind]").await;
    browser.sees(".install .config", "TALLY_TOKEN").await;
    for path in paths("sandbox-osb.png") {
        browser.screenshot(&path).await;
    }
    browser.click("button[id^=unbind]").await;
    browser.counts(".install .config", 0).await;

    browser.click(".install .actions form[target] button").await;
    browser.switch_to_tab(2).await;
    browser.sees("body", "Tally").await;
    browser.close_tab().await;
    browser.counts("#lines .findings", 0).await;
    // brokers have no sign-on by a token: the dashboard refuses a visitor without a session
    let errors = browser.console_errors().await;
    assert!(errors.iter().all(|error| error.contains("/dashboard") && error.contains("403")), "{errors:#?}");
}
