//! Single sign-on page: a form that the browser posts to the add-on, as on Heroku's dashboard.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use maitre_testkit::platform::Install;
use maud::{DOCTYPE, html};

use super::form::not_found;
use crate::Sandbox;

/// `POST /sandbox/installs/{uuid}/open`: the button of an install.
pub(super) async fn open(State(sandbox): State<Sandbox>, Path(uuid): Path<String>) -> Response {
    match sandbox.live_install(&uuid) {
        Some(install) if sandbox.contract().has_dashboard(&install) => form(&sandbox, &install, None, true),
        _ => not_found(&sandbox),
    }
}

/// `POST /sandbox/installs/{uuid}/try`: signs on as a browser would, and shows the responses.
pub(super) async fn try_sign_on(State(sandbox): State<Sandbox>, Path(uuid): Path<String>) -> Response {
    match sandbox.live_install(&uuid).filter(|_| sandbox.profile().sign_on_check.is_some()) {
        Some(install) => {
            let trial = sandbox.try_sign_on(&install).await;
            Redirect::to(&format!("/sandbox/exchanges/{}", trial.entry)).into_response()
        }
        None => not_found(&sandbox),
    }
}

/// `GET /sso/apps/{app}/addons/{addon}`: the `web_url` of an add-on, which the `heroku` CLI opens in a browser. On a
/// cross-site request the form is not submitted automatically.
pub(super) async fn link(
    State(sandbox): State<Sandbox>,
    Path((app, addon)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let is_cross_site = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site");
    match sandbox.live_install(&addon) {
        Some(install) => form(&sandbox, &install, Some(&app), !is_cross_site),
        None => not_found(&sandbox),
    }
}

fn form(sandbox: &Sandbox, install: &Install, app: Option<&str>, auto_submit: bool) -> Response {
    let form = sandbox.sign_on(install, app);
    let name = &sandbox.addon().name;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Opening " (name) }
                link rel="stylesheet" href="/sandbox/style.css";
                @if auto_submit { script src="/sandbox/page.js" defer {} }
            }
            body .opening {
                main {
                    @if form.method == "POST" {
                        form #sign-on method="post" action=(form.action) {
                            @for (field, value) in &form.fields { input type="hidden" name=(field) value=(value); }
                            p { "Signing you in to " strong { (name) } " …" }
                            button .primary type="submit" { "Open " (name) }
                        }
                    } @else {
                        p { "Opening " strong { (name) } " by a link." }
                        a .button .primary #sign-on-link href=(form.action) { "Open " (name) }
                    }
                }
            }
        }
    };
    // no form-action: the form posts to another site, whose response may redirect to a third one
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'";
    let headers =
        [(header::CONTENT_SECURITY_POLICY, policy), (header::REFERRER_POLICY, "strict-origin-when-cross-origin")];
    (headers, page).into_response()
}
