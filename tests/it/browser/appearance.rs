//! Appearance of the page on desktop and phone, light and dark. Screenshots are written to `target/screenshots`, and also
//! to `docs/images` if `MAITRE_SCREENSHOTS=1` is set.

use std::path::{Path, PathBuf};

use super::{Browser, Tally};

/// Finds texts with too little contrast: less than 4.5 to 1, or 3 to 1 for large ones.
const PALE: &str = "
    const parse = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
    const luminance = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map((it) => it / 255).map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const behind = (it) => {
        for (; it; it = it.parentElement) {
            const colour = parse(getComputedStyle(it).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const it = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !it.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
        if (it.closest('.sr, .skip, script, noscript, option')) continue;
        const style = getComputedStyle(it);
        const [text, ground] = [luminance(parse(style.color)), luminance(behind(it))];
        const contrast = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
        const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
        if (contrast < (large ? 3 : 4.5)) found.push(`${contrast.toFixed(2)}: ${it.className} ${walker.currentNode.data.trim().slice(0, 40)}`);
    }
    return found;";

/// Finds elements that overflow the window on the right.
const OUTSIDE: &str = "
    const wide = document.documentElement.scrollWidth;
    const out = [...document.querySelectorAll('main *, header *')].filter((it) => it.checkVisibility() && !it.closest('pre, .sr'))
        .filter((it) => it.getBoundingClientRect().right > innerWidth + 1)
        .map((it) => `${it.tagName} ${it.className.baseVal ?? it.className} ${it.textContent.trim().slice(0, 30)}`);
    return wide > innerWidth ? [`${wide} px wide`, ...out] : out;";

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders = vec![root.join("target/screenshots")];
    if std::env::var("MAITRE_SCREENSHOTS").is_ok_and(|wish| wish == "1") {
        folders.push(root.join("docs/images"));
    }
    for folder in &folders {
        std::fs::create_dir_all(folder).expect("a folder for pictures");
    }
    folders
}

/// Checks the open page in every size and colour scheme, takes screenshots, and panics if it finds faults.
async fn photograph(browser: &Browser, name: &str) {
    let folders = folders();
    let mut complaints = Vec::new();
    for (width, height) in [(1280, 1000), (390, 844)] {
        for scheme in ["light", "dark"] {
            browser.looks(width, height, scheme).await;
            browser
                .until("nothing moves", "return document.getAnimations().every((it) => it.playState !== 'running')")
                .await;
            for (fault, script) in [("too pale", PALE), ("outside", OUTSIDE)] {
                let found: Vec<String> = serde_json::from_value(browser.run(script).await).unwrap();
                complaints.extend(found.iter().map(|found| format!("{fault} at {width} px, {scheme}: {found}")));
            }
            let height = browser.run("return document.documentElement.scrollHeight").await;
            let height = height.as_u64().and_then(|height| u32::try_from(height).ok()).expect("a height");
            browser.looks(width, height.clamp(400, 2_400), scheme).await;
            for folder in &folders {
                browser.photograph(&folder.join(format!("{name}-{width}-{scheme}.png"))).await;
            }
        }
    }
    browser.looks(1280, 1000, "light").await;
    assert!(complaints.is_empty(), "{name}: {complaints:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_fits_every_size_with_enough_contrast() {
    let (tally, browser) = tokio::join!(Tally::sold(), Browser::start());
    let sandbox = &tally.market.sandbox;
    browser.open(&tally.market.url("/")).await;
    browser.sees("#live", "live").await;
    photograph(&browser, "sandbox-empty").await;

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
    browser.follow(2).await;
    browser.sees("h1", "Your counters").await;
    browser.leave().await;
    sandbox.inject_fault(maitre_sandbox::Fault::DropReply);
    sandbox.provision("basic").await;
    browser.counts(".install", 4).await;
    browser.click("#clock button[value='5']").await;
    browser.counts(".install .pill[data-state=provisioned]", 4).await;
    browser.click(".install .config a").await;
    browser.sees(".install .config.open", "tly_").await;
    browser.run("document.activeElement.blur(); scrollTo(0, 0)").await;
    photograph(&browser, "sandbox").await;

    browser.click("#faults summary").await;
    browser.click("#addon .connect summary").await;
    browser.click("#lines li:not(.note) summary").await;
    browser.sees("#lines details[open] .raw", "Send again").await;
    photograph(&browser, "sandbox-open").await;

    let address = browser.run("return document.querySelector('#lines details[open] .actions a').href").await;
    browser.open(address.as_str().unwrap_or_default()).await;
    photograph(&browser, "sandbox-send-with").await;
    browser.open(&tally.market.url("/sandbox/checks/heroku.provision.id")).await;
    photograph(&browser, "sandbox-check").await;
    browser.is_content().await;
}
