//! Inspection of a page: contrast, size of text, overflow, and the accessibility rules of axe-core.

use serde_json::Value;

use super::Browser;

/// axe-core 4.14.1, from npm.
const AXE: &str = include_str!("../../axe-core/axe.min.js");

/// Runs all rules, also those that are off by default and apply to pages: the size of targets.
const RUN_AXE: &str = "
    return axe.run(document, { rules: { 'target-size': { enabled: true } }, resultTypes: ['violations'] }).then((result) => ({
        findings: result.violations.flatMap((it) => it.nodes.map((node) => `axe: ${it.id}: ${node.target.join(' ')}: ${node.failureSummary.split('\\n')[1]?.trim()}`)),
        passed: result.passes.length,
    }));";

/// Finds texts with too little contrast: less than 4.5 to 1, or 3 to 1 for large ones.
const LOW_CONTRAST: &str = "
    const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
    const luminance = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map((it) => it / 255).map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const behind = (it) => {
        for (; it; it = it.parentElement) {
            const color = parse(getComputedStyle(it).backgroundColor);
            if (color.length === 3 || color[3] === 1) return color;
        }
        return [255, 255, 255];
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const it = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !it.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
        if (it.closest('.sr, .skip, script, noscript, option, button:disabled')) continue;
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

/// Finds text below 12 px, and reports more than eight sizes of text.
const TEXT_SIZES: &str = "
    const sizes = new Map();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const it = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !it.checkVisibility() || it.closest('.sr, script, noscript, option')) continue;
        sizes.set(parseFloat(getComputedStyle(it).fontSize), walker.currentNode.data.trim().slice(0, 30));
    }
    const found = [...sizes].filter(([size]) => size < 12).map(([size, text]) => `${size} px: ${text}`);
    return sizes.size > 8 ? [...found, `${sizes.size} sizes: ${[...sizes.keys()].sort((a, b) => a - b).join(', ')}`] : found;";

/// Result of an inspection.
pub(super) struct Inspection {
    /// All faults, also those of axe-core.
    pub(super) faults: Vec<String>,
    /// Number of findings of axe-core, and of its rules that apply to the page and are kept.
    pub(super) axe: (usize, u64),
}

/// Inspects the open page at its current size.
pub(super) async fn inspect(browser: &Browser) -> Inspection {
    if browser.run("return typeof window.axe").await == "undefined" {
        browser.run(AXE).await;
    }
    let mut faults = Vec::new();
    for (fault, script) in
        [("too little contrast", LOW_CONTRAST), ("overflowing", OVERFLOWING), ("size of text", TEXT_SIZES)]
    {
        let found: Value = browser.run(script).await;
        let found: Vec<String> = serde_json::from_value(found).expect("a list of texts");
        faults.extend(found.iter().map(|found| format!("{fault}: {found}")));
    }
    let axe = browser.run(RUN_AXE).await;
    let findings: Vec<String> = serde_json::from_value(axe["findings"].clone()).expect("a list of texts");
    let kept = axe["passed"].as_u64().expect("a number");
    let figures = (findings.len(), kept);
    faults.extend(findings);
    Inspection { faults, axe: figures }
}
