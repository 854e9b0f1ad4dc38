//! Life of an install, by the buttons of the page.

use super::{Browser, Example};
use crate::saas::installs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_install_is_created_used_changed_and_removed() {
    let (example, browser) = tokio::join!(Example::start(), Browser::start());
    browser.open(&example.sandbox.url("/")).await;
    browser.sees("#live", "live").await;
    browser.sees("#reachable", "Listening at").await;
    browser.sees("#installs .empty", "No customer has installed Tally yet").await;

    browser.click("#install-form button[type=submit]").await;
    browser.sees(".install .pill", "provisioned").await;
    browser.sees(".install .facts", "basic on ").await;
    browser.sees(".install .message", "includes 10 counters").await;
    browser.counts("#hints .done", 1).await;

    // secrets are masked until clicked, in the page and in the timeline
    let name = "document.querySelector('.install h3').textContent";
    let name = browser.run(&format!("return {name}")).await.as_str().unwrap().to_owned();
    let install = example.sandbox.platform().find(&name).unwrap();
    let token = install.config()["TALLY_TOKEN"].clone();
    browser.sees(".install .config", "TALLY_TOKEN").await;
    browser.click("#lines details").await;
    browser.sees("#lines .raw", "POST ").await;
    assert!(!browser.source().await.contains(&token), "the token is in the page before a click on it");
    browser.click(".install .config a").await;
    browser.sees(".install .config.open", &token).await;
    browser.sees(".install .config.open", "/counters").await;

    // the dashboard: a real cross-site post, whose session survives the redirect
    browser.click(".install .actions form[target] button").await;
    browser.switch_to_tab(2).await;
    browser.sees("h1", "Your counters").await;
    browser.sees("body", "Plan basic on Heroku").await;
    browser.sees("#counters", "0 of 10 counters used").await;
    assert_eq!(browser.address().await, format!("{}/dashboard", example.saas.origin));
    browser.close_tab().await;
    browser.sees("#lines", "Single sign-on").await;

    browser.choose(".install select[name=plan]", "premium").await;
    browser.click(".install .joined button").await;
    browser.sees(".install .facts", "premium on ").await;
    browser.sees("#lines", "Change to premium").await;
    browser.assert_no_errors().await;

    browser.click(".install button.danger").await;
    browser.counts(".install", 0).await;
    browser.click("#installs .title a").await;
    browser.sees(".install .pill", "deprovisioned").await;
    browser.counts(".install button", 0).await;
    browser.sees("#lines", &format!("{name} is deprovisioned")).await;
    browser.counts("#lines .findings", 0).await;
    browser.assert_no_errors().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_delivery_creates_one_resource() {
    let (example, browser) = tokio::join!(Example::start(), Browser::start());
    browser.open(&example.sandbox.url("/")).await;
    browser.click("#faults summary").await;
    browser.choose("#faults select[name=call]", "provision").await;
    browser.choose("#faults select[name=fault]", "duplicate").await;
    browser.click("#fault-form button").await;
    browser.sees("#scheduled", "next provision").await;

    browser.click("#install-form button[type=submit]").await;
    browser.sees(".install .pill", "provisioned").await;
    browser
        .until(
            "both requests are answered",
            "return document.querySelectorAll(\"#lines .pill[data-status='2']\").length === 2",
        )
        .await;
    browser.counts(".install", 1).await;
    browser.counts("#lines .line.bad", 0).await;
    assert_eq!(example.sandbox.platform().installs().len(), 1);
    assert_eq!(installs(&example.folder).await, 1);

    // and again by hand
    browser.click("#lines li:last-child details summary").await;
    browser.click("#lines li:last-child button[value='2']").await;
    browser
        .until(
            "four requests are answered",
            "return document.querySelectorAll(\"#lines .pill[data-status='2']\").length === 4",
        )
        .await;
    browser.counts("#lines .line.bad", 0).await;
    assert_eq!(installs(&example.folder).await, 1);
    browser.assert_no_errors().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_details_of_an_install_among_many_are_loaded_when_it_is_opened() {
    let (example, browser) = tokio::join!(Example::start(), Browser::start());
    let install = example.sandbox.provision("basic").await;
    for _ in 0..4 {
        example.sandbox.provision("basic").await;
    }
    let token = &install.config()["TALLY_TOKEN"];
    let card = format!("#install-{}", install.uuid());
    browser.open(&example.sandbox.url("/")).await;
    browser.counts(".install", 5).await;
    browser.counts(".install .config", 0).await;
    browser.click(&format!("{card} summary")).await;
    browser.sees(&format!("{card} .config"), "TALLY_TOKEN").await;
    browser.click(&format!("{card} .config a")).await;
    browser.sees(&format!("{card} .config.open"), token).await;

    // the page updates itself, and keeps the card open
    example.sandbox.provision("basic").await;
    browser.counts(".install", 6).await;
    browser.sees(&format!("{card} .config.open"), token).await;
    browser.counts(".install .config", 1).await;
    browser.click(&format!("{card} button.danger")).await;
    browser.counts(".install", 5).await;
    browser.assert_no_errors().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_works_without_scripts() {
    let (example, browser) = tokio::join!(Example::start(), Browser::start());
    browser.cdp("Emulation.setScriptExecutionDisabled", serde_json::json!({ "value": true })).await;
    browser.open(&example.sandbox.url("/")).await;
    browser
        .until(
            "the page explains how to update",
            "return document.querySelector('#live').innerText.includes('Reload to see')",
        )
        .await;
    browser.click("#install-form button[type=submit]").await;
    let platform = example.sandbox.platform().clone();
    let is_there = async || platform.installs().first().is_some_and(|install| install.provision_status() == Some(200));
    crate::ledger::support::until("the resource is provisioned", is_there).await;
    browser.reload().await;
    browser.sees(".install .pill", "provisioned").await;
    browser.click(".install .config a").await;
    browser.sees(".config.open", "tly_").await;
    browser.open(&example.sandbox.url("/")).await;
    browser.click(".install .actions form[target] button").await;
    browser.switch_to_tab(2).await; // scripts are enabled in this tab
    browser.sees("h1", "Your counters").await;
    browser.close_tab().await;
    browser.click("#lines details summary").await;
    browser.click("#lines details[open] .raw a").await;
    browser.sees("#exchange-title", "").await;
    browser.open(&example.sandbox.url("/")).await;
    browser.click(".install button.danger").await;
    let is_gone = async || platform.installs()[0].state() == maitre_testkit::platform::State::Deprovisioned;
    crate::ledger::support::until("the resource is deprovisioned", is_gone).await;
    browser.reload().await;
    browser.sees("#installs .empty", "No customer has installed").await;
}
