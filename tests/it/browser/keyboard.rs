//! Use of the page by keyboard and screen reader.

use serde_json::{Value, json};
use thirtyfour::Key;

use super::{Browser, Example};

/// Returns the focused element and whether its focus is visible.
const FOCUSED: &str = "
    const it = document.activeElement;
    if (it === document.body) return null;
    const style = getComputedStyle(it);
    const box = it.getBoundingClientRect();
    return {
        index: [...document.querySelectorAll('*')].indexOf(it),
        label: it.tagName.toLowerCase() + ' ' + (it.textContent.trim() || it.name).slice(0, 40),
        seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.width > 0
            && box.top >= 0 && box.bottom <= innerHeight,
    }";

/// Returns all controls that are not folded away.
const USABLE: &str = "
    const all = [...document.querySelectorAll('*')];
    return all.filter((it) => it.matches('a[href], button, input:not([type=hidden]), select, summary'))
        .filter((it) => it.checkVisibility())
        .map((it) => ({ index: all.indexOf(it), label: it.tagName.toLowerCase() + ' ' + (it.textContent.trim() || it.name).slice(0, 40) }))";

async fn installed(browser: &Browser, example: &Example) {
    example.sandbox.provision("basic").await;
    browser.open(&example.sandbox.url("/")).await;
    browser.sees("#live", "live").await;
    browser.sees(".install .pill", "provisioned").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tab_key_reaches_every_control_with_visible_focus() {
    let (example, browser) = tokio::join!(Example::start(), Browser::start());
    installed(&browser, &example).await;
    let usable = browser.run(USABLE).await;
    let mut reached: Vec<Value> = Vec::new();
    for _ in 0..200 {
        browser.press(Key::Tab).await;
        let focused = browser.run(FOCUSED).await;
        if focused.is_null() || reached.iter().any(|known| known["index"] == focused["index"]) {
            break;
        }
        assert_eq!(focused["seen"], true, "the focus is not visible on {}", focused["label"]);
        reached.push(focused);
    }
    let usable = usable.as_array().unwrap();
    assert!(usable.len() > 15, "{usable:#?}");
    let is_reached = |it: &&Value| reached.iter().any(|known| known["index"] == it["index"]);
    let missed: Vec<_> = usable.iter().filter(|it| !is_reached(it)).map(|it| &it["label"]).collect();
    assert!(missed.is_empty(), "the tab key does not reach {missed:#?}");
    let places: Vec<_> = reached.iter().map(|it| it["index"].as_u64()).collect();
    assert!(places.is_sorted(), "the tab key skips back: {reached:#?}");
    assert_eq!(reached[0]["label"], "a Skip to content");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_install_is_created_and_removed_by_keyboard_and_keeps_the_focus() {
    let (example, browser) = tokio::join!(Example::start(), Browser::start());
    installed(&browser, &example).await;
    browser.run("document.querySelector('#install-form select').focus()").await;
    for key in [Key::Tab, Key::Tab, Key::Enter] {
        browser.press(key).await;
    }
    browser.counts(".install .pill[data-state=provisioned]", 2).await;
    // the list was rendered again, and the focus is unchanged
    let focused = browser.run("return document.activeElement.textContent").await;
    assert_eq!(focused, "Install");

    browser.run("document.querySelector('.install:last-child .joined select').focus()").await;
    for key in [Key::Tab, Key::Tab, Key::Space] {
        browser.press(key).await;
    }
    browser.counts(".install", 1).await;
    browser.assert_no_errors().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_control_has_an_accessible_name() {
    let (example, browser) = tokio::join!(Example::start(), Browser::start());
    example.sandbox.provision("premium").await;
    installed(&browser, &example).await;
    browser.click("#lines details summary").await;
    browser.sees("#lines .raw", "Send again").await;
    browser.run("document.querySelectorAll('details').forEach((it) => (it.open = true))").await;
    let tree = browser.cdp("Accessibility.getFullAXTree", json!({})).await;
    let mut named = Vec::new();
    for node in tree["nodes"].as_array().unwrap().iter().filter(|node| node["ignored"] == false) {
        let (role, name) = (&node["role"]["value"], node["name"]["value"].as_str().unwrap_or_default());
        if let Some("button" | "link" | "textbox" | "combobox" | "spinbutton" | "checkbox") = role.as_str() {
            assert!(!name.trim().is_empty(), "a {role} without a name: {node:#}");
            named.push(name.to_owned());
        }
    }
    assert!(named.len() > 25, "{named:#?}");
    // controls that occur on two cards name their install
    for what in ["Open dashboard of ", "Remove tally", "Show values of "] {
        let whose: std::collections::BTreeSet<_> = named.iter().filter(|name| name.starts_with(what)).collect();
        assert_eq!(whose.len(), 2, "{what}: {named:#?}");
    }
    // headings, landmarks, language
    let outline =
        browser.run("return [...document.querySelectorAll('h1, h2')].map((it) => it.textContent.trim())").await;
    assert!(outline.as_array().unwrap().len() >= 5, "{outline}");
    assert_eq!(browser.run("return document.documentElement.lang").await, "en");
}
