//! Layout, headers and time formats of all pages.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};
use time::{OffsetDateTime, macros::format_description};

use crate::Sandbox;

pub(super) fn page(sandbox: &Sandbox, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" type="image/svg+xml" href="/sandbox/icon.svg";
                link rel="stylesheet" href="/sandbox/style.css";
                script src="/sandbox/page.js" defer {}
            }
            body {
                a .skip href="#main" { "Skip to content" }
                (symbols())
                header #top {
                    a #brand href="/" {
                        svg aria-hidden="true" width="26" height="26" { use href="#cloche" {} }
                        span { strong { "maître" } " sandbox" }
                    }
                    span #selling { "selling " strong { (sandbox.addon().name) } " on " (sandbox.marketplace_title()) }
                    nav #jump aria-label="On this page" { a href="/#installs" { "Installs" } " " a href="/#timeline" { "Timeline" } }
                    span #live role="status" { noscript { "Reload to see updates." } }
                }
                main #main tabindex="-1" { (body) }
                p #announcements .sr role="status" {}
                div #toast role="status" {}
            }
        }
    }
}

/// Button that copies a text. The script shows it, as it does not work without one.
pub(super) fn copy_button(what: &str, text: &str) -> Markup {
    html! { button .copy .small type="button" data-copy=(text) { "Copy" span .sr { " " (what) } } }
}

/// Button that copies the text of a URL of the sandbox.
pub(super) fn copy_button_for(label: &str, url: &str) -> Markup {
    html! { button .copy type="button" data-copy-from=(url) { (label) } }
}

/// SVG symbols that the page refers to by id.
fn symbols() -> Markup {
    html! {
        svg width="0" height="0" aria-hidden="true" .hidden {
            symbol #cloche viewBox="0 0 26 26" {
                path fill="currentColor" d="M13 5.2a1.7 1.7 0 1 1 1.1-.4 9.4 9.4 0 0 1 8.3 9.9v1.1H3.6v-1.1a9.4 9.4 0 0 1 8.3-9.9z" {}
                rect x="1.8" y="17.6" width="22.4" height="2.9" rx="1.45" fill="currentColor" {}
            }
            // the points are customer, marketplace and add-on; the arrow shows the direction of a call
            symbol #direction-to-addon viewBox="0 0 160 14" { (points()) path .arrow d="M88 7h38m-4.5-4.5L126 7l-4.5 4.5" {} }
            symbol #direction-from-addon viewBox="0 0 160 14" { (points()) path .arrow d="M127 7H89m4.5-4.5L89 7l4.5 4.5" {} }
            symbol #direction-from-customer viewBox="0 0 160 14" { (points()) path .arrow d="M34 7h38m-4.5-4.5L72 7l-4.5 4.5" {} }
        }
    }
}

fn points() -> Markup {
    html! {
        circle .point cx="26" cy="7" r="3.2" {}
        circle .point cx="80" cy="7" r="3.2" {}
        circle .point cx="134" cy="7" r="3.2" {}
    }
}

/// The page loads and runs nothing from other origins, and cannot be framed.
fn secure_headers() -> [(HeaderName, &'static str); 4] {
    [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
             form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ]
}

pub(super) fn add_security_headers(mut response: Response) -> Response {
    for (name, value) in secure_headers() {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

pub(super) async fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}

/// Renders a time of day in UTC.
pub(super) fn time_of_day(at: OffsetDateTime) -> Markup {
    let short = at.format(format_description!("[hour]:[minute]:[second]")).unwrap_or_default();
    html! { time datetime=(instant(at)) title=(day_and_time(at)) { (short) } }
}

pub(super) fn day_and_time(at: OffsetDateTime) -> String {
    at.format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC")).unwrap_or_default()
}

pub(super) fn instant(at: OffsetDateTime) -> String {
    at.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z")).unwrap_or_default()
}
