//! The session that a sign-on opens.

use maitre_testkit::Cookie;
use time::OffsetDateTime;

use super::sign_in::NEEDS;
use crate::check::{Capability, Case};
use crate::heroku::citation;
use crate::heroku::target::Target;
use crate::sign_on::{SignedIn, must_be_signed_in};
use crate::verdict::{Stop, Verdict};

const NAV: &str = "heroku-nav-data";

pub(in crate::heroku) const CASES: &[Case<Target>] = &[
    Case::should(
        "heroku.sso-session.http-only",
        "Scripts cannot read the session's cookie.",
        citation::rfc(6265, "HttpOnly keeps a cookie from scripts"),
        |target| Box::pin(http_only(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-session.secure",
        "The session's cookie does not go over plain HTTP.",
        citation::rfc(6265, "Secure keeps a cookie from plain HTTP"),
        |target| Box::pin(secure(target)),
    )
    .needs(&[Capability::SingleSignOn, Capability::Https]),
    Case::should(
        "heroku.sso-session.starts-anew",
        "A session that the browser brought along is not gone on with.",
        citation::practice("whoever planted a cookie would be signed in with its owner"),
        |target| Box::pin(starts_anew(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-session.refused-opens-none",
        "A refused sign-on leaves the browser without a session.",
        citation::practice("whoever has no good token gets no session"),
        |target| Box::pin(refused_opens_none(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-session.redirects-at-home",
        "Nobody is redirected to where a field of the form says.",
        citation::practice("no field that is not signed decides where people go"),
        |target| Box::pin(redirects_at_home(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-session.no-header-injection",
        "Line breaks in a field do not become headers.",
        citation::practice("nav-data is signed by nothing"),
        |target| Box::pin(no_header_injection(target)),
    )
    .needs(NEEDS),
    Case::info(
        "heroku.sso-session.nav-data",
        "The cookie heroku-nav-data holds what Heroku sent, for the whole site.",
        citation::kensa("cookie heroku-nav-data equal to nav-data; deprecated"),
        |target| Box::pin(nav_data(target)),
    )
    .needs(NEEDS),
];

/// The cookies without which the page is not shown: the session, whatever it is called.
async fn session(target: &Target, signed_in: &SignedIn) -> Result<Vec<Cookie>, Stop> {
    let now = OffsetDateTime::now_utc();
    let set: Vec<_> =
        signed_in.response.cookies().filter(|cookie| cookie.name() != NAV && !cookie.is_removal(now)).collect();
    if set.is_empty() {
        return Err(Stop::skipped("signing on sets no cookie"));
    }
    if signed_in.page.status() != 200 || signed_in.page.request().method() != "GET" {
        return Err(Stop::skipped("the page that it leads to could not be looked at"));
    }
    let url = signed_in.page.request().url().to_owned();
    let mut needed = Vec::new();
    for (place, cookie) in set.iter().enumerate() {
        let mut without = target.visitor()?;
        let others = set.iter().enumerate().filter(|(other, _)| *other != place);
        others.for_each(|(_, other)| without.set_cookie(other.name(), other.value()));
        if target.wire.visit(without.get(&url)).await?.status() != 200 {
            needed.push(cookie.clone());
        }
    }
    if needed.is_empty() {
        return Err(Stop::skipped(
            "the page that it leads to is shown to everyone, so that no cookie is known to be the session",
        ));
    }
    Ok(needed)
}

async fn signed_on(target: &Target) -> Result<(SignedIn, Vec<Cookie>), Stop> {
    let resource = target.shared_resource().await?;
    let signed_in = target.signed_in(&resource).await?;
    let session = session(target, &signed_in).await?;
    Ok((signed_in, session))
}

async fn http_only(target: &Target) -> Verdict {
    let (signed_in, session) = signed_on(target).await?;
    match session.iter().find(|cookie| !cookie.is_http_only()) {
        None => Ok(()),
        Some(cookie) => Err(signed_in.response.fault(
            format!("The cookie {} is not HttpOnly: any script on the page can take it away.", cookie.name()),
            "Set HttpOnly on the session's cookie.",
        )),
    }
}

async fn secure(target: &Target) -> Verdict {
    let (signed_in, session) = signed_on(target).await?;
    match insecure(&session) {
        None => Ok(()),
        Some(cookie) => Err(signed_in.response.fault(
            format!("The cookie {} is not Secure.", cookie.name()),
            "Set Secure on the session's cookie wherever the site is reached by https.",
        )),
    }
}

fn insecure(session: &[Cookie]) -> Option<&Cookie> {
    session.iter().find(|cookie| !cookie.is_secure())
}

async fn starts_anew(target: &Target) -> Verdict {
    let (_, session) = signed_on(target).await?;
    let (resource, others) = (target.shared_resource().await?, target.ready_resource().await?);
    let other = target.signed_in(&others).await?;
    for cookie in &session {
        let theirs = other.response.cookie(cookie.name());
        let theirs = theirs.as_ref().map(|theirs| ("the one of somebody else's session", theirs.value()));
        for (what, planted) in [("made up", "planted-by-somebody-else")].into_iter().chain(theirs) {
            let mut visitor = target.visitor()?;
            visitor.set_cookie(cookie.name(), planted);
            let signed_in = target.sign_in(visitor, target.sso_form(&resource)?).await?;
            if must_be_signed_in(&signed_in).is_err() {
                continue; // a cookie that cannot be read may well be refused
            }
            if signed_in.visitor.cookie(cookie.name()).is_none_or(|now| now.value() == planted) {
                return Err(signed_in.response.fault(
                    format!("The browser came with a cookie {} that was {what}, and goes on with it.", cookie.name()),
                    "At login empty the session, give it a new id, and only then put in who signed on.",
                ));
            }
        }
    }
    Ok(())
}

async fn refused_opens_none(target: &Target) -> Verdict {
    let (good, _) = signed_on(target).await?;
    let resource = target.shared_resource().await?;
    let forged =
        target.sso_form(&resource)?.set("user_scoped_resource_token", "0").set("resource_token", "0").set("token", "0");
    let refused = target.sign_in(target.visitor()?, forged).await?;
    let mut visitor = refused.visitor;
    let page = target.wire.visit(visitor.get(good.page.request().url())).await?;
    if page.status() == 200 {
        return Err(page.fault(
            "The form was forged, and the dashboard opens afterwards.",
            "Look at the token before the session is touched.",
        ));
    }
    Ok(())
}

async fn redirects_at_home(target: &Target) -> Verdict {
    let (resource, _) = target.valid_form().await?;
    for url in ["https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example/"] {
        let names = ["redirect", "redirect_to", "redirect_uri", "return_to", "return", "next", "url", "path", "goto"];
        let form = names.into_iter().fold(target.sso_form(&resource)?, |form, name| form.set(name, url));
        let response = target.post(form).await?.to(format!("a form that asks to be led to {url}"));
        if response.location().is_some_and(leads_elsewhere) {
            return Err(response.fault(
                "A field of the form, which is signed by nothing, leads people off this site.",
                "Redirect to paths of your own, whatever the form says.",
            ));
        }
    }
    Ok(())
}

/// As browsers read it: a backslash is a slash to them. What stands in a path or a query leads nowhere.
fn leads_elsewhere(location: &str) -> bool {
    let location = location.trim().replace('\\', "/");
    let rest = location.strip_prefix("https:").or_else(|| location.strip_prefix("http:")).unwrap_or(&location);
    rest.starts_with("//") && rest.trim_start_matches('/').starts_with("elsewhere.example")
}

async fn no_header_injection(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    let form = form.set("nav-data", "e30\r\nSet-Cookie: injected=1\r\nX-Injected: 1");
    let response = target.post(form).await?.to("nav-data with line breaks in it");
    if response.cookie("injected").is_some() || response.header("x-injected").is_some() {
        return Err(response.fault(
            "A line break in nav-data has become a header of the answer.",
            "Let nav-data become a cookie only if it is base64url: A-Z, a-z, 0-9, -, _ and =.",
        ));
    }
    if response.is_server_error() {
        return Err(response.wrong_status("302 or 403", "Leave the cookie out when nav-data cannot be one."));
    }
    Ok(())
}

async fn nav_data(target: &Target) -> Verdict {
    let resource = target.shared_resource().await?;
    let form = target.sso_form(&resource)?;
    let sent = form.fields().into_iter().find(|(name, _)| name == "nav-data").map(|(_, value)| value);
    let signed_in = target.sign_in(target.visitor()?, form).await?;
    if must_be_signed_in(&signed_in).is_err() {
        return Err(Stop::skipped("a good token does not let in (see heroku.sso-token.lets-in)"));
    }
    let advice = "Nothing has to be done, unless the page shows Heroku's old header: then set the cookie with Path=/.";
    match signed_in.response.cookie(NAV) {
        None => Err(signed_in.response.fault("No cookie named heroku-nav-data is set.", advice)),
        Some(cookie) if sent.as_deref() != Some(cookie.value()) => {
            Err(signed_in.response.fault("The cookie heroku-nav-data is not what was sent.", advice))
        }
        Some(cookie) if cookie.path() != Some("/") => {
            Err(signed_in.response.fault("The cookie heroku-nav-data does not have Path=/.", advice))
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cookie, insecure, leads_elsewhere};

    #[test]
    fn every_cookie_of_the_session_has_to_be_secure() {
        let cookies =
            |headers: &[&str]| headers.iter().filter_map(|header| header.parse::<Cookie>().ok()).collect::<Vec<_>>();
        assert!(insecure(&cookies(&["a=1; Secure; Path=/", "b=2; path=/; secure"])).is_none());
        let odd = cookies(&["a=1; Secure", "a.sig=2; Path=/"]);
        assert_eq!(insecure(&odd).map(Cookie::name), Some("a.sig"));
    }

    #[test]
    fn a_redirect_leads_where_a_browser_would_go() {
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
