//! Web page of the marketplace, rendered on the server. It works without scripts; with them it updates itself.

mod addon;
mod checks;
mod events;
mod exchange;
mod exchange_actions;
mod exchange_curl;
mod export;
mod form;
mod hints;
mod install_actions;
mod installs;
mod layout;
mod panel;
mod panel_actions;
mod search;
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
        .route("/sandbox/exchanges/{id}/curl", get(exchange_curl::show))
        .route("/sandbox/exchanges/{id}/edit", get(exchange::edit))
        .route("/sandbox/exchanges/{id}/raw", get(exchange::raw))
        .route("/sandbox/exchanges/{id}/send", post(exchange_actions::send))
        .route("/sandbox/exchanges/{id}/send-with", post(exchange_actions::send_with))
        .route("/sandbox/export.har", get(export::har))
        .route("/sandbox/export.json", get(export::json))
        .route("/sandbox/faults", post(panel_actions::fault))
        .route("/sandbox/faults/clear", post(panel_actions::clear_faults))
        .route("/sandbox/installs", get(installs::fragment).post(install_actions::install))
        .route("/sandbox/installs/remove-all", post(install_actions::remove_all))
        .route("/sandbox/installs/{uuid}/open", post(sign_on::open))
        .route("/sandbox/installs/{uuid}/plan", post(install_actions::change_plan))
        .route("/sandbox/installs/{uuid}/actions/{action}", post(install_actions::act))
        .route("/sandbox/installs/{uuid}/attach", post(install_actions::attach))
        .route("/sandbox/installs/{uuid}/remove", post(install_actions::remove))
        .route("/sandbox/installs/{uuid}/try", post(sign_on::try_sign_on))
        .route("/sandbox/panel", get(panel::fragment))
        .route("/sandbox/replay", post(exchange_actions::replay))
        .route("/sandbox/reset", post(panel_actions::reset))
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
    /// `problems` or `differing`, for only timeline entries with problems, or replayed with another status.
    only: Option<String>,
    /// Only timeline entries that contain this text.
    q: Option<String>,
    /// Only timeline entries of this kind.
    kind: Option<String>,
    /// Only timeline entries of this direction.
    direction: Option<String>,
    /// Only timeline entries with a status of this class, `2` to `5`, or `0` for those without a response.
    status: Option<String>,
    /// Only timeline entries of the operation that begins with this one.
    operation: Option<i64>,
    /// Uuids of the installs whose config vars are shown with their values, separated by commas.
    values: Option<String>,
    /// Uuids of the installs that are shown with their details, separated by commas.
    open: Option<String>,
    /// Only timeline entries older than this one.
    before: Option<i64>,
    /// Page of the installs, from 0.
    page: usize,
    /// Present if removed installs are to be shown.
    removed: Option<String>,
}

impl View {
    fn filter(&self, sandbox: &Sandbox) -> Filter {
        let text = self.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
        Filter {
            uuid: set(self.install.as_ref()),
            problems: self.only.as_deref() == Some("problems"),
            differing: self.only.as_deref() == Some("differing"),
            kind: set(self.kind.as_ref()),
            direction: set(self.direction.as_ref()),
            status_class: self.status.as_deref().and_then(|class| class.parse().ok()),
            operation: self.operation,
            faults: false,
            text: text.map(|text| (text.to_owned(), sandbox.uuids_named(text))),
            before: self.before,
        }
    }

    /// Whether the timeline shows only some entries.
    fn is_filtered(&self) -> bool {
        let texts = [&self.install, &self.only, &self.q, &self.kind, &self.direction, &self.status];
        self.operation.is_some() || texts.iter().any(|text| set(text.as_ref()).is_some())
    }

    /// Whether the values of an install's config vars are shown.
    fn shows_values_of(&self, uuid: &str) -> bool {
        self.values.as_deref().unwrap_or_default().split(',').any(|shown| shown == uuid)
    }

    /// Whether the details of an install are shown.
    fn is_open(&self, uuid: &str) -> bool {
        let opened = self.open.as_deref().unwrap_or_default();
        opened.split(',').any(|opened| opened == uuid) || self.shows_values_of(uuid)
    }

    fn open(&mut self, uuid: &str) {
        let opened = self.open.as_deref().unwrap_or_default();
        self.open = Some(format!("{opened},{uuid}").trim_start_matches(',').to_owned());
    }

    /// Shows or hides the values of an install's config vars.
    fn toggle_values_of(&mut self, uuid: &str) {
        let mut shown: Vec<_> =
            self.values.as_deref().unwrap_or_default().split(',').filter(|it| !it.is_empty()).collect();
        match shown.iter().position(|shown| *shown == uuid) {
            Some(index) => drop(shown.remove(index)),
            None => shown.push(uuid),
        }
        self.values = Some(shown.join(","));
    }

    /// Returns the query of this view after a change.
    fn link(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut view = self.clone();
        change(&mut view);
        let mut query = form_urlencoded::Serializer::new(String::new());
        let numbers = [view.operation, view.before, (view.page > 0).then_some(i64::try_from(view.page).unwrap_or(0))];
        let [operation, before, page] = numbers.map(|number| number.map(|number| number.to_string()));
        let fields = [
            ("install", view.install),
            ("only", view.only),
            ("q", view.q),
            ("kind", view.kind),
            ("direction", view.direction),
            ("status", view.status),
            ("operation", operation),
            ("removed", view.removed),
            ("values", view.values),
            ("open", view.open),
            ("before", before),
            ("page", page),
        ];
        for (name, text) in fields {
            if let Some(text) = set(text.as_ref()) {
                query.append_pair(name, &text);
            }
        }
        format!("?{}", query.finish())
    }
}

/// Returns a text that is not empty: forms submit empty fields.
fn set(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

async fn home(State(sandbox): State<Sandbox>, Query(view): Query<View>) -> Markup {
    let title = format!("{} · maître sandbox", sandbox.addon().name);
    page(
        &sandbox,
        &title,
        &html! {
            h1 .sr { (sandbox.addon().name) " in the sandbox" }
            div #columns {
                div #catalog {
                    div #product {
                        (addon::card(&sandbox))
                        (installs::form(&sandbox))
                    }
                    (installs::section(&sandbox, &view))
                }
                div #activity {
                    (hints::section(&sandbox))
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
            p { "This address serves the API of " (sandbox.marketplace_title()) " to programs. The marketplace is on the "
                a href="/" { "front page" } "." }
        }
    };
    let page = page(sandbox, "Not found · maître sandbox", &body);
    add_security_headers((StatusCode::NOT_FOUND, page).into_response())
}
