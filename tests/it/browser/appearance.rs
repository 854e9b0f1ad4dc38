//! Appearance of the page on desktop and phone, light and dark. Screenshots are written to `target/screenshots`, and
//! also to `docs/images` if `MAITRE_SCREENSHOTS=1` is set.

use std::path::{Path, PathBuf};

use super::{Browser, Example};

/// Finds texts with too little contrast: less than 4.5 to 1, or 3 to 1 for large ones.
const LOW_CONTRAST: &str = "
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
const OVERFLOWING: &str = "
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
async fn screenshot(browser: &Browser, name: &str) {
    let folders = folders();
    let mut faults = Vec::new();
    for (width, height) in [(1280, 1000), (390, 844)] {
        for scheme in ["light", "dark"] {
            browser.set_viewport(width, height, scheme).await;
            browser
                .until(
                    "all animations have ended",
                    "return document.getAnimations().every((it) => it.playState !== 'running')",
                )
                .await;
            for (fault, script) in [("too little contrast", LOW_CONTRAST), ("overflowing", OVERFLOWING)] {
                let found: Vec<String> = serde_json::from_value(browser.run(script).await).unwrap();
                faults.extend(found.iter().map(|found| format!("{fault} at {width} px, {scheme}: {found}")));
            }
            let height = browser.run("return document.documentElement.scrollHeight").await;
            let height = height.as_u64().and_then(|height| u32::try_from(height).ok()).expect("a height");
            browser.set_viewport(width, height.clamp(400, 2_400), scheme).await;
            for folder in &folders {
                browser.screenshot(&folder.join(format!("{name}-{width}-{scheme}.png"))).await;
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
    browser.assert_no_errors().await;
}
