//! Appearance of the page on desktop and phone, light and dark. Screenshots are written to `target/screenshots`, and those
//! of the documentation also to `docs/images` if `MAITRE_SCREENSHOTS=1` is set.

use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;

use super::{Browser, Example, inspection};

/// Width and height of the windows: a phone, a tablet, a laptop and a large screen.
const SIZES: [(u32, u32); 4] = [(390, 844), (768, 1024), (1280, 1000), (1920, 1080)];

/// Screenshots that pages of the documentation show.
const DOCUMENTED: [&str; 2] = ["sandbox-1280-light.png", "sandbox-open-1280-light.png"];

/// Returns the paths of a screenshot.
pub(super) fn paths(file: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders = vec![root.join("target/screenshots")];
    if DOCUMENTED.contains(&file) && std::env::var("MAITRE_SCREENSHOTS").is_ok_and(|wish| wish == "1") {
        folders.push(root.join("docs/images"));
    }
    for folder in &folders {
        std::fs::create_dir_all(folder).expect("a folder for pictures");
    }
    folders.iter().map(|folder| folder.join(file)).collect()
}

/// Checks the open page in every size and color scheme, takes screenshots, and panics if it finds faults.
async fn screenshot(browser: &Browser, name: &str) {
    let mut faults = Vec::new();
    for (width, height) in SIZES {
        for scheme in ["light", "dark"] {
            browser.set_viewport(width, height, scheme).await;
            browser
                .until(
                    "all animations have ended",
                    "return document.getAnimations().every((it) => it.playState !== 'running')",
                )
                .await;
            let inspection = inspection::inspect(browser).await;
            let (findings, kept) = inspection.axe;
            println!("{name}, {width} px, {scheme}: {findings} findings of axe-core, {kept} rules kept");
            assert!(kept > 0, "axe-core has inspected the page");
            faults.extend(inspection.faults.iter().map(|found| format!("{width} px, {scheme}: {found}")));
            let height = browser.run("return document.documentElement.scrollHeight").await;
            let height = height.as_u64().and_then(|height| u32::try_from(height).ok()).expect("a height");
            browser.set_viewport(width, height.clamp(400, 2_400), scheme).await;
            browser.run("scrollTo(0, 0)").await;
            for path in paths(&format!("{name}-{width}-{scheme}.png")) {
                browser.screenshot(&path).await;
            }
        }
    }
    browser.set_viewport(1280, 1000, "light").await;
    assert!(faults.is_empty(), "{name}: {faults:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_fits_every_size_with_enough_contrast() {
    let (example, browser) = tokio::join!(Example::start(), Browser::start());
    let sandbox = &example.sandbox;
    browser.open(&example.sandbox.url("/")).await;
    browser.sees("#live", "live").await;
    screenshot(&browser, "sandbox-empty").await;

    // typical activity: two installs, a duplicate, a fault, a deprovision
    sandbox.provision("basic").await;
    sandbox.inject_fault(maitre_sandbox::Fault::Duplicate);
    sandbox.provision("premium").await;
    browser.write("#install-form input[name=app]", "shop-in-the-old-town").await;
    browser.click("#install-form button[type=submit]").await;
    browser.counts(".install .pill[data-state=provisioned]", 3).await;
    browser.click(".install:last-child .joined button").await;
    browser.sees("#lines", "Change to premium").await;
    browser.click(".install:last-child form[target] button").await;
    browser.switch_to_tab(2).await;
    browser.sees("h1", "Your counters").await;
    browser.close_tab().await;
    sandbox.inject_fault(maitre_sandbox::Fault::DropReply);
    sandbox.provision("basic").await;
    browser.counts(".install", 4).await;
    browser.click("#clock button[value='5']").await;
    browser.counts(".install .pill[data-state=provisioned]", 4).await;
    // each provision and the note about it, the duplicate as well; the clock separates a retry from the first attempt
    browser.counts(".line.joins", 5).await;
    browser.run("document.querySelectorAll('.install > details').forEach((it, at) => (it.open = at === 0))").await;
    browser.click(".install .config a").await;
    browser.sees(".install .config.open", "tly_").await;
    browser.run("document.activeElement.blur(); scrollTo(0, 0)").await;
    screenshot(&browser, "sandbox").await;

    browser.click("#faults summary").await;
    browser.click("#addon .connect summary").await;
    browser.click("#lines li:not(.note) summary").await;
    browser.sees("#lines details[open] .raw", "Send again").await;
    screenshot(&browser, "sandbox-open").await;

    let address = browser.run("return document.querySelector('#lines details[open] .actions a').href").await;
    browser.open(address.as_str().unwrap_or_default()).await;
    screenshot(&browser, "sandbox-send-with").await;
    browser.open(&example.sandbox.url("/sandbox/checks/heroku.provision.id")).await;
    screenshot(&browser, "sandbox-check").await;
    browser.open(&example.sandbox.url("/sandbox/exchanges/2")).await;
    screenshot(&browser, "sandbox-exchange").await;

    // the results of a replay, and the menus
    browser.open(&example.sandbox.url("/")).await;
    browser.click("#timeline .menu summary").await;
    browser.click("#timeline .menu form[method=post] button").await;
    browser.sees("#lines", "got another status").await;
    browser.click("#installs .menu summary").await;
    screenshot(&browser, "sandbox-replay").await;
    browser.assert_no_errors().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_page_is_compact_and_accessible() {
    let (example, browser) = tokio::join!(Example::start(), Browser::start());
    let sandbox = &example.sandbox;
    let provisions = (0..150).map(|_| sandbox.provision("basic"));
    futures_util::stream::iter(provisions).buffer_unordered(8).collect::<Vec<_>>().await;
    browser.open(&example.sandbox.url("/")).await;
    browser.counts(".install", 15).await;
    browser.counts(".install details[open]", 0).await;
    browser.click(".install summary").await;
    screenshot(&browser, "sandbox-busy").await;
    browser.assert_no_errors().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboard_of_the_example_is_accessible_and_updates_itself() {
    let (example, browser) = tokio::join!(Example::start(), Browser::start());
    let install = example.sandbox.provision("basic").await;
    browser.open(&example.sandbox.url("/")).await;
    browser.click(".install .actions form[target] button").await;
    browser.switch_to_tab(2).await;
    browser.sees("h1", "Your counters").await;
    browser.sees("body", "Plan basic on Heroku").await;
    browser.sees("#command", &install.config()["TALLY_TOKEN"]).await;
    browser.sees("#copy", "Copy").await;
    screenshot(&browser, "dashboard-empty").await;

    // the command of the page, and the counter appears without a reload
    let command = browser.run("return document.querySelector('#command').textContent").await;
    let command = format!("{} --silent --fail --noproxy '*'", command.as_str().unwrap_or_default());
    let counted = tokio::process::Command::new("sh").args(["-c", &command]).status().await.expect("curl");
    assert!(counted.success(), "{command}");
    browser.sees("#counters table", "visits").await;
    browser.sees("#counters", "1 of 10 counters used").await;
    screenshot(&browser, "dashboard").await;
    browser.assert_no_errors().await;
}
