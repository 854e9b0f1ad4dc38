//! Card of the add-on: its endpoints, its plans, whether it is reachable, and the findings of the manifest lint.

use std::sync::atomic::Ordering;

use maitre_conformance::{Level, Marketplace, lint::Finding};
use maud::{Markup, html};

use super::layout::copy_button;
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
                dt { "Calls" } dd { code { (relative(&addon.base_url, &addon.origin)) } }
                @if let Some(url) = &addon.sso_url { dt { "Sign-on" } dd { code { (relative(url, &addon.origin)) } } }
                dt { "Plans" } dd { @for plan in &addon.plans { span .tag { (plan) } " " } }
                @if !addon.config_vars.is_empty() {
                    dt { "Config vars" } dd { @for name in &addon.config_vars { code .tag { (name) } " " } }
                }
                @if !addon.requires.is_empty() {
                    dt { "Requires" } dd { @for name in &addon.requires { code .tag { (name) } " " } }
                }
                @if !addon.regions.is_empty() { dt { "Regions" } dd { (addon.regions.join(", ")) } }
            }
            @if let Some(findings) = &addon.findings { (lint(sandbox, findings)) }
            (connect(sandbox))
        }
    }
}

/// Returns the path of a URL on the add-on's origin, and any other URL whole.
fn relative<'a>(url: &'a str, origin: &str) -> &'a str {
    url.strip_prefix(origin).filter(|path| path.starts_with('/')).unwrap_or(url)
}

pub(super) fn reachable(sandbox: &Sandbox) -> Markup {
    let origin = &sandbox.addon().origin;
    if sandbox.inner().reachable.load(Ordering::Relaxed) {
        html! { span .dot .good {} "Listening at " code { (origin) } }
    } else {
        html! { span .dot .bad {} "Not listening at " code { (origin) } ": start your add-on." }
    }
}

fn lint(sandbox: &Sandbox, findings: &[Finding]) -> Markup {
    let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    if findings.is_empty() {
        return html! { p .lint { span .mark .good { "✓" } "The manifest is valid." } };
    }
    let (must, should) = (count(Level::Must), count(Level::Should));
    let verdict = match (must, should) {
        (0, 0) => "The manifest is valid; see the notes".to_owned(),
        (0, should) => format!("The manifest is valid, with {should} warning(s)"),
        (must, _) => format!("{} would reject the manifest: {must} error(s)", sandbox.marketplace_title()),
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

/// Shows the settings that connect the add-on to this marketplace, and the `heroku` CLI to Heroku.
fn connect(sandbox: &Sandbox) -> Markup {
    let Some(replaced) = sandbox.api_replaces() else { return html! {} };
    let url = sandbox.url().unwrap_or("http://localhost:8400").replace("localhost", "127.0.0.1");
    let is_heroku = sandbox.marketplace() == Marketplace::Heroku;
    let settings = sandbox.contract().settings(&url);
    html! {
        details .connect {
            summary { "Connect your add-on" @if is_heroku { " and the " code { "heroku" } " CLI" } }
            (block("base URL", &html! { "Base URL to use in place of " (replaced) ":" }, &url))
            @for (name, value) in settings { (block(name, &html! { (name) " of your add-on:" }, &value)) }
            @if is_heroku { (cli_settings(sandbox, &url)) }
        }
    }
}

fn cli_settings(sandbox: &Sandbox, url: &str) -> Markup {
    let (key, addon) = (&sandbox.inner().api_key, sandbox.addon());
    let environment = format!(
        "export HEROKU_HOST={url}\nexport HEROKU_API_KEY={key}\nexport DISABLE_TELEMETRY=true\n\
         heroku addons:create {}:{} -a shop",
        addon.slug,
        addon.plans[0].name()
    );
    block("environment", &html! { "Settings of the " code { "heroku" } " CLI:" }, &environment)
}

/// Shows a text with a button that copies it.
fn block(what: &str, caption: &Markup, text: &str) -> Markup {
    html! {
        div .title { p { (caption) } (copy_button(what, text)) }
        pre tabindex="0" { code { (text) } }
    }
}
