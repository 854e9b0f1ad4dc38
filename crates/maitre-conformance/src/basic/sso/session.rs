//! Session opened by a sign-on.

use super::variation;
use crate::basic::case::case;
use crate::basic::contract::{BasicMarketplace, Clause};
use crate::basic::forms::{Form, forged};
use crate::basic::target::Target;
use crate::check::Case;
use crate::sign_on::{ELSEWHERE, REDIRECT_FIELDS, leads_elsewhere, must_be_signed_in};
use crate::verdict::{Stop, Verdict};

pub(in crate::basic) fn cases<M: BasicMarketplace>() -> Vec<Case<Target<M>>> {
    vec![
        case(
            "sso-session.http-only",
            "The cookies of a sign-on are HttpOnly.",
            Clause::rfc(6265, "HttpOnly keeps a cookie from scripts"),
            |target| Box::pin(http_only(target)),
        ),
        case(
            "sso-session.refused-opens-none",
            "A refused sign-on does not open a session.",
            Clause::practice("a session requires a valid token"),
            |target| Box::pin(refused_opens_none(target)),
        ),
        case(
            "sso-session.starts-anew",
            "A sign-on starts a new session, even if the browser sends one.",
            Clause::practice("otherwise an attacker who planted a cookie would share the session (session fixation)"),
            |target| Box::pin(starts_anew(target)),
        ),
        case(
            "sso-session.redirects-at-home",
            "An unsigned field does not determine the redirect.",
            Clause::practice("an unsigned field must not determine a redirect"),
            |target| Box::pin(redirects_at_home(target)),
        ),
    ]
}

async fn http_only<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let resource = target.shared_resource().await?;
    let signed_in = target.require_sign_in(&target.sign_on_to(&resource)).await?;
    match signed_in.response.cookies().find(|cookie| !cookie.is_http_only()) {
        None => Ok(()),
        Some(cookie) => Err(signed_in.response.fault(
            format!("The cookie {} is not HttpOnly: any script on the page can read it.", cookie.name()),
            "Set HttpOnly on the session cookie.",
        )),
    }
}

async fn refused_opens_none<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let resource = target.resource_to_sign_on().await?;
    let valid = target.require_sign_in(&target.sign_on_to(&resource)).await?;
    let page = valid.page.request().url().to_owned();
    if target.wire.visit(target.browser().get(&page)).await?.status() == 200 {
        return Err(Stop::skipped("the page after the sign-on is public"));
    }
    let mut refused = target.sign_in(&forged(M::CONTRACT.sso.token, target.sign_on_to(&resource))).await?;
    let response = target.wire.visit(refused.browser.get(&page)).await?;
    if response.status() == 200 {
        return Err(response
            .fault("The dashboard opens after a forged token.", "Check the token before you modify the session."));
    }
    Ok(())
}

async fn starts_anew<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    const PLANTED: &str = "planted-by-an-attacker";
    let resource = target.resource_to_sign_on().await?;
    let valid = target.require_sign_in(&target.sign_on_to(&resource)).await?;
    for cookie in valid.response.cookies() {
        let mut browser = target.browser();
        browser.set_cookie(cookie.name(), PLANTED);
        let form = target.sign_on_to(&resource);
        let signed_in = target.addon.sso.sign_in(&target.wire, browser, &form).await?;
        if must_be_signed_in(&signed_in, "").is_err() {
            continue; // an invalid cookie may be refused
        }
        if signed_in.browser.cookie(cookie.name()).is_none_or(|now| now.value() == PLANTED) {
            return Err(signed_in.response.fault(
                format!("The browser sent a cookie {}, and the session continues with it.", cookie.name()),
                "On sign-on, clear the session and give it a new id before you store the user.",
            ));
        }
    }
    Ok(())
}

async fn redirects_at_home<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let advice = "Only redirect to your own paths, whatever the request contains.";
    for url in ELSEWHERE {
        let change = |form: Form| REDIRECT_FIELDS.into_iter().fold(form, |form, name| form.set(name, url));
        let response = variation(target, change, "a sign-on with a redirect", advice).await?;
        if response.location().is_some_and(leads_elsewhere) {
            return Err(response.fault("An unsigned field redirects to another site.", advice));
        }
    }
    Ok(())
}
