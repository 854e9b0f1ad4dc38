//! The add-on's card: what is sold, whether it is there, and what the manifest lint says.

use std::sync::atomic::Ordering;

use maitre_conformance::{Level, lint::Finding};
use maud::{Markup, html};

use crate::Sandbox;

pub(super) fn card(sandbox: &Sandbox) -> Markup {
    let addon = sandbox.addon();
    html! {
        section #addon .card aria-labelledby="addon-title" {
            div .title {
                h2 #addon-title { (addon.name) }
                code { (addon.slug) }
            }
            p #reachable { (reachable(sandbox)) }
            dl .facts {
                dt { "Calls" } dd { code { (below(&addon.base_url, &addon.origin)) } }
                @if let Some(url) = &addon.sso_url { dt { "Sign-on" } dd { code { (below(url, &addon.origin)) } } }
                dt { "Plans" } dd { @for plan in &addon.plans { span .tag { (plan) } " " } }
                @if !addon.config_vars.is_empty() {
                    dt { "Config vars" } dd { @for name in &addon.config_vars { code .tag { (name) } " " } }
                }
                @if !addon.requires.is_empty() {
                    dt { "Requires" } dd { @for name in &addon.requires { code .tag { (name) } " " } }
                }
                dt { "Regions" } dd { (addon.regions.join(", ")) }
            }
            (lint(&addon.findings))
            (connect(sandbox))
        }
    }
}

/// The path alone where the host is the one that was named.
fn below<'a>(url: &'a str, origin: &str) -> &'a str {
    url.strip_prefix(origin).filter(|path| path.starts_with('/')).unwrap_or(url)
}

pub(super) fn reachable(sandbox: &Sandbox) -> Markup {
    let origin = &sandbox.addon().origin;
    if sandbox.inner().reachable.load(Ordering::Relaxed) {
        html! { span .dot .good {} "Listens at " code { (origin) } }
    } else {
        html! { span .dot .bad {} "Nobody listens at " code { (origin) } ": start your add-on." }
    }
}

fn lint(findings: &[Finding]) -> Markup {
    let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    if findings.is_empty() {
        return html! { p .lint { span .mark .good { "✓" } "The manifest is as it should be." } };
    }
    let (must, should) = (count(Level::Must), count(Level::Should));
    let verdict = match (must, should) {
        (0, 0) => "The manifest is good, with something to know".to_owned(),
        (0, should) => format!("The manifest works, and {should} thing(s) should be mended"),
        (must, _) => format!("Heroku would refuse the manifest for {must} thing(s)"),
    };
    html! {
        details .lint open[must > 0] {
            summary { span .mark .bad[must > 0] .wait[must == 0] { "!" } (verdict) }
            ul {
                @for finding in findings {
                    li { span .level { (finding.level) } " " code { (finding.path) } " " (finding.message) }
                }
            }
        }
    }
}

/// What to set so that the add-on and the client find this marketplace.
fn connect(sandbox: &Sandbox) -> Markup {
    let own = sandbox.url().unwrap_or("http://localhost:7000").replace("localhost", "127.0.0.1");
    let key = &sandbox.inner().api_key;
    html! {
        details .connect {
            summary { "Connect your add-on, and the " code { "heroku" } " command" }
            p { "Your add-on takes this for " code { "https://api.heroku.com" } " and " code { "https://id.heroku.com" } ":" }
            pre tabindex="0" { code { (own) } }
            p { "and this for its client secret:" }
            pre tabindex="0" { code { (sandbox.inner().client_secret) } }
            p { "Heroku's own command orders here, too:" }
            pre tabindex="0" { code {
                "export HEROKU_HOST=" (own) "\nexport HEROKU_API_KEY=" (key) "\nexport DISABLE_TELEMETRY=true\n"
                "heroku addons:create " (sandbox.addon().slug) ":" (sandbox.addon().plans[0].name()) " -a shop"
            } }
        }
    }
}
