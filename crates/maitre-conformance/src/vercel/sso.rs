//! Single sign-on: a code in a link is exchanged for an id token.

use maitre_testkit::Browser;
use maitre_testkit::vercel::Token;

use super::citation::{example, practice, rest};
use super::target::{Resource, Target};
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::sign_on::{ELSEWHERE, SignedIn, leads_elsewhere};
use crate::verdict::{Stop, Verdict};

const CODE: Citation = rest("the code is exchanged at /v1/integrations/sso/token, with client id and client secret");
const ID_TOKEN: Citation = practice("the id token is verified like any other token");
const FOREIGN: Citation = practice("the resource belongs to the installation of the id token");

const ADVICE: &str = "Answer 403, with a page that explains how to open the dashboard again.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.sso.opens", "A link with a code opens a page.", CODE, |target| Box::pin(opens(target, &[]))),
    Case::must("vercel.sso.exchange", "The code is exchanged with valid fields.", CODE, |target| {
        Box::pin(exchange(target))
    }),
    Case::must("vercel.sso.no-resource", "A link without resource_id opens a page.", OPTIONAL, |target| {
        Box::pin(no_resource(target))
    }),
    Case::must(
        "vercel.sso.parameters",
        "Links with path, product, invoice and support open a page.",
        OPTIONAL,
        |target| Box::pin(parameters(target)),
    ),
    Case::must("vercel.sso.no-code", "A link without a code is a client error.", example("400"), |target| {
        Box::pin(no_code(target))
    }),
    Case::must("vercel.sso.unknown-code", "A code that Vercel refuses is refused.", CODE, |target| {
        Box::pin(unknown_code(target))
    }),
    Case::must("vercel.sso.used", "A code is accepted once.", CODE, |target| Box::pin(used(target))),
    Case::should("vercel.sso.forged", "An id token of another key is refused.", ID_TOKEN, |target| {
        Box::pin(refused(target, |target, token| token.forged_by(&target.other_key)))
    }),
    Case::should("vercel.sso.audience", "An id token for another integration is refused.", ID_TOKEN, |target| {
        Box::pin(refused(target, |_, token| token.claim("aud", "oac_of_another_vendor")))
    }),
    Case::should("vercel.sso.expired", "An expired id token is refused.", ID_TOKEN, |target| {
        Box::pin(refused(target, |_, token| token.at(time::OffsetDateTime::now_utc() - time::Duration::hours(2))))
    }),
    Case::should(
        "vercel.sso.access-token",
        "An access token in place of the id token is refused.",
        ID_TOKEN,
        |target| Box::pin(refused(target, |_, token| token.claim("type", "access_token"))),
    ),
    Case::should("vercel.sso.foreign-resource", "A resource of another installation is refused.", FOREIGN, |target| {
        Box::pin(foreign_resource(target))
    }),
    Case::should("vercel.sso.unknown-resource", "An unknown resource is refused.", FOREIGN, |target| {
        Box::pin(unknown_resource(target))
    }),
    Case::should("vercel.sso.removed-resource", "A removed resource is refused.", FOREIGN, |target| {
        Box::pin(removed_resource(target))
    }),
    Case::must(
        "vercel.sso.open-redirect",
        "The parameter url does not lead to another site.",
        rest("url must be validated"),
        |target| Box::pin(open_redirect(target)),
    ),
    Case::should(
        "vercel.sso.viewer",
        "A user with the role USER signs on.",
        practice("viewers read the dashboard, too"),
        |target| Box::pin(viewer(target)),
    ),
    Case::should(
        "vercel.sso.head",
        "A HEAD request does not use the code.",
        practice("programs that show a preview of a link send HEAD"),
        |target| Box::pin(head(target)),
    ),
];

const OPTIONAL: Citation = rest("resource_id, product_id, invoice_id, path, url and support are optional");

/// Opens the link of a sign-on, and follows the redirects.
async fn open(target: &Target, token: &Token, parameters: &[(&str, &str)]) -> Result<SignedIn, Stop> {
    let url = link(target, &target.platform.new_code(token), parameters);
    target.sso.open_link(&target.wire, target.sso.browser(), &url).await
}

fn link(target: &Target, code: &str, parameters: &[(&str, &str)]) -> String {
    let mut url = format!("{}{}?mode=sso&code={code}&state=state-1", target.sso.origin, target.sso.path);
    for (name, value) in parameters {
        url.extend(["&", name, "=", &value.replace('/', "%2F").replace(':', "%3A").replace('\\', "%5C")]);
    }
    url
}

fn id_token(target: &Target, resource: &Resource) -> Token {
    target.platform.id_token(&resource.installation)
}

async fn open_resource(target: &Target, resource: &Resource, more: &[(&str, &str)]) -> Result<SignedIn, Stop> {
    let parameters = [&[("resource_id", resource.id.as_str())], more].concat();
    open(target, &id_token(target, resource), &parameters).await
}

/// Requires that a sign-on led to a page.
fn must_be_signed_in(target: &Target, signed_in: &SignedIn) -> Verdict {
    let (response, page) = (&signed_in.response, &signed_in.page);
    let url = target.platform_url();
    let advice = format!(
        "Exchange the code with POST {url}/v1/integrations/sso/token, verify the id token, begin a session and redirect to the \
         dashboard. Pass the URL with --sso-url if it is not {}{}.",
        target.sso.origin, target.sso.path
    );
    response.must_be(&[200, 302, 303, 307], &advice)?;
    if page.status() < 400 {
        return Ok(());
    }
    Err(page.fault(
        format!("The code is accepted, but the page that the redirect leads to is answered {}.", page.status()),
        "Store the session before the redirect is sent, in a cookie with Path=/ and SameSite=Lax.",
    ))
}

