//! Single sign-on in a browser: the form, the redirects and the page.

use maitre_core::manifest::is_loopback;
use maitre_testkit::{Browser, Call, Form, SignOn};

use crate::response::Response;
use crate::url;
use crate::verdict::{Stop, Verdict};
use crate::wire::Wire;

/// Maximum number of redirects to follow.
const MAX_REDIRECTS: usize = 5;

/// Endpoint of single sign-on.
pub(crate) struct SsoEndpoint {
    pub(crate) origin: String,
    /// Path that forms are posted to.
    pub(crate) path: String,
    /// Whether the fields are in the query of a GET of the resource.
    pub(crate) by_get: bool,
}

/// A sign-on attempt and the page it led to.
pub(crate) struct SignedIn {
    pub(crate) browser: Browser,
    /// Response to the form.
    pub(crate) response: Response,
    /// Last page. The response to the form if the redirect is missing, or if it leads to a machine that may not be called.
    pub(crate) page: Response,
    by_get: bool,
}

impl SsoEndpoint {
    /// Returns the endpoint for forms that are posted to this URL.
    pub(crate) fn form(url: &str) -> Self {
        let (origin, path) = url::split_origin(url);
        Self { origin: origin.to_owned(), path: path.to_owned(), by_get: false }
    }

    /// Returns the endpoint of the older contract: a link to a resource below this URL.
    pub(crate) fn link(root: &str) -> Self {
        Self { by_get: true, ..Self::form(root) }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.origin)
    }

    /// Posts the form, or opens the link, as a browser does, and follows the redirects.
    pub(crate) async fn sign_in<F: Form>(
        &self,
        wire: &Wire,
        mut browser: Browser,
        form: &Call<SignOn<F>>,
    ) -> Result<SignedIn, Stop> {
        if self.by_get {
            return self.open_link(wire, browser, form.request().url()).await;
        }
        let response = wire.visit(browser.post_form(form.url(), form.fields())).await?;
        self.follow(wire, browser, response).await
    }

    /// Opens a link, and follows the redirects.
    pub(crate) async fn open_link(&self, wire: &Wire, mut browser: Browser, url: &str) -> Result<SignedIn, Stop> {
        let response = wire.visit(browser.follow_link(url)).await?;
        self.follow(wire, browser, response).await
    }

    async fn follow(&self, wire: &Wire, mut browser: Browser, response: Response) -> Result<SignedIn, Stop> {
        let mut page = response.clone();
        for _ in 0..MAX_REDIRECTS {
            let Some(location) = page.location() else { break };
            if !(300..400).contains(&page.status()) || !self.may_follow(location) {
                break;
            }
            page = wire.visit(browser.follow(&page)).await?;
        }
        Ok(SignedIn { browser, response, page, by_get: self.by_get })
    }

    /// Allows redirects to the same host and to this machine only.
    fn may_follow(&self, location: &str) -> bool {
        let Some((_, rest)) = location.split_once("://") else { return !location.starts_with("//") };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        is_loopback(host) || self.origin.ends_with(&format!("://{host}"))
    }
}

/// Names of fields that a redirect must not depend on.
pub(crate) const REDIRECT_FIELDS: [&str; 9] =
    ["redirect", "redirect_to", "redirect_uri", "return_to", "return", "next", "url", "path", "goto"];

/// URLs of another site, as browsers read them.
pub(crate) const ELSEWHERE: [&str; 3] = ["https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example/"];

/// Returns whether a browser would leave the site for [`ELSEWHERE`]. Browsers treat a backslash as a slash.
pub(crate) fn leads_elsewhere(location: &str) -> bool {
    let location = location.trim().replace('\\', "/");
    let rest = location.strip_prefix("https:").or_else(|| location.strip_prefix("http:")).unwrap_or(&location);
    rest.starts_with("//") && rest.trim_start_matches('/').starts_with("elsewhere.example")
}

const LOG: &str = "Look in the add-on's log for the error behind this response.";

/// Requires that the sign-on led to a page. `formula` is the advice if the token is refused.
pub(crate) fn must_be_signed_in(signed_in: &SignedIn, formula: &str) -> Verdict {
    let (response, page) = (&signed_in.response, &signed_in.page);
    let advice = match response.status() {
        200 | 301..=303 | 307 | 308 => None,
        400 | 403 | 422 => Some(formula),
        401 => Some("Do not require Basic credentials here: a browser sends the form, and the token authenticates it."),
        404 | 405 if signed_in.by_get => Some(
            "Serve GET of the resource, with id in the path and token and timestamp in the query: for a manifest with plain \
             URLs, this is single sign-on.",
        ),
        404 | 405 => Some("Check the manifest's sso_url and your routes: the form is posted there."),
        500.. => Some(LOG),
        _ => Some("Accept a valid token, and redirect to the dashboard."),
    };
    if let Some(advice) = advice {
        return Err(response.wrong_status("302", advice));
    }
    if (300..400).contains(&response.status()) && response.location().is_none() {
        return Err(response.fault("The redirect has no Location header.", "Redirect to the resource's dashboard."));
    }
    let followed = page.status();
    if (300..400).contains(&followed) || followed == 200 {
        return Ok(()); // a redirect is the last page if it leads to a machine that may not be called
    }
    let strict =
        response.cookies().find(|cookie| cookie.same_site().is_some_and(|it| it.eq_ignore_ascii_case("strict")));
    let advice = match strict {
        _ if followed >= 500 => LOG.to_owned(),
        Some(cookie) => format!(
            "The cookie {} is SameSite=Strict, so a browser that comes from the marketplace does not send it with the redirect: use \
             Lax.",
            cookie.name()
        ),
        None => {
            "Check that the session is stored before the redirect is sent, and that its cookie has Path=/.".to_owned()
        }
    };
    Err(page.fault(format!("The form is accepted, but the page that it redirects to answers {followed}."), advice))
}

#[cfg(test)]
mod tests {
    use super::leads_elsewhere;

    #[test]
    fn redirects_are_resolved_as_browsers_do() {
        for away in
            ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example/", "http:\\\\elsewhere.example"]
        {
            assert!(leads_elsewhere(away), "{away}");
        }
        for home in
            ["/dashboard", "/dashboard?next=https://elsewhere.example/", "https://here.example/elsewhere.example"]
        {
            assert!(!leads_elsewhere(home), "{home}");
        }
    }
}
