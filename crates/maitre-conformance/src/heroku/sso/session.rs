//! The session that a sign-on opens.

use maitre_testkit::Cookie;
use time::OffsetDateTime;

use super::NEEDS;
use crate::check::{Capability, Case};
use crate::heroku::{Subject, clause};
use crate::sign_on::{Entered, must_be_in};
use crate::verdict::{Stop, Verdict};

const NAV: &str = "heroku-nav-data";

pub(in crate::heroku) const CASES: &[Case<Subject>] = &[
    Case::should(
        "heroku.sso-session.http-only",
        "Scripts cannot read the session's cookie.",
        clause::rfc(6265, "HttpOnly keeps a cookie from scripts"),
        |it| Box::pin(http_only(it)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-session.secure",
        "The session's cookie does not go over plain HTTP.",
        clause::rfc(6265, "Secure keeps a cookie from plain HTTP"),
        |it| Box::pin(secure(it)),
    )
    .needs(&[Capability::SingleSignOn, Capability::Https]),
    Case::should(
        "heroku.sso-session.starts-anew",
        "A session that the browser brought along is not gone on with.",
        clause::practice("whoever planted a cookie would be signed in with its owner"),
        |it| Box::pin(starts_anew(it)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-session.refused-opens-none",
        "A refused sign-on leaves the browser without a session.",
        clause::practice("whoever has no good token gets no session"),
        |it| Box::pin(refused_opens_none(it)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-session.redirects-at-home",
        "Nobody is redirected to where a field of the form says.",
        clause::practice("no field that is not signed decides where people go"),
        |it| Box::pin(redirects_at_home(it)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-session.no-header-injection",
        "Line breaks in a field do not become headers.",
        clause::practice("nav-data is signed by nothing"),
        |it| Box::pin(no_header_injection(it)),
    )
    .needs(NEEDS),
    Case::info(
        "heroku.sso-session.nav-data",
        "The cookie heroku-nav-data holds what Heroku sent, for the whole site.",
        clause::kensa("cookie heroku-nav-data equal to nav-data; deprecated"),
        |it| Box::pin(nav_data(it)),
    )
    .needs(NEEDS),
];

/// The cookies without which the page is not shown: the session, whatever it is called.
async fn session(it: &Subject, entered: &Entered) -> Result<Vec<Cookie>, Stop> {
    let now = OffsetDateTime::now_utc();
    let set: Vec<_> = entered.answer.cookies().filter(|it| it.name() != NAV && !it.is_removal(now)).collect();
    if set.is_empty() {
        return Err(Stop::skipped("signing on sets no cookie"));
    }
    if entered.page.status() != 200 || entered.page.request().method() != "GET" {
        return Err(Stop::skipped("the page that it leads to could not be looked at"));
    }
    let url = entered.page.request().url().to_owned();
    let mut needed = Vec::new();
    for (place, cookie) in set.iter().enumerate() {
        let mut without = it.visitor()?;
        let others = set.iter().enumerate().filter(|(other, _)| *other != place);
        others.for_each(|(_, other)| without.plant(other.name(), other.value()));
        if it.wire.visit(without.get(&url)).await?.status() != 200 {
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

async fn signed_on(it: &Subject) -> Result<(Entered, Vec<Cookie>), Stop> {
    let resource = it.shared().await?;
    let entered = it.entered(&resource).await?;
    let session = session(it, &entered).await?;
    Ok((entered, session))
}

async fn http_only(it: &Subject) -> Verdict {
    let (entered, session) = signed_on(it).await?;
    match session.iter().find(|cookie| !cookie.is_http_only()) {
        None => Ok(()),
        Some(cookie) => Err(entered.answer.fault(
            format!("The cookie {} is not HttpOnly: any script on the page can take it away.", cookie.name()),
            "Set HttpOnly on the session's cookie.",
        )),
    }
}

async fn secure(it: &Subject) -> Verdict {
    let (entered, session) = signed_on(it).await?;
    match insecure(&session) {
        None => Ok(()),
        Some(cookie) => Err(entered.answer.fault(
            format!("The cookie {} is not Secure.", cookie.name()),
            "Set Secure on the session's cookie wherever the site is reached by https.",
        )),
    }
}

fn insecure(session: &[Cookie]) -> Option<&Cookie> {
    session.iter().find(|cookie| !cookie.is_secure())
}

async fn starts_anew(it: &Subject) -> Verdict {
    let (_, session) = signed_on(it).await?;
    let (resource, others) = (it.shared().await?, it.own().await?);
    let other = it.entered(&others).await?;
    for cookie in &session {
        let theirs = other.answer.cookie(cookie.name());
        let theirs = theirs.as_ref().map(|theirs| ("the one of somebody else's session", theirs.value()));
        for (what, planted) in [("made up", "planted-by-somebody-else")].into_iter().chain(theirs) {
            let mut visitor = it.visitor()?;
            visitor.plant(cookie.name(), planted);
            let entered = it.enter(visitor, it.form(&resource)?).await?;
            if must_be_in(&entered).is_err() {
                continue; // a cookie that cannot be read may well be refused
            }
            if entered.visitor.cookie(cookie.name()).is_none_or(|now| now.value() == planted) {
                return Err(entered.answer.fault(
                    format!("The browser came with a cookie {} that was {what}, and goes on with it.", cookie.name()),
                    "At login empty the session, give it a new id, and only then put in who signed on.",
                ));
            }
        }
    }
    Ok(())
}

async fn refused_opens_none(it: &Subject) -> Verdict {
    let (good, _) = signed_on(it).await?;
    let resource = it.shared().await?;
    let forged =
        it.form(&resource)?.set("user_scoped_resource_token", "0").set("resource_token", "0").set("token", "0");
    let refused = it.enter(it.visitor()?, forged).await?;
    let mut visitor = refused.visitor;
    let page = it.wire.visit(visitor.get(good.page.request().url())).await?;
    if page.status() == 200 {
        return Err(page.fault(
            "The form was forged, and the dashboard opens afterwards.",
            "Look at the token before the session is touched.",
        ));
    }
    Ok(())
}

async fn redirects_at_home(it: &Subject) -> Verdict {
    let (resource, _) = it.good_form().await?;
    for target in ["https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example/"] {
        let names = ["redirect", "redirect_to", "redirect_uri", "return_to", "return", "next", "url", "path", "goto"];
        let form = names.into_iter().fold(it.form(&resource)?, |form, name| form.set(name, target));
        let seen = it.post(form).await?.to(format!("a form that asks to be led to {target}"));
        if seen.location().is_some_and(leads_elsewhere) {
            return Err(seen.fault(
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

async fn no_header_injection(it: &Subject) -> Verdict {
    let (_, form) = it.good_form().await?;
    let form = form.set("nav-data", "e30\r\nSet-Cookie: injected=1\r\nX-Injected: 1");
    let seen = it.post(form).await?.to("nav-data with line breaks in it");
    if seen.cookie("injected").is_some() || seen.header("x-injected").is_some() {
        return Err(seen.fault(
            "A line break in nav-data has become a header of the answer.",
            "Let nav-data become a cookie only if it is base64url: A-Z, a-z, 0-9, -, _ and =.",
        ));
    }
    if seen.is_server_error() {
        return Err(seen.wrong_status("302 or 403", "Leave the cookie out when nav-data cannot be one."));
    }
    Ok(())
}

async fn nav_data(it: &Subject) -> Verdict {
    let resource = it.shared().await?;
    let form = it.form(&resource)?;
    let sent = form.fields().into_iter().find(|(name, _)| name == "nav-data").map(|(_, value)| value);
    let entered = it.enter(it.visitor()?, form).await?;
    if must_be_in(&entered).is_err() {
        return Err(Stop::skipped("a good token does not let in (see heroku.sso-token.lets-in)"));
    }
    let advice = "Nothing has to be done, unless the page shows Heroku's old header: then set the cookie with Path=/.";
    match entered.answer.cookie(NAV) {
        None => Err(entered.answer.fault("No cookie named heroku-nav-data is set.", advice)),
        Some(cookie) if sent.as_deref() != Some(cookie.value()) => {
            Err(entered.answer.fault("The cookie heroku-nav-data is not what was sent.", advice))
        }
        Some(cookie) if cookie.path() != Some("/") => {
            Err(entered.answer.fault("The cookie heroku-nav-data does not have Path=/.", advice))
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cookie, insecure, leads_elsewhere};

    #[test]
    fn every_cookie_of_the_session_has_to_be_secure() {
        let cookies = |headers: &[&str]| headers.iter().filter_map(|it| Cookie::parse(it)).collect::<Vec<_>>();
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
