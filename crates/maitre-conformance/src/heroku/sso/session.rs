//! Session opened by a sign-on.

use maitre_testkit::Cookie;
use time::OffsetDateTime;

use super::forms::forged;
use super::sign_in::NEEDS;
use crate::check::{Capability, Case};
use crate::heroku::citation;
use crate::heroku::target::Target;
use crate::sign_on::{ELSEWHERE, REDIRECT_FIELDS, SignedIn, leads_elsewhere, must_be_signed_in};
use crate::verdict::{Stop, Verdict};

const NAV: &str = "heroku-nav-data";

pub(in crate::heroku) const CASES: &[Case<Target>] = &[
    Case::should(
        "heroku.sso-session.http-only",
        "The session cookie is HttpOnly.",
        citation::rfc(6265, "HttpOnly keeps a cookie from scripts"),
        |target| Box::pin(http_only(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-session.secure",
        "The session cookie is Secure.",
        citation::rfc(6265, "Secure keeps a cookie from plain HTTP"),
        |target| Box::pin(secure(target)),
    )
    .needs(&[Capability::SingleSignOn, Capability::Https]),
    Case::should(
        "heroku.sso-session.starts-anew",
        "A sign-on starts a new session, even if the browser sends one.",
        citation::practice("otherwise an attacker who planted a cookie would share the session (session fixation)"),
        |target| Box::pin(starts_anew(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-session.refused-opens-none",
        "A refused sign-on does not open a session.",
        citation::practice("a session requires a valid token"),
        |target| Box::pin(refused_opens_none(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-session.redirects-at-home",
        "A field of the form does not determine the redirect.",
        citation::practice("an unsigned field must not determine a redirect"),
        |target| Box::pin(redirects_at_home(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-session.no-header-injection",
        "Line breaks in a field do not create headers.",
        citation::practice("nav-data is not signed"),
        |target| Box::pin(no_header_injection(target)),
    )
    .needs(NEEDS),
    Case::info(
        "heroku.sso-session.nav-data",
        "The cookie heroku-nav-data contains nav-data and applies to the whole site.",
        citation::kensa("cookie heroku-nav-data equal to nav-data; deprecated"),
        |target| Box::pin(nav_data(target)),
    )
    .needs(NEEDS),
];

/// Returns the cookies that the page requires, which are the session.
async fn session_cookies(target: &Target, signed_in: &SignedIn) -> Result<Vec<Cookie>, Stop> {
    let now = OffsetDateTime::now_utc();
    let set: Vec<_> =
        signed_in.response.cookies().filter(|cookie| cookie.name() != NAV && !cookie.is_removal(now)).collect();
    if set.is_empty() {
        return Err(Stop::skipped("the sign-on sets no cookie"));
    }
    if signed_in.page.status() != 200 || signed_in.page.request().method() != "GET" {
        return Err(Stop::skipped("the page after the sign-on could not be fetched"));
    }
    let url = signed_in.page.request().url().to_owned();
    let mut required = Vec::new();
    for (index, cookie) in set.iter().enumerate() {
        let mut without = target.browser()?;
        let others = set.iter().enumerate().filter(|(other, _)| *other != index);
        others.for_each(|(_, other)| without.set_cookie(other.name(), other.value()));
        if target.wire.visit(without.get(&url)).await?.status() != 200 {
            required.push(cookie.clone());
        }
    }
    if required.is_empty() {
        return Err(Stop::skipped("the page after the sign-on is public, so the session cookie cannot be determined"));
    }
    Ok(required)
}

async fn signed_on(target: &Target) -> Result<(SignedIn, Vec<Cookie>), Stop> {
    let resource = target.shared_resource().await?;
    let signed_in = target.signed_in(&resource).await?;
    let session = session_cookies(target, &signed_in).await?;
    Ok((signed_in, session))
}

async fn http_only(target: &Target) -> Verdict {
    let (signed_in, session) = signed_on(target).await?;
    match session.iter().find(|cookie| !cookie.is_http_only()) {
        None => Ok(()),
        Some(cookie) => Err(signed_in.response.fault(
            format!("The cookie {} is not HttpOnly: any script on the page can read it.", cookie.name()),
            "Set HttpOnly on the session cookie.",
        )),
    }
}

async fn secure(target: &Target) -> Verdict {
    let (signed_in, session) = signed_on(target).await?;
    match insecure(&session) {
        None => Ok(()),
        Some(cookie) => Err(signed_in.response.fault(
            format!("The cookie {} is not Secure.", cookie.name()),
            "Set Secure on the session cookie if the site uses https.",
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
        let other_value = other.response.cookie(cookie.name());
        let other_value = other_value.as_ref().map(|cookie| ("of another session", cookie.value()));
        for (description, planted) in [("invented", "planted-by-an-attacker")].into_iter().chain(other_value) {
            let mut browser = target.browser()?;
            browser.set_cookie(cookie.name(), planted);
            let signed_in = target.sign_in(browser, target.sso_form(&resource)?).await?;
            if must_be_signed_in(&signed_in, "").is_err() {
                continue; // an invalid cookie may be refused
            }
            if signed_in.browser.cookie(cookie.name()).is_none_or(|now| now.value() == planted) {
                return Err(signed_in.response.fault(
                    format!(
                        "The browser sent a cookie {} ({description}), and the session continues with it.",
                        cookie.name()
                    ),
                    "On sign-on, clear the session and give it a new id before you store the user.",
                ));
            }
        }
    }
    Ok(())
}

async fn refused_opens_none(target: &Target) -> Verdict {
    let (valid, _) = signed_on(target).await?;
    let resource = target.shared_resource().await?;
    let refused = target.sign_in(target.browser()?, forged(target.sso_form(&resource)?)).await?;
    let mut browser = refused.browser;
    let page = target.wire.visit(browser.get(valid.page.request().url())).await?;
    if page.status() == 200 {
        return Err(
            page.fault("The dashboard opens after a forged form.", "Check the token before you modify the session.")
        );
    }
    Ok(())
}

async fn redirects_at_home(target: &Target) -> Verdict {
    let (resource, _) = target.valid_form().await?;
    for url in ELSEWHERE {
        let form = REDIRECT_FIELDS.into_iter().fold(target.sso_form(&resource)?, |form, name| form.set(name, url));
        let response = target.post(form).await?.to(format!("a form with a redirect to {url}"));
        if response.location().is_some_and(leads_elsewhere) {
            return Err(response.fault(
                "An unsigned field of the form redirects to another site.",
                "Only redirect to your own paths, whatever the form contains.",
            ));
        }
    }
    Ok(())
}

async fn no_header_injection(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    let form = form.set("nav-data", "e30\r\nSet-Cookie: injected=1\r\nX-Injected: 1");
    let response = target.post(form).await?.to("nav-data with line breaks");
    if response.cookie("injected").is_some() || response.header("x-injected").is_some() {
        return Err(response.fault(
            "A line break in nav-data created a header of the response.",
            "Only set the cookie if nav-data is base64url: A-Z, a-z, 0-9, -, _ and =.",
        ));
    }
    if response.is_server_error() {
        return Err(response.wrong_status("302 or 403", "Omit the cookie if nav-data is not a valid cookie value."));
    }
    Ok(())
}

async fn nav_data(target: &Target) -> Verdict {
    let resource = target.shared_resource().await?;
    let form = target.sso_form(&resource)?;
    let sent = form.fields().into_iter().find(|(name, _)| name == "nav-data").map(|(_, value)| value);
    let signed_in = target.require_sign_in(form).await?;
    let advice = "No action is required, unless the page shows Heroku's old header: then set the cookie with Path=/.";
    match signed_in.response.cookie(NAV) {
        None => Err(signed_in.response.fault("The cookie heroku-nav-data is not set.", advice)),
        Some(cookie) if sent.as_deref() != Some(cookie.value()) => {
            Err(signed_in.response.fault("The cookie heroku-nav-data differs from nav-data.", advice))
        }
        Some(cookie) if cookie.path() != Some("/") => {
            Err(signed_in.response.fault("The cookie heroku-nav-data does not have Path=/.", advice))
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cookie, insecure};

    #[test]
    fn every_session_cookie_must_be_secure() {
        let cookies =
            |headers: &[&str]| headers.iter().filter_map(|header| header.parse::<Cookie>().ok()).collect::<Vec<_>>();
        assert!(insecure(&cookies(&["a=1; Secure; Path=/", "b=2; path=/; secure"])).is_none());
        let mixed = cookies(&["a=1; Secure", "a.sig=2; Path=/"]);
        assert_eq!(insecure(&mixed).map(Cookie::name), Some("a.sig"));
    }
}
