//! Life of an install, by the buttons of the page.

use super::{Browser, Tally};
use crate::saas::installs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_install_is_created_used_changed_and_removed() {
    let (tally, browser) = tokio::join!(Tally::sold(), Browser::start());
    browser.open(&tally.market.url("/")).await;
    browser.sees("#live", "live").await;
    browser.sees("#reachable", "Listening at").await;
    browser.sees("#installs .empty", "No customer has installed Tally yet").await;

    browser.click("#install-form button[type=submit]").await;
    browser.sees(".install .pill", "provisioned").await;
    browser.sees(".install .facts", "basic on ").await;
    browser.sees(".install .message", "includes 10 counters").await;

    // secrets are masked until clicked, in the page and in the timeline
    let name = "document.querySelector('.install h3').textContent";
    let name = browser.run(&format!("return {name}")).await.as_str().unwrap().to_owned();
    let install = tally.market.sandbox.platform().find(&name).unwrap();
    let token = install.config()["TALLY_TOKEN"].clone();
    browser.sees(".install .config", "TALLY_TOKEN").await;
    browser.click("#lines details").await;
    browser.sees("#lines .raw", "POST ").await;
    assert!(!browser.source().await.contains(&token), "the token is in the page before anybody asked for it");
    browser.click(".install .config a").await;
    browser.sees(".install .config.open", &token).await;
    browser.sees(".install .config.open", "/counters").await;

    // the dashboard: a real cross-site post, whose session survives the redirect
    browser.click(".install .actions form[target] button").await;
    browser.follow(2).await;
    browser.sees("h1", "Your counters").await;
    browser.sees("body", "Plan basic, 0 of 10").await;
    assert_eq!(browser.address().await, format!("{}/dashboard", tally.saas.origin));
    browser.leave().await;
    browser.sees("#lines", "Single sign-on").await;

    browser.choose(".install select[name=plan]", "premium").await;
    browser.click(".install .joined button").await;
    browser.sees(".install .facts", "premium on ").await;
    browser.sees("#lines", "Change to premium").await;
    browser.is_content().await;

    browser.click(".install button.danger").await;
    browser.counts(".install", 0).await;
    browser.click("#installs .title a").await;
    browser.sees(".install .pill", "deprovisioned").await;
    browser.counts(".install button", 0).await;
    browser.sees("#lines", &format!("{name} is deprovisioned")).await;
    browser.counts("#lines .findings", 0).await;
    browser.is_content().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_delivery_creates_one_resource() {
    let (tally, browser) = tokio::join!(Tally::sold(), Browser::start());
    browser.open(&tally.market.url("/")).await;
    browser.click("#faults summary").await;
    browser.choose("#faults select[name=call]", "provision").await;
    browser.choose("#faults select[name=fault]", "duplicate").await;
    browser.click("#faults .row button").await;
    browser.sees("#scheduled", "next provision").await;

    browser.click("#install-form button[type=submit]").await;
    browser.sees(".install .pill", "provisioned").await;
    browser
        .until("both are answered", "return document.querySelectorAll(\"#lines .pill[data-status='2']\").length === 2")
        .await;
    browser.counts(".install", 1).await;
    browser.counts("#lines .line.bad", 0).await;
    assert_eq!(tally.market.sandbox.platform().installs().len(), 1);
    assert_eq!(installs(&tally.folder).await, 1);

    // and again by hand
    browser.click("#lines li:last-child details summary").await;
    browser.click("#lines li:last-child button[value='2']").await;
    browser
        .until("four are answered", "return document.querySelectorAll(\"#lines .pill[data-status='2']\").length === 4")
        .await;
    browser.counts("#lines .line.bad", 0).await;
    assert_eq!(installs(&tally.folder).await, 1);
    browser.is_content().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_works_without_scripts() {
    let (tally, browser) = tokio::join!(Tally::sold(), Browser::start());
    browser.tell("Emulation.setScriptExecutionDisabled", serde_json::json!({ "value": true })).await;
    browser.open(&tally.market.url("/")).await;
    browser.until("it says how", "return document.querySelector('#live').innerText.includes('Reload to see')").await;
    browser.click("#install-form button[type=submit]").await;
    let platform = tally.market.sandbox.platform().clone();
    let is_there = async || platform.installs().first().is_some_and(|install| install.provision_status() == Some(200));
    crate::ledger::support::until("it is provisioned", is_there).await;
    browser.reload().await;
    browser.sees(".install .pill", "provisioned").await;
    browser.click(".install .config a").await;
    browser.sees(".config.open", "tly_").await;
    browser.open(&tally.market.url("/")).await;
    browser.click(".install .actions form[target] button").await;
    browser.follow(2).await; // scripts are enabled in this tab
    browser.sees("h1", "Your counters").await;
    browser.leave().await;
    browser.click("#lines details summary").await;
    browser.click("#lines details[open] .raw a").await;
    browser.sees("#exchange-title", "").await;
    browser.open(&tally.market.url("/")).await;
    browser.click(".install button.danger").await;
    let is_gone = async || platform.installs()[0].state() == maitre_testkit::platform::State::Deprovisioned;
    crate::ledger::support::until("it is removed", is_gone).await;
    browser.reload().await;
    browser.sees("#installs .empty", "No customer has installed").await;
}
