//! Cookies of a browser.

use cookie::SameSite;
use cookie_store::CookieStore;
use reqwest::Url;

use crate::{cookie::Cookie, reply::Reply, request::Request};

/// The cookies of a browser. [`CookieStore`] decides by host, path, expiry and `Secure`; this type adds `SameSite`.
#[derive(Default)]
pub(super) struct Jar(CookieStore);

impl Jar {
    /// Stores the cookies that a reply sets, and removes those that it expires.
    pub(super) fn store(&mut self, reply: &Reply) {
        if let Ok(url) = Url::parse(reply.request().url()) {
            self.0.store_response_cookies(reply.cookies().map(Cookie::into_inner), &url);
        }
    }

    /// Stores a cookie for the whole site at `root`.
    pub(super) fn set(&mut self, root: &str, name: &str, value: &str) {
        if let Ok(url) = Url::parse(root) {
            let cookie = cookie::Cookie::build((name.to_owned(), value.to_owned())).path("/").build();
            self.0.store_response_cookies([cookie].into_iter(), &url);
        }
    }

    /// Returns the cookie of this name that was set last.
    pub(super) fn find(&self, name: &str) -> Option<Cookie> {
        let found = self.0.iter_unexpired().filter(|cookie| cookie.name() == name).last()?;
        Some(Cookie::new((**found).clone()))
    }

    /// Returns the `Cookie` header that a browser sends with a request.
    pub(super) fn header_for(&self, request: &Request) -> Option<String> {
        let url = Url::parse(request.url()).ok()?;
        let matching = self.0.matches(&url).into_iter().filter(|cookie| is_sent(cookie.same_site(), request));
        let pairs: Vec<_> = matching.map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

fn is_sent(policy: Option<SameSite>, request: &Request) -> bool {
    match policy {
        _ if !request.cross_site => true,
        Some(SameSite::Strict) => false,
        Some(SameSite::Lax) => request.method() == "GET",
        Some(SameSite::None) | None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(url: &str, set_cookie: &str) -> Jar {
        let mut jar = Jar::default();
        let cookie: Cookie = set_cookie.parse().expect("a cookie");
        jar.0.store_response_cookies([cookie.into_inner()].into_iter(), &Url::parse(url).expect("a URL"));
        jar
    }

    fn sent(set_cookie: &str, method: &str, url: &str, cross_site: bool) -> bool {
        let mut request = Request::new(method, url);
        request.cross_site = cross_site;
        jar("http://127.0.0.1:8300/heroku/sso", set_cookie).header_for(&request).is_some()
    }

    const DASHBOARD: &str = "http://127.0.0.1:8300/my/dashboard";

    #[test]
    fn same_site_decides_which_cookies_survive_a_sign_on() {
        for (policy, posted, followed, clicked) in
            [("Strict", false, false, true), ("Lax", false, true, true), ("None", true, true, true)]
        {
            let cookie = format!("id=7; Path=/; SameSite={policy}");
            assert_eq!(sent(&cookie, "POST", DASHBOARD, true), posted, "{policy}, posted from the marketplace's page");
            assert_eq!(sent(&cookie, "GET", DASHBOARD, true), followed, "{policy}, on the redirect after that");
            assert_eq!(sent(&cookie, "GET", DASHBOARD, false), clicked, "{policy}, on a click");
        }
        assert!(sent("id=7; Path=/", "POST", DASHBOARD, true));
    }

    #[test]
    fn a_cookie_without_a_path_is_limited_to_its_directory() {
        assert!(!sent("id=7", "GET", DASHBOARD, false));
        assert!(sent("id=7", "GET", "http://127.0.0.1:8300/heroku/page", false));
        assert!(!sent("id=7", "GET", "http://127.0.0.1:8300/herokuish", false));
    }

    #[test]
    fn a_cookie_is_not_sent_to_other_hosts() {
        assert!(!sent("id=7; Path=/", "GET", "http://127.0.0.2:8300/", false));
    }

    #[test]
    fn secure_cookies_are_sent_over_http_to_loopback_only() {
        assert!(sent("id=7; Path=/; Secure", "GET", DASHBOARD, false));
        let jar = jar("https://vendor.example/", "id=7; Secure");
        assert_eq!(jar.header_for(&Request::new("GET", "http://vendor.example/")), None);
        assert!(jar.header_for(&Request::new("GET", "https://vendor.example/")).is_some());
    }
}