/// Returns a resource whose link opens a page; skips the check if it does not.
async fn openable(target: &Target) -> Result<Resource, Stop> {
    let resource = target.new_resource().await?;
    match must_be_signed_in(target, &open_resource(target, &resource, &[]).await?) {
        Err(Stop::Failed(_)) => Err(Stop::skipped("a valid link is refused (see vercel.sso.opens)")),
        other => other.map(|()| resource),
    }
}

fn must_be_refused(response: &Response) -> Verdict {
    response.must_be(&[400, 401, 403, 404], ADVICE).map(drop)
}

async fn opens(target: &Target, more: &[(&str, &str)]) -> Verdict {
    let resource = target.new_resource().await?;
    must_be_signed_in(target, &open_resource(target, &resource, more).await?)
}

async fn exchange(target: &Target) -> Verdict {
    let resource = openable(target).await?;
    let before = target.platform.calls().len();
    let signed_in = open_resource(target, &resource, &[]).await?;
    let calls = target.platform.calls();
    let mut exchanges = calls.iter().skip(before).filter(|call| call.path == "/v1/integrations/sso/token");
    match exchanges.find(|call| call.status != 200) {
        None => Ok(()),
        Some(call) => {
            let problem = call.problem.as_deref().unwrap_or("it was refused");
            let advice = "Send code, state, client_id, client_secret and grant_type=authorization_code as JSON.";
            Err(signed_in.response.fault(format!("The exchange of the code is not valid: {problem}."), advice))
        }
    }
}

async fn no_resource(target: &Target) -> Verdict {
    let resource = openable(target).await?;
    must_be_signed_in(target, &open(target, &id_token(target, &resource), &[]).await?)
}

async fn parameters(target: &Target) -> Verdict {
    openable(target).await?;
    for more in [
        [("path", "billing"), ("invoice_id", "mi_1")],
        [("path", "usage"), ("product_id", "a-product")],
        [("path", "onboarding"), ("project_id", "prj_1")],
        [("path", "a-later-page"), ("pr", "7")],
        [("path", "support"), ("support", "true")],
    ] {
        opens(target, &more).await?;
    }
    Ok(())
}

async fn no_code(target: &Target) -> Verdict {
    openable(target).await?;
    let url = format!("{}{}?mode=sso&state=state-1", target.sso.origin, target.sso.path);
    must_be_refused(&target.wire.visit(target.sso.browser().follow_link(url)).await?)
}

async fn unknown_code(target: &Target) -> Verdict {
    openable(target).await?;
    must_be_refused(&target.wire.visit(target.sso.browser().follow_link(link(target, "unknown", &[]))).await?)
}

async fn used(target: &Target) -> Verdict {
    let resource = openable(target).await?;
    let code = target.platform.new_code(&id_token(target, &resource));
    let url = link(target, &code, &[("resource_id", &resource.id)]);
    target.wire.visit(target.sso.browser().follow_link(&url)).await?;
    must_be_refused(&target.wire.visit(target.sso.browser().follow_link(&url)).await?)
}

async fn refused(target: &Target, forge: fn(&Target, Token) -> Token) -> Verdict {
    let resource = openable(target).await?;
    let token = forge(target, id_token(target, &resource));
    must_be_refused(&open(target, &token, &[("resource_id", &resource.id)]).await?.response)
}

async fn foreign_resource(target: &Target) -> Verdict {
    let (resource, other) = (openable(target).await?, target.new_resource().await?);
    must_be_refused(&open(target, &id_token(target, &other), &[("resource_id", &resource.id)]).await?.response)
}

async fn unknown_resource(target: &Target) -> Verdict {
    let resource = openable(target).await?;
    let unknown = [("resource_id", "an-unknown-resource")];
    must_be_refused(&open(target, &id_token(target, &resource), &unknown).await?.response)
}

async fn removed_resource(target: &Target) -> Verdict {
    let resource = openable(target).await?;
    super::deprovision::deprovisioned(target, &resource).await?;
    must_be_refused(&open_resource(target, &resource, &[]).await?.response)
}

async fn open_redirect(target: &Target) -> Verdict {
    let resource = openable(target).await?;
    for url in ELSEWHERE {
        let response = open_resource(target, &resource, &[("url", url)]).await?.response;
        if response.location().is_some_and(leads_elsewhere) {
            let advice = "Follow url only if its origin is on your list, and ignore it otherwise.";
            return Err(response.fault("The redirect leads to the site in url.", advice));
        }
    }
    Ok(())
}

async fn viewer(target: &Target) -> Verdict {
    let resource = openable(target).await?;
    let token = id_token(target, &resource).claim("user_role", "USER");
    must_be_signed_in(target, &open(target, &token, &[("resource_id", &resource.id)]).await?)
}

async fn head(target: &Target) -> Verdict {
    let resource = openable(target).await?;
    let code = target.platform.new_code(&id_token(target, &resource));
    let url = link(target, &code, &[("resource_id", &resource.id)]);
    target.wire.send(target.vercel.raw("HEAD", &url)).await?;
    let browser: Browser = target.sso.browser();
    must_be_signed_in(target, &target.sso.open_link(&target.wire, browser, &url).await?)
}
