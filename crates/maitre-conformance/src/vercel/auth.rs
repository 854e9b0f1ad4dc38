//! A token on every route.

use maitre_testkit::{Call, Json};

use super::citation::{authentication, practice, reference};
use super::rules::REFUSED;
use super::target::{Resource, Target};
use crate::check::{Case, Citation};
use crate::verdict::Verdict;

const EVERY: Citation = reference("every call has a bearer token; 403 to a request without a valid one");
const SCHEME: Citation = Citation { source: crate::check::Source::Rfc(9110), summary: "schemes are case-insensitive" };

const ADVICE: &str = "Verify the token of every request before anything else, and answer 403 without a valid one.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "vercel.auth.accepted",
        "A valid token is accepted.",
        authentication("RS256, by the key set"),
        |target| Box::pin(accepted(target)),
    ),
    Case::must("vercel.auth.install", "An installation needs a valid token.", EVERY, |target| {
        Box::pin(refused(target, |target, resource| target.vercel.install(&resource.installation)))
    }),
    Case::must("vercel.auth.uninstall", "An uninstallation needs a valid token.", EVERY, |target| {
        Box::pin(refused(target, |target, resource| target.vercel.uninstall(&resource.installation)))
    }),
    Case::must("vercel.auth.provision", "A provision needs a valid token.", EVERY, |target| {
        Box::pin(refused(target, |target, resource| target.provision(&resource.installation)))
    }),
    Case::must("vercel.auth.read", "A read of a resource needs a valid token.", EVERY, |target| {
        Box::pin(refused(target, Target::read))
    }),
    Case::must("vercel.auth.deprovision", "A deprovision needs a valid token.", EVERY, |target| {
        Box::pin(refused(target, Target::deprovision))
    }),
    Case::must("vercel.auth.plans", "A list of a product's plans needs a valid token.", EVERY, |target| {
        Box::pin(refused(target, |target, _| target.vercel.product_plans(&target.product, None)))
    }),
    Case::must("vercel.auth.read-installation", "A read of an installation needs a valid token.", EVERY, |target| {
        Box::pin(optional(target, |target, resource| target.vercel.installation(&resource.installation)))
    }),
    Case::must("vercel.auth.update", "A change of a resource needs a valid token.", EVERY, |target| {
        Box::pin(optional(target, |target, resource| target.rename(resource, "renamed")))
    }),
    Case::must("vercel.auth.rotate", "A rotation needs a valid token.", EVERY, |target| {
        Box::pin(optional(target, Target::rotate))
    }),
    Case::should("vercel.auth.scheme-in-any-case", "The scheme is accepted in any case.", SCHEME, |target| {
        Box::pin(scheme_in_any_case(target))
    }),
    Case::must("vercel.auth.other-scheme", "A token of another scheme is refused.", EVERY, |target| {
        Box::pin(refused_with(target, |token| format!("Basic {token}")))
    }),
    Case::should(
        "vercel.auth.garbage",
        "Texts that are not tokens are refused.",
        practice("no input causes a server error"),
        |target| Box::pin(garbage(target)),
    ),
    Case::should(
        "vercel.auth.before-body",
        "A body that is not JSON is refused like any other without a token.",
        practice("nothing of the body is used before the signature holds"),
        |target| Box::pin(before_body(target)),
    ),
    Case::must("vercel.auth.no-effect", "A deprovision with a forged token has no effect.", EVERY, |target| {
        Box::pin(no_effect(target))
    }),
];

async fn accepted(target: &Target) -> Verdict {
    let installation = target.new_installation();
    let response = target.wire.send(target.vercel.install(&installation)).await?;
    let url = target.platform_url();
    let advice = format!(
        "Take the issuer, the URL of the key set and the API from settings, and start the add-on with {url} as issuer (the key \
         set is {url}/.well-known/jwks, as {url}/.well-known/openid-configuration says) and with the integration's id as \
         audience."
    );
    response.must_succeed("a success", &advice)
}

/// Sends a request without a token and with one of another key.
async fn forged(target: &Target, call: fn(&Target, &Resource) -> Call<Json>, statuses: &[u16]) -> Verdict {
    let resource = target.new_resource().await?;
    let token = target.token(&resource.installation).forged_by(&target.other_key).sign();
    let call = call(target, &resource);
    let without = target.wire.send(call.clone().without_credentials()).await?.to("a request without a token");
    without.must_be(statuses, ADVICE)?;
    let response = target.wire.send(call.bearer(&token)).await?.to("a request with a token of another key");
    response.must_be(statuses, ADVICE).map(drop)
}

async fn refused(target: &Target, call: fn(&Target, &Resource) -> Call<Json>) -> Verdict {
    forged(target, call, REFUSED).await
}

/// Checks a route that an add-on need not serve.
async fn optional(target: &Target, call: fn(&Target, &Resource) -> Call<Json>) -> Verdict {
    forged(target, call, &[401, 403, 404, 405, 501]).await
}

async fn scheme_in_any_case(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let header = format!("bearer {}", target.token(&resource.installation).sign());
    let response = target.wire.send(target.read(&resource).authorization(header)).await?;
    response.must_be(&[200], "Compare the scheme without regard to case.").map(drop)
}

async fn refused_with(target: &Target, header: fn(&str) -> String) -> Verdict {
    let resource = target.new_resource().await?;
    let header = header(&target.token(&resource.installation).sign());
    let response = target.wire.send(target.read(&resource).authorization(header)).await?;
    response.must_be(REFUSED, ADVICE).map(drop)
}

async fn garbage(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let headers = [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer a.b.c".to_owned(),
        "Bearer ..".to_owned(),
        "Bearer e30.e30.e30".to_owned(),
        "Bearer eyJhbGciOiJSUzI1NiJ9".to_owned(),
        format!("Bearer {}", "a".repeat(6_000)),
        format!("Bearer {}", ".".repeat(3_000)),
    ];
    for header in headers {
        let response = target.wire.send(target.read(&resource).authorization(header)).await?;
        response.must_be(&[400, 401, 403, 431], ADVICE)?;
    }
    Ok(())
}

async fn before_body(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    let call = target.provision(&installation).without_credentials().body("not JSON");
    target.wire.send(call).await?.must_be(REFUSED, ADVICE).map(drop)
}

async fn no_effect(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let token = target.token(&resource.installation).forged_by(&target.other_key).sign();
    target.wire.send(target.deprovision(&resource).bearer(&token)).await?;
    target.must_exist(&resource, true, "after a deprovision with a forged token").await
}
