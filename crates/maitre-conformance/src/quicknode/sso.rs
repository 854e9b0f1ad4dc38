//! Single sign-on by a link with a JWT.

use maitre_testkit::{Call, JwtLink};
use serde_json::json;

use super::deprovision::deprovisioned;
use super::target::{Endpoint, Target};
use super::{checker, practice, skip_unless_ok, sso_guide};
use crate::check::{Case, Citation};
use crate::verdict::{Stop, Verdict};

const TOKEN: Citation = sso_guide("HS256 with the vendor's JWT secret");
const AGE: Citation = practice("a token in a URL is a secret that should expire soon");

const ADVICE: &str =
    "Verify the JWT with HS256 and the JWT secret, used as text; exp is optional. Answer 401 otherwise.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("quicknode.sso.opens", "A link of the portal opens a page, without exp.", TOKEN, |target| {
        Box::pin(opens(target, |link| link))
    }),
    Case::must(
        "quicknode.sso.tool",
        "A link of the checker opens a page, with exp and without jti.",
        checker("exp is ten minutes after iat, and the page is 200 without cookies"),
        |target| {
            Box::pin(opens(target, |link| {
                link.header_field("typ", "JWT").without("jti").set("exp", Target::now() + 600)
            }))
        },
    ),
    Case::must("quicknode.sso.no-token", "A link without a token is refused.", TOKEN, |target| {
        Box::pin(refused(target, Call::without_token))
    }),
    Case::must("quicknode.sso.other-key", "A token that is signed with another key is refused.", TOKEN, |target| {
        Box::pin(refused(target, |link| link.secret("another-secret")))
    }),
    Case::must("quicknode.sso.forged", "A token with another signature is refused.", TOKEN, |target| {
        Box::pin(refused(target, Call::forged))
    }),
    Case::must("quicknode.sso.unsigned", "A token with the algorithm none is refused.", TOKEN, |target| {
        Box::pin(refused(target, |link| link.header_field("alg", "none").unsigned()))
    }),
    Case::must("quicknode.sso.algorithm", "A token of another algorithm is refused.", TOKEN, |target| {
        Box::pin(refused(target, |link| link.header_field("alg", "RS256")))
    }),
    Case::should("quicknode.sso.old", "A token of yesterday is refused.", AGE, |target| {
        Box::pin(refused(target, |link| link.set("iat", Target::now() - 86_400)))
    }),
    Case::should("quicknode.sso.early", "A token of tomorrow is refused.", AGE, |target| {
        Box::pin(refused(target, |link| link.set("iat", Target::now() + 86_400)))
    }),
    Case::should("quicknode.sso.expired", "A token after its exp is refused.", AGE, |target| {
        Box::pin(refused(target, |link| link.set("iat", Target::now() - 3_600).set("exp", Target::now() - 3_000)))
    }),
    Case::should("quicknode.sso.used", "A token is accepted once.", AGE, |target| Box::pin(used(target))),
    Case::should(
        "quicknode.sso.unknown-account",
        "A token of an unknown account is refused.",
        practice("401, as in QuickNode's starters"),
        |target| Box::pin(unknown_account(target)),
    ),
    Case::should(
        "quicknode.sso.deprovisioned",
        "A token of a deprovisioned account is refused.",
        practice("401, as in QuickNode's starters"),
        |target| Box::pin(deprovisioned_account(target)),
    ),
    Case::should(
        "quicknode.sso.no-referrer",
        "The response to a link has Referrer-Policy: no-referrer.",
        practice("the token is in the URL, which is sent as the referrer"),
        |target| Box::pin(no_referrer(target)),
    ),
];

async fn opens(target: &Target, change: fn(Call<JwtLink>) -> Call<JwtLink>) -> Verdict {
    let endpoint = target.new_endpoint().await?;
    let response = target.open(change(target.link(&endpoint.account))).await?;
    let advice = "Answer 200, also after redirects without cookies: send a page that sets the session and moves on. A token \
                  need not have exp.";
    response.must_be(&[200], advice).map(drop)
}

/// Returns an endpoint whose tokens are accepted; skips the check if they are not.
async fn endpoint(target: &Target) -> Result<Endpoint, Stop> {
    let endpoint = target.new_endpoint().await?;
    skip_unless_ok(&target.open(target.link(&endpoint.account)).await?, "a valid token", "sso.opens")?;
    Ok(endpoint)
}

async fn must_refuse(target: &Target, link: Call<JwtLink>) -> Verdict {
    target.wire.send(link).await?.must_be(&[400, 401, 403, 404], ADVICE).map(drop)
}

async fn refused(target: &Target, forge: fn(Call<JwtLink>) -> Call<JwtLink>) -> Verdict {
    let endpoint = endpoint(target).await?;
    must_refuse(target, forge(target.link(&endpoint.account))).await
}

async fn used(target: &Target) -> Verdict {
    let endpoint = endpoint(target).await?;
    let link = target.link(&endpoint.account).set("jti", json!(target.quicknode.new_endpoint()));
    target.wire.send(link.clone()).await?;
    must_refuse(target, link).await
}

async fn unknown_account(target: &Target) -> Verdict {
    endpoint(target).await?;
    must_refuse(target, target.link(&target.new_ids().account)).await
}

async fn deprovisioned_account(target: &Target) -> Verdict {
    let endpoint = endpoint(target).await?;
    deprovisioned(target, &endpoint).await?;
    must_refuse(target, target.link(&endpoint.account)).await
}

async fn no_referrer(target: &Target) -> Verdict {
    let endpoint = endpoint(target).await?;
    let response = target.wire.send(target.link(&endpoint.account)).await?;
    match response.header("referrer-policy") {
        Some("no-referrer") => Ok(()),
        _ => Err(response.fault("The response has no Referrer-Policy: no-referrer.", "Send this header.")),
    }
}
