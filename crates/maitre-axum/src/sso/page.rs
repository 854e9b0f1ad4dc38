//! Pages of single sign-on: an error, and one that moves on.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use maitre_core::Failure;

use crate::error_reply::public_message;

pub(super) fn failure(status: StatusCode, failure: &Failure) -> Response {
    response(status, public_message(failure))
}

pub(super) fn response(status: StatusCode, message: &str) -> Response {
    let title = match status {
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => "You are not signed in",
        StatusCode::NOT_FOUND => "Not found",
        _ => "Not available",
    };
    page(status, html(title, "", &escape(message)))
}

/// Creates a page that moves on automatically. It is a 200 also for a client that keeps no cookie.
pub(super) fn moving_on(location: &str) -> Response {
    let location = escape(location);
    let refresh = format!("<meta http-equiv=\"refresh\" content=\"0; url={location}\">\n");
    let link = format!("<a href=\"{location}\">Continue</a>");
    page(StatusCode::OK, html("You are signed in", &refresh, &link))
}

fn page(status: StatusCode, html: String) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

fn html(title: &str, head: &str, message: &str) -> String {
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{head}<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1.125rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto 0; padding: 0 1.5rem; }}
h1 {{ font-size: 1.5rem; margin: 0 0 .5rem; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{message}</p>
</main>
</body>
</html>
"#
    )
}

/// Escapes a listener's message, which may quote user input.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_escaped() {
        let page = html("Not found", "", &escape("<script>alert('&\"')</script>"));
        assert!(page.contains("<p>&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;</p>"));
    }

    #[test]
    fn a_location_is_escaped_in_the_page_that_moves_on() {
        let body = moving_on("/a?b=\"><script>&c=1").into_body();
        let bytes =
            futures_util::FutureExt::now_or_never(http_body_util::BodyExt::collect(body)).unwrap().unwrap().to_bytes();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(text.contains(r#"content="0; url=/a?b=&quot;&gt;&lt;script&gt;&amp;c=1""#), "{text}");
        assert!(text.contains(r#"<a href="/a?b=&quot;&gt;&lt;script&gt;&amp;c=1">"#));
    }
}
