//! HTML of the dashboard.

use maud::{DOCTYPE, Markup, html};

use super::Urls;
use crate::plan::Plan;
use crate::store::{Counter, Resource};

pub(super) fn welcome() -> Markup {
    page(
        "Tally",
        &html! {
            main {
                h1 { "Tally" }
                p { "Hosted counters, sold as an add-on. Open your dashboard from the marketplace where you added Tally." }
            }
        },
    )
}

pub(super) fn dashboard(resource: &Resource, list: &[Counter], app: Option<&str>, urls: &Urls) -> Markup {
    let marketplace = Marketplace::of(resource);
    page(
        "Your counters",
        &html! {
            header .bar {
                // older checkers expect this element; the name is untrusted, and maud escapes it
                div #heroku-header { @if let Some(app) = app { "Tally for " strong { (app) } } @else { "Tally" } }
                @if let Some(url) = marketplace.url(app, urls) { a href=(url) { "Back to " (marketplace.name) } }
            }
            main {
                h1 { "Your counters" }
                p .facts { "Plan " strong { (resource.plan) } span { " on " (marketplace.name) } }
                div #counters aria-live="polite" { (counters(resource, list)) }
                h2 { "Count from your app" }
                p { "Your app has the token and the URL in its config vars " code { "TALLY_TOKEN" } " and " code { "TALLY_URL" }
                    ". To try it, run:" }
                (command(resource, urls))
            }
        },
    )
}

/// Shows the counters and how many the plan includes.
pub(super) fn counters(resource: &Resource, counters: &[Counter]) -> Markup {
    let max_counters = Plan::parse(&resource.plan).map_or(0, Plan::max_counters);
    html! {
        p { (counters.len()) " of " (max_counters) " counters used." }
        @if counters.is_empty() {
            p .empty { "You have no counters yet. The first call creates one, and it appears here." }
        } @else {
            table {
                caption .sr { "Counters" }
                thead { tr { th scope="col" { "Counter" } th scope="col" .number { "Value" } } }
                tbody { @for counter in counters { tr { th scope="row" { (counter.name) } td .number { (counter.value) } } } }
            }
        }
    }
}

/// Shows a command that counts. The script adds a button that copies it.
fn command(resource: &Resource, urls: &Urls) -> Markup {
    html! {
        div .command {
            pre tabindex="0" { code #command {
                "curl -X POST -H \"Authorization: Bearer " (resource.token) "\" " (urls.counters) "/visits"
            } }
            button #copy type="button" hidden { "Copy" }
            span #copied role="status" {}
        }
    }
}

/// Marketplace where the resource was sold.
struct Marketplace {
    slug: String,
    name: &'static str,
}

impl Marketplace {
    fn of(resource: &Resource) -> Self {
        let slug = resource.addon.split('/').next().unwrap_or_default();
        let name = match slug {
            "heroku" => "Heroku",
            "cloudcontrol" => "cloudControl",
            "opperator" => "Opperator",
            "clevercloud" => "Clever Cloud",
            "digitalocean" => "DigitalOcean",
            "quicknode" => "QuickNode",
            "scalingo" => "Scalingo",
            _ => "the marketplace",
        };
        Self { slug: slug.to_owned(), name }
    }

    /// Returns the page of the customer's app there, if there is one.
    fn url(&self, app: Option<&str>, urls: &Urls) -> Option<String> {
        let app =
            app.filter(|app| !app.is_empty() && app.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        match (self.slug.as_str(), &urls.heroku, app) {
            ("heroku", Some(sandbox), _) => Some(format!("{sandbox}/")),
            ("heroku", None, Some(app)) => Some(format!("https://dashboard.heroku.com/apps/{app}/resources")),
            _ => None,
        }
    }
}

pub(super) fn not_signed_in() -> Markup {
    page(
        "You are not signed in",
        &html! {
            main {
                h1 { "You are not signed in" }
                p { "Open Tally from the marketplace where you added it." }
            }
        },
    )
}

pub(super) fn unavailable() -> Markup {
    page("Not available", &html! { main { h1 { "Not available" } p { "Please try again in a few minutes." } } })
}

fn page(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="icon" href="data:,"; // no icon, and no request for one
                link rel="stylesheet" href="/tally.css";
                script src="/tally.js" defer {}
            }
            body { (body) }
        }
    }
}
