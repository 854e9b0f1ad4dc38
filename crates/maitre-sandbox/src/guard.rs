//! Who may ask at all: a browser only from our own page, and nobody under a foreign host name.
//!
//! The marketplace knows the add-on's secrets and can make it do things, and every page in the developer's browser can
//! send requests to this machine. A page of another site cannot choose the `Host` that its name was resolved from, nor
//! hide its `Origin` when it posts.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::Sandbox;

pub(crate) async fn guard(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    // whoever names the host in the request line, too, has to mean us with it
    let line = request.uri().host().map(|host| judge_host(&sandbox.inner().hosts, host));
    match line.unwrap_or(Ok(())).and_then(|()| judge(&sandbox.inner().hosts, request.method(), request.headers())) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Why a request is not looked at.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Host(String),
    Origin,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, sentence) = match self {
            Self::Host(host) => {
                let name = host.escape_debug();
                let hint = "name it with --allow-host (in code: SandboxBuilder::host) if it is meant";
                (StatusCode::MISDIRECTED_REQUEST, format!("this sandbox does not go by the name \"{name}\": {hint}\n"))
            }
            Self::Origin => {
                (StatusCode::FORBIDDEN, "a page of another site asked for this: open the sandbox itself\n".to_owned())
            }
        };
        (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], sentence).into_response()
    }
}

fn judge(hosts: &[String], method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    judge_host(hosts, host)?;
    if let Some(origin) = headers.get(header::ORIGIN) {
        let is_own = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        if is_own.is_none_or(|authority| !authority.eq_ignore_ascii_case(host)) {
            return Err(Refusal::Origin);
        }
    }
    // what only looks may be linked from anywhere
    let looks = method == Method::GET || method == Method::HEAD;
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    match site {
        Some("cross-site" | "same-site") if !looks => Err(Refusal::Origin),
        _ => Ok(()),
    }
}

fn judge_host(hosts: &[String], host: &str) -> Result<(), Refusal> {
    let name = without_port(host);
    let is_known = is_this_machine(name) || hosts.iter().any(|known| known.eq_ignore_ascii_case(name));
    if is_known { Ok(()) } else { Err(Refusal::Host(host.chars().take(100).collect())) }
}

fn without_port(host: &str) -> &str {
    if let Some(end) = host.strip_prefix('[').and_then(|_| host.find(']')) {
        return &host[..=end];
    }
    host.split(':').next().unwrap_or_default()
}

fn is_this_machine(name: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, headers: &[(&'static str, &str)]) -> Result<(), Refusal> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        judge(&["sandbox.test".to_owned()], &method.parse().unwrap(), &headers.collect())
    }

    #[test]
    fn the_names_of_this_machine_and_those_that_were_named_are_answered() {
        for host in ["localhost:7000", "127.0.0.1", "[::1]:7000", "LOCALHOST", "sandbox.test:80"] {
            assert_eq!(asked("POST", &[("host", host)]), Ok(()), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example:7000", "localhost.evil.example", "", "[::2]:7000", "[::1"]
        {
            assert_eq!(asked("GET", &[("host", host)]), Err(Refusal::Host(host.to_owned())), "{host}");
        }
    }

    #[test]
    fn a_browser_posts_from_our_own_page_alone() {
        let at = ("host", "localhost:7000");
        assert_eq!(
            asked("POST", &[at, ("origin", "http://localhost:7000"), ("sec-fetch-site", "same-origin")]),
            Ok(())
        );
        for origin in [
            "null",
            "https://localhost:7000",
            "http://localhost:7001",
            "http://127.0.0.1:7000",
            "http://evil.example",
            "http://localhost:7000.evil.example",
        ] {
            assert_eq!(asked("POST", &[at, ("origin", origin)]), Err(Refusal::Origin), "{origin}");
            assert_eq!(asked("GET", &[at, ("origin", origin)]), Err(Refusal::Origin), "{origin}");
        }
        assert_eq!(asked("POST", &[at, ("sec-fetch-site", "cross-site")]), Err(Refusal::Origin));
        assert_eq!(asked("GET", &[at, ("sec-fetch-site", "cross-site")]), Ok(()), "a link may lead here");
    }
}
