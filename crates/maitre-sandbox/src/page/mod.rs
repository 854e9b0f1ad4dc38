//! The page to click on. It is rendered here and works without scripts; with them it shows what happens as it happens.

mod actions;
mod addon;
mod checks;
mod events;
mod exchange;
mod export;
mod installs;
mod layout;
mod panel;
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

use self::layout::{asset, page, secure};
use crate::{Sandbox, journal::Filter};

pub(crate) fn router(sandbox: &Sandbox) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/sandbox/chaos", post(actions::chaos))
        .route("/sandbox/checks/{check}", get(checks::show))
        .route("/sandbox/clock", post(actions::clock))
        .route("/sandbox/events", get(events::stream))
        .route("/sandbox/exchanges/{id}", get(exchange::show))
        .route("/sandbox/exchanges/{id}/edit", get(exchange::edit))
        .route("/sandbox/exchanges/{id}/raw", get(exchange::raw))
        .route("/sandbox/exchanges/{id}/send", post(actions::send))
        .route("/sandbox/exchanges/{id}/send-with", post(actions::send_with))
        .route("/sandbox/export.har", get(export::har))
        .route("/sandbox/export.json", get(export::json))
        .route("/sandbox/faults", post(actions::fault))
        .route("/sandbox/faults/clear", post(actions::clear_faults))
        .route("/sandbox/installs", get(installs::fragment).post(actions::install))
        .route("/sandbox/installs/{uuid}/config", get(installs::config))
        .route("/sandbox/installs/{uuid}/open", post(sign_on::open))
        .route("/sandbox/installs/{uuid}/plan", post(actions::change_plan))
        .route("/sandbox/installs/{uuid}/attach", post(actions::attach))
        .route("/sandbox/installs/{uuid}/remove", post(actions::remove))
        .route("/sandbox/panel", get(panel::fragment))
        .route("/sandbox/replay", post(actions::replay))
        .route("/sandbox/timeline", get(timeline::fragment))
        .route("/sso/apps/{app}/addons/{addon}", get(sign_on::link))
        .layer(map_response(|response: Response| async { secure(response) }))
        .route("/sandbox/icon.svg", get(icon))
        // what a browser asks for that shows a part of a page alone
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

/// What of the timeline and of the installs is to be seen.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct View {
    /// The uuid of the install that the timeline is about.
    install: Option<String>,
    /// `trouble` for what went wrong alone.
    only: Option<String>,
    /// Entries older than this one.
    before: Option<i64>,
    /// The page of installs, from 0.
    page: usize,
    /// Removed installs, too.
    removed: Option<String>,
}

impl View {
    fn filter(&self) -> Filter {
        let uuid = self.install.clone().filter(|uuid| !uuid.is_empty());
        Filter { uuid, bad: self.only.as_deref() == Some("trouble"), before: self.before }
    }

    /// The query that leads to the same view, changed.
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
                div #shop {
                    (addon::card(&sandbox))
                    (installs::section(&sandbox, &view))
                }
                div #news {
                    (panel::section(&sandbox))
                    (timeline::section(&sandbox, &view))
                }
            }
        },
    )
}

/// What a browser sees that asks for something else.
pub(crate) fn not_found_page(sandbox: &Sandbox) -> Response {
    let body = html! {
        section .card aria-labelledby="nothing" {
            h1 #nothing { "There is no such page" }
            p { "Programs find Heroku's API under this address; people find the marketplace on its "
                a href="/" { "front page" } "." }
        }
    };
    let page = page(sandbox, "Not found · maître sandbox", &body);
    secure((StatusCode::NOT_FOUND, page).into_response())
}
