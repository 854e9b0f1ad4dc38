//! The claims of a token.

use maitre_testkit::vercel::Token;
use serde_json::{Value, json};

use super::citation::{authentication, example, practice};
use super::rules::{PROVISIONED, REFUSED};
use super::target::Target;
use crate::check::{Case, Citation};
use crate::verdict::Verdict;

const ISSUER: Citation = authentication("iss is the issuer");
const AUDIENCE: Citation = authentication("aud is the integration's id");
const EXPIRY: Citation = example("exp is required and in the future");
const OPTIONAL: Citation = authentication("type, user_email, user_name and user_avatar_url are optional");

const ADVICE: &str = "Compare iss with the issuer, aud with the integration's id and exp with the clock; answer 403.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.claims.issuer", "A token of another issuer is refused.", ISSUER, |target| {
        Box::pin(refused(target, |token| token.claim("iss", "https://marketplace.elsewhere.example")))
    }),
    Case::must("vercel.claims.no-issuer", "A token without an issuer is refused.", ISSUER, |target| {
        Box::pin(refused(target, |token| token.without_claim("iss")))
    }),
    Case::must("vercel.claims.audience", "A token for another integration is refused.", AUDIENCE, |target| {
        Box::pin(refused(target, |token| token.claim("aud", "oac_of_another_vendor")))
    }),
    Case::must("vercel.claims.no-audience", "A token without an audience is refused.", AUDIENCE, |target| {
        Box::pin(refused(target, |token| token.without_claim("aud")))
    }),
    Case::must("vercel.claims.expired", "An expired token is refused.", EXPIRY, |target| {
        Box::pin(refused(target, |token| {
            let issued = time::OffsetDateTime::now_utc() - time::Duration::hours(2);
            token.at(issued)
        }))
    }),
    Case::must("vercel.claims.no-expiry", "A token without exp is refused.", EXPIRY, |target| {
        Box::pin(refused(target, |token| token.without_claim("exp")))
    }),
    Case::should(
        "vercel.claims.not-yet",
        "A token whose nbf is in an hour is refused.",
        practice("nbf is honored where it is present"),
        |target| {
            Box::pin(refused(target, |token| {
                let later = time::OffsetDateTime::now_utc() + time::Duration::hours(1);
                token.claim("nbf", later.unix_timestamp())
            }))
        },
    ),
    Case::should(
        "vercel.claims.id-token",
        "An id token is refused on the API.",
        practice("an id token of single sign-on reaches the browser, and is not for calls"),
        |target| Box::pin(refused(target, |token| token.claim("type", "id_token"))),
    ),
    Case::must("vercel.claims.no-type", "A token without type is accepted.", OPTIONAL, |target| {
        Box::pin(accepted(target, |token| token.without_claim("type")))
    }),
    Case::must(
        "vercel.claims.no-profile",
        "A token without a user's email and name is accepted.",
        OPTIONAL,
        |target| Box::pin(accepted(target, |token| token.without_claim("user_email").without_claim("user_name"))),
    ),
    Case::should(
        "vercel.claims.unknown",
        "Unknown claims are ignored.",
        practice("some integrations receive global_user_id"),
        |target| {
            Box::pin(accepted(target, |token| {
                token.claim("global_user_id", "7").claim("a_later_claim", json!({ "a": [1, null] }))
            }))
        },
    ),
    Case::should(
        "vercel.claims.types",
        "Claims of other types are refused without a server error.",
        practice("no input causes a server error"),
        |target| Box::pin(types(target)),
    ),
];

async fn refused(target: &Target, change: fn(Token) -> Token) -> Verdict {
    let resource = target.new_resource().await?;
    let token = change(target.token(&resource.installation)).sign();
    for call in [target.read(&resource), target.provision(&resource.installation)] {
        target.wire.send(call.bearer(&token)).await?.must_be(REFUSED, ADVICE)?;
    }
    Ok(())
}

async fn accepted(target: &Target, change: fn(Token) -> Token) -> Verdict {
    let installation = target.installed().await?;
    target.resource_of(&installation).await?;
    let token = change(target.token(&installation)).sign();
    let response = target.wire.send(target.provision(&installation).bearer(&token)).await?;
    response.must_be(PROVISIONED, "Require only the claims that Vercel always sends.").map(drop)
}

async fn types(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    for (claim, value) in [
        ("aud", Value::Null),
        ("exp", json!("tomorrow")),
        ("iss", json!(7)),
        ("installation_id", json!({ "$ne": null })),
        ("installation_id", json!(["icfg_1"])),
        ("sub", json!([])),
    ] {
        let token = target.token(&resource.installation).claim(claim, value).sign();
        let response = target.wire.send(target.read(&resource).bearer(&token)).await?;
        response.to(format!("a token with a wrong type of {claim}")).must_be(REFUSED, ADVICE)?;
    }
    Ok(())
}
