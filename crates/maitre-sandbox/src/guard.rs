//! Protects the sandbox from other sites in the developer's browser: rejects unknown host names and foreign origins.
//!
//! The sandbox knows the add-on's secrets and can trigger calls, and every page in the browser can send requests to this
//! machine. A page of another site can neither choose the `Host` header nor hide its `Origin` when it posts.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::Sandbox;

pub(crate) async fn guard(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let hosts = &sandbox.inner().hosts;
    // the request line may name a host, too
    let target = request.uri().host().map_or(Ok(()), |host| check_host(hosts, host));
    match target.and_then(|()| check(hosts, request.method(), request.headers())) {
        Ok(()) => next.run(request).await,
        Err(rejection) => rejection.into_response(),
    }
}

/// Reason to reject a request.
#[derive(Debug, PartialEq, Eq)]
enum Rejection {
    Host(String),
    Origin,
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Host(host) => {
                let name = host.escape_debug();
                let hint = "allow it with --allow-host (in code: SandboxBuilder::allow_host)";
                (StatusCode::MISDIRECTED_REQUEST, format!("unknown host name \"{name}\": {hint}\n"))
            }
            Self::Origin => {
                (StatusCode::FORBIDDEN, "cross-site request refused: use the sandbox's own page\n".to_owned())
            }
        };
        (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], message).into_response()
    }
}

fn check(hosts: &[String], method: &Method, headers: &HeaderMap) -> Result<(), Rejection> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    check_host(hosts, host)?;
    if let Some(origin) = headers.get(header::ORIGIN) {
        let authority = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        if authority.is_none_or(|authority| !authority.eq_ignore_ascii_case(host)) {
            return Err(Rejection::Origin);
        }
    }
    // any site may link to the sandbox
    let is_safe = method == Method::GET || method == Method::HEAD;
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    match site {
        Some("cross-site" | "same-site") if !is_safe => Err(Rejection::Origin),
        _ => Ok(()),
    }
}

fn check_host(hosts: &[String], host: &str) -> Result<(), Rejection> {
    let name = without_port(host);
    let is_known = is_this_machine(name) || hosts.iter().any(|known| known.eq_ignore_ascii_case(name));
    if is_known { Ok(()) } else { Err(Rejection::Host(host.chars().take(100).collect())) }
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

    fn checked(method: &str, headers: &[(&'static str, &str)]) -> Result<(), Rejection> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        check(&["sandbox.test".to_owned()], &method.parse().unwrap(), &headers.collect())
    }

    #[test]
    fn loopback_names_and_allowed_hosts_are_accepted() {
        for host in ["localhost:8400", "127.0.0.1", "[::1]:8400", "LOCALHOST", "sandbox.test:80"] {
            assert_eq!(checked("POST", &[("host", host)]), Ok(()), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example:8400", "localhost.evil.example", "", "[::2]:8400", "[::1"]
        {
            assert_eq!(checked("GET", &[("host", host)]), Err(Rejection::Host(host.to_owned())), "{host}");
        }
    }

    #[test]
    fn a_browser_may_only_post_from_the_sandboxs_own_page() {
        let at = ("host", "localhost:8400");
        assert_eq!(
            checked("POST", &[at, ("origin", "http://localhost:8400"), ("sec-fetch-site", "same-origin")]),
            Ok(())
        );
        for origin in [
            "null",
            "https://localhost:8400",
            "http://localhost:8401",
            "http://127.0.0.1:8400",
            "http://evil.example",
            "http://localhost:8400.evil.example",
        ] {
            assert_eq!(checked("POST", &[at, ("origin", origin)]), Err(Rejection::Origin), "{origin}");
            assert_eq!(checked("GET", &[at, ("origin", origin)]), Err(Rejection::Origin), "{origin}");
        }
        assert_eq!(checked("POST", &[at, ("sec-fetch-site", "cross-site")]), Err(Rejection::Origin));
        assert_eq!(
            checked("GET", &[at, ("sec-fetch-site", "cross-site")]),
            Ok(()),
            "other sites may link to the sandbox"
        );
    }
}
