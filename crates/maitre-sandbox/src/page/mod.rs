//! Web page of the marketplace, rendered on the server. It works without scripts; with them it updates itself.

mod addon;
mod checks;
mod events;
mod exchange;
mod exchange_actions;
mod export;
mod form;
mod install_actions;
mod installs;
mod layout;
mod panel;
mod panel_actions;
mod sign_on;
mod timeline;

use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use maud::{Markup, html};
use serde::Deserialize;

use self::layout::{add_security_headers, asset, page};
use crate::{Sandbox, journal::Filter};

pub(crate) fn router(sandbox: &Sandbox) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/sandbox/chaos", post(panel_actions::chaos))
        .route("/sandbox/checks/{check}", get(checks::show))
        .route("/sandbox/clock", post(panel_actions::clock))
        .route("/sandbox/events", get(events::stream))
        .route("/sandbox/exchanges/{id}", get(exchange::show))
        .route("/sandbox/exchanges/{id}/edit", get(exchange::edit))
        .route("/sandbox/exchanges/{id}/raw", get(exchange::raw))
        .route("/sandbox/exchanges/{id}/send", post(exchange_actions::send))
        .route("/sandbox/exchanges/{id}/send-with", post(exchange_actions::send_with))
        .route("/sandbox/export.har", get(export::har))
        .route("/sandbox/export.json", get(export::json))
        .route("/sandbox/faults", post(panel_actions::fault))
        .route("/sandbox/faults/clear", post(panel_actions::clear_faults))
        .route("/sandbox/installs", get(installs::fragment).post(install_actions::install))
        .route("/sandbox/installs/{uuid}/config", get(installs::config))
        .route("/sandbox/installs/{uuid}/open", post(sign_on::open))
        .route("/sandbox/installs/{uuid}/plan", post(install_actions::change_plan))
        .route("/sandbox/installs/{uuid}/attach", post(install_actions::attach))
        .route("/sandbox/installs/{uuid}/remove", post(install_actions::remove))
        .route("/sandbox/panel", get(panel::fragment))
        .route("/sandbox/replay", post(exchange_actions::replay))
        .route("/sandbox/timeline", get(timeline::fragment))
        .route("/sso/apps/{app}/addons/{addon}", get(sign_on::link))
        .layer(map_response(|response: Response| async { add_security_headers(response) }))
        .route("/sandbox/icon.svg", get(icon))
        // browsers request this for responses without a <link rel="icon">
        .route("/favicon.ico", get(icon))
        .route(
            "/sandbox/page.js",
            get(|| asset("text/javascript; charset=utf-8", include_str!("../../assets/page.js"))),
        )
        .route("/sandbox/style.css", get(|| asset("text/css; charset=utf-8", include_str!("../../assets/style.css"))))
        .with_state(sandbox.clone())
}

async fn icon() -> impl IntoResponse {
    asset("image/svg+xml", include_str!("../../assets/icon.svg")).await
}

/// Query of the page: filters and positions of the timeline and of the installs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct View {
    /// Only timeline entries of this resource.
    install: Option<String>,
    /// `problems` for only timeline entries with problems.
    only: Option<String>,
    /// Only timeline entries older than this one.
    before: Option<i64>,
    /// Page of the installs, from 0.
    page: usize,
    /// Present if removed installs are to be shown.
    removed: Option<String>,
}

impl View {
    fn filter(&self) -> Filter {
        let uuid = self.install.clone().filter(|uuid| !uuid.is_empty());
        Filter { uuid, problems: self.only.as_deref() == Some("problems"), before: self.before }
    }

    /// Returns the query of this view after a change.
    fn link(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut view = self.clone();
        change(&mut view);
        let mut query = form_urlencoded::Serializer::new(String::new());
        let texts = [("install", view.install), ("only", view.only), ("removed", view.removed)];
        for (name, text) in texts {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                query.append_pair(name, &text);
            }
        }
        if let Some(before) = view.before {
            query.append_pair("before", &before.to_string());
        }
        if view.page > 0 {
            query.append_pair("page", &view.page.to_string());
        }
        format!("?{}", query.finish())
    }
}

async fn home(State(sandbox): State<Sandbox>, Query(view): Query<View>) -> Markup {
    let title = format!("{} · maître sandbox", sandbox.addon().name);
    page(
        &sandbox,
        &title,
        &html! {
            div #columns {
                div #catalog {
                    (addon::card(&sandbox))
                    (installs::section(&sandbox, &view))
                }
                div #activity {
                    (panel::section(&sandbox))
                    (timeline::section(&sandbox, &view))
                }
            }
        },
    )
}

/// Response to a browser that navigates to an unknown path.
pub(crate) fn not_found_page(sandbox: &Sandbox) -> Response {
    let body = html! {
        section .card aria-labelledby="not-found" {
            h1 #not-found { "This page does not exist" }
            p { "This address serves Heroku's API to programs. The marketplace is on the "
                a href="/" { "front page" } "." }
        }
    };
    let page = page(sandbox, "Not found · maître sandbox", &body);
    add_security_headers((StatusCode::NOT_FOUND, page).into_response())
}
