//! The way to the add-on's dashboard: a form that the browser posts to the add-on, as Heroku's dashboard makes it do.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use maitre_testkit::platform::{Install, State as Stage};
use maud::{DOCTYPE, html};

use super::exchange::gone;
use crate::Sandbox;

/// `POST /sandbox/installs/{uuid}/open`: the page's button.
pub(super) async fn open(State(sandbox): State<Sandbox>, Path(uuid): Path<String>) -> Response {
    match live(&sandbox, &uuid) {
        Some(install) => form(&sandbox, &install, None, true),
        None => gone(&sandbox),
    }
}

/// `GET /sso/apps/{app}/addons/{addon}`: the `web_url` of an add-on, which Heroku's command opens in a browser. Where
/// another site leads here, a person has to press the button.
pub(super) async fn link(
    State(sandbox): State<Sandbox>,
    Path((app, addon)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let is_foreign = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site");
    match live(&sandbox, &addon) {
        Some(install) => form(&sandbox, &install, Some(&app), !is_foreign),
        None => gone(&sandbox),
    }
}

fn live(sandbox: &Sandbox, named: &str) -> Option<Install> {
    sandbox.platform().find(named).filter(|install| install.state() != Stage::Deprovisioned)
}

fn form(sandbox: &Sandbox, install: &Install, app: Option<&str>, at_once: bool) -> Response {
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
                @if at_once { script src="/sandbox/page.js" defer {} }
            }
            body .opening {
                main {
                    @if form.method == "POST" {
                        form #sign-on method="post" action=(form.action) {
                            @for (field, value) in &form.fields { input type="hidden" name=(field) value=(value); }
                            p { "Heroku signs you on to " strong { (name) } " …" }
                            button .primary type="submit" { "Open " (name) }
                        }
                    } @else {
                        p { "This add-on signs on by a link, as older manifests ask for it." }
                        a .button .primary #sign-on-link href=(form.action) { "Open " (name) }
                    }
                }
            }
        }
    };
    // the form goes to another site, and its answer may redirect to a third: form-action would forbid both
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'";
    let headers =
        [(header::CONTENT_SECURITY_POLICY, policy), (header::REFERRER_POLICY, "strict-origin-when-cross-origin")];
    (headers, page).into_response()
}
