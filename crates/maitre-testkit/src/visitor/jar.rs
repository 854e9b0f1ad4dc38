use reqwest::Url;
use time::OffsetDateTime;

use crate::{Cookie, Reply, Request};

/// The cookies of a browser, each with the host that set it and the path below which it is sent.
#[derive(Debug, Default)]
pub(super) struct Jar(Vec<Kept>);

#[derive(Debug)]
struct Kept {
    host: String,
    path: String,
    cookie: Cookie,
}

impl Jar {
    /// Keeps what a reply sets, and lets go of what it removes.
    pub(super) fn take(&mut self, reply: &Reply, now: OffsetDateTime) {
        let Ok(url) = Url::parse(reply.request().url()) else { return };
        for cookie in reply.cookies() {
            let removal = cookie.is_removal(now);
            let kept = Kept::new(&url, cookie);
            self.0.retain(|known| !known.is_replaced_by(&kept));
            if !removal {
                self.0.push(kept);
            }
        }
    }

    pub(super) fn plant(&mut self, home: &str, cookie: Cookie) {
        if let Ok(url) = Url::parse(home) {
            self.0.push(Kept::new(&url, cookie));
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<&Cookie> {
        self.0.iter().map(|kept| &kept.cookie).rfind(|cookie| cookie.name() == name)
    }

    /// The `Cookie` header that a browser sends along.
    pub(super) fn header_for(&self, request: &Request) -> Option<String> {
        let url = Url::parse(request.url()).ok()?;
        let sent = self.0.iter().filter(|kept| kept.is_sent(&url, request));
        let pairs: Vec<_> = sent.map(|Kept { cookie, .. }| format!("{}={}", cookie.name(), cookie.value())).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

impl Kept {
    fn new(url: &Url, cookie: Cookie) -> Self {
        let path = match cookie.path() {
            Some(path) if path.starts_with('/') => path.to_owned(),
            _ => default_path(url.path()).to_owned(),
        };
        Self { host: host(url), path, cookie }
    }

    fn is_replaced_by(&self, newer: &Self) -> bool {
        self.cookie.name() == newer.cookie.name() && self.host == newer.host && self.path == newer.path
    }

    fn is_sent(&self, url: &Url, request: &Request) -> bool {
        let crosses = match self.cookie.same_site() {
            _ if !request.cross_site => true,
            Some(policy) if policy.eq_ignore_ascii_case("strict") => false,
            Some(policy) if policy.eq_ignore_ascii_case("lax") => request.method() == "GET",
            _ => true,
        };
        let private = url.scheme() == "https" || is_loopback(&self.host);
        self.host == host(url) && covers(&self.path, url.path()) && (private || !self.cookie.is_secure()) && crosses
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host == "[::1]" || host.starts_with("127.")
}

/// Without a `Path` a cookie is kept to the directory of the page that set it (RFC 6265, 5.1.4).
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        Some(end @ 1..) => &path[..end],
        _ => "/",
    }
}

fn covers(kept: &str, asked: &str) -> bool {
    asked.strip_prefix(kept).is_some_and(|rest| rest.is_empty() || kept.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(set_cookie: &str) -> Jar {
        let url = Url::parse("http://127.0.0.1:5000/heroku/sso").expect("a URL");
        Jar(vec![Kept::new(&url, Cookie::parse(set_cookie).expect("a cookie"))])
    }

    fn sent(set_cookie: &str, method: &str, url: &str, cross_site: bool) -> bool {
        let mut request = Request::new(method, url);
        request.cross_site = cross_site;
        jar(set_cookie).header_for(&request).is_some()
    }

    const DASHBOARD: &str = "http://127.0.0.1:5000/my/dashboard";

    #[test]
    fn same_site_decides_what_survives_a_sign_on() {
        for (policy, posted, followed, clicked) in
            [("Strict", false, false, true), ("Lax", false, true, true), ("None", true, true, true)]
        {
            let cookie = format!("id=7; Path=/; SameSite={policy}");
            assert_eq!(sent(&cookie, "POST", DASHBOARD, true), posted, "{policy}, posted by the marketplace's page");
            assert_eq!(sent(&cookie, "GET", DASHBOARD, true), followed, "{policy}, on the redirect after that");
            assert_eq!(sent(&cookie, "GET", DASHBOARD, false), clicked, "{policy}, on a click");
        }
        assert!(sent("id=7; Path=/", "POST", DASHBOARD, true));
    }

    #[test]
    fn without_a_path_a_cookie_stays_in_its_directory() {
        assert!(!sent("id=7", "GET", DASHBOARD, false));
        assert!(sent("id=7", "GET", "http://127.0.0.1:5000/heroku/page", false));
        assert!(!sent("id=7", "GET", "http://127.0.0.1:5000/herokuish", false));
    }

    #[test]
    fn other_hosts_see_nothing() {
        assert!(!sent("id=7; Path=/", "GET", "http://127.0.0.2:5000/", false));
    }

    #[test]
    fn secure_cookies_go_over_http_to_loopback_only() {
        assert!(sent("id=7; Path=/; Secure", "GET", DASHBOARD, false));
        let url = Url::parse("http://vendor.example/").expect("a URL");
        let jar = Jar(vec![Kept::new(&url, Cookie::parse("id=7; Secure").expect("a cookie"))]);
        assert_eq!(jar.header_for(&Request::new("GET", "http://vendor.example/")), None);
        assert!(jar.header_for(&Request::new("GET", "https://vendor.example/")).is_some());
    }
}
