//! First steps, until all of them are done.

use maud::{Markup, html};

use crate::{Sandbox, entry::Kind, journal::Filter};

/// Shows three things to try.
pub(super) fn section(sandbox: &Sandbox) -> Markup {
    let has = |filter: Filter| sandbox.journal().store().contains(&filter);
    let kind = |kind: Kind| Filter { kind: Some(kind.name()), ..Filter::default() };
    let signs_on = sandbox.profile().sign_on_check.is_some();
    let bind = || Filter { text: Some(("Bind app".to_owned(), Vec::new())), ..kind(Kind::Action) };
    let second = if signs_on { kind(Kind::SignOn) } else { bind() };
    let done = [has(kind(Kind::Provision)), has(second), has(Filter { faults: true, ..Filter::default() })];
    let name = &sandbox.addon().name;
    html! {
        div #hints {
            @if done.contains(&false) {
                section .card aria-labelledby="hints-title" {
                    h2 #hints-title { "Three things to try" }
                    ol .hints {
                        (hint(done[0], &html! {
                            a href="#install-form" { "Install " (name) } ": the timeline shows the call and the response."
                        }))
                        (hint(done[1], &html! {
                            @if signs_on {
                                "Press " strong { "Try sign-on" } ": it shows whether a customer who comes from " (sandbox.marketplace_title()) " reaches the dashboard."
                            } @else {
                                "Press " strong { "Bind app" } ": the app gets the credentials of a binding."
                            }
                        }))
                        (hint(done[2], &html! {
                            "Under " a href="#panel" { "Faults" } ", let the next provision be sent twice, and install again: one resource."
                        }))
                    }
                }
            }
        }
    }
}

fn hint(is_done: bool, text: &Markup) -> Markup {
    html! {
        li .done[is_done] {
            span .mark .good[is_done] aria-hidden="true" { @if is_done { "✓" } }
            span { @if is_done { span .sr { "Done: " } } (text) }
        }
    }
}
