//! Search and filters of the timeline.

use maud::{Markup, html};

use super::{View, set};
use crate::{Sandbox, entry::Kind};

/// Kinds of entries to filter by.
const KINDS: [Kind; 14] = [
    Kind::Provision,
    Kind::PlanChange,
    Kind::Deprovision,
    Kind::SignOn,
    Kind::Action,
    Kind::Poll,
    Kind::Token,
    Kind::Config,
    Kind::MarkProvisioned,
    Kind::MarkDeprovisioned,
    Kind::Platform,
    Kind::Webhook,
    Kind::Customer,
    Kind::Custom,
];

/// Value and label of each class of statuses.
const STATUSES: [(&str, &str); 5] = [("2", "2xx"), ("3", "3xx"), ("4", "4xx"), ("5", "5xx"), ("0", "no response")];

/// Shows the form. It is submitted by a button, or by the script of an open page when a field changes.
pub(super) fn form(sandbox: &Sandbox, view: &View) -> Markup {
    let kinds: Vec<_> = KINDS.iter().map(|kind| (kind.name(), kind.title().to_owned())).collect();
    let (marketplace, addon) = (sandbox.marketplace_title(), &sandbox.addon().name);
    let directions = [
        ("ToAddon", format!("{marketplace} → {addon}")),
        ("FromAddon", format!("{addon} → {marketplace}")),
        ("FromCustomer", format!("customer → {marketplace}")),
        ("Internal", "notes".to_owned()),
    ];
    html! {
        form #search .row method="get" action="/" role="search" aria-label="Timeline" {
            @for (name, value) in [("install", &view.install), ("only", &view.only), ("removed", &view.removed), ("values", &view.values)] {
                @if let Some(value) = set(value.as_ref()) { input type="hidden" name=(name) value=(value); }
            }
            label .wide { "Search" input type="search" name="q" value=[view.q.as_deref()] placeholder="title, URL, body, install"
                autocomplete="off" spellcheck="false" maxlength="200"; }
            (select("Kind", "kind", view.kind.as_ref(), &kinds))
            (select("Status", "status", view.status.as_ref(), &STATUSES))
            (select("Direction", "direction", view.direction.as_ref(), &directions))
            button .filter type="submit" { "Filter" }
            a .button .quiet #show-all href=(view.link(clear)) hidden[!view.is_filtered()] { "Show all" }
        }
    }
}

fn clear(view: &mut View) {
    *view = View { page: view.page, removed: view.removed.take(), values: view.values.take(), ..View::default() };
}

fn select(label: &str, name: &str, current: Option<&String>, options: &[(impl AsRef<str>, impl AsRef<str>)]) -> Markup {
    let is_current = |value: &str| current.is_some_and(|current| current == value);
    html! {
        label { (label) select name=(name) {
            option value="" { "any" }
            @for (value, label) in options {
                option value=(value.as_ref()) selected[is_current(value.as_ref())] { (label.as_ref()) }
            }
        } }
    }
}
