//! Verification of tokens.

use super::{forgery, must_be_refused, must_not_be_signed_in, variation};
use crate::basic::case::case;
use crate::basic::contract::{BasicMarketplace, Clause};
use crate::basic::forms::{Form, field, forged};
use crate::basic::target::Target;
use crate::check::Case;
use crate::sign_on::must_be_signed_in;
use crate::verdict::{Stop, Verdict};

/// Age of the second form, in seconds.
const OLDER: i64 = 20;

const NO_PAGE: &str = "Answer 404 with a page, and create nothing.";

pub(in crate::basic) fn cases<M: BasicMarketplace>() -> Vec<Case<Target<M>>> {
    let (accepted, refused) = (M::CONTRACT.clauses.sign_on, M::CONTRACT.clauses.token);
    let mut cases = vec![
        case("sso-token.lets-in", "A valid token opens the dashboard.", accepted, |target| Box::pin(lets_in(target))),
        case(
            "sso-token.unknown-fields",
            "Unknown fields are ignored.",
            Clause::practice("a marketplace adds fields at any time"),
            |target| Box::pin(unknown_fields(target)),
        ),
        case(
            "sso-token.redirects",
            "A valid token is answered with a redirect by GET: 302 or 303.",
            Clause::practice("a page at this URL would repeat the request when it is reloaded"),
            |target| Box::pin(redirects(target)),
        ),
        case("sso-token.wrong", "A wrong token is refused.", refused, |target| Box::pin(wrong(target))),
        case("sso-token.missing", "A sign-on without a token is refused.", refused, |target| {
            Box::pin(forgery(target, |form| form.without(M::CONTRACT.sso.token), "no token"))
        }),
        case("sso-token.empty", "An empty token is refused.", refused, |target| {
            Box::pin(forgery(target, |form| form.set(M::CONTRACT.sso.token, ""), "an empty token"))
        }),
        case("sso-token.part", "The beginning of a token is refused.", refused, |target| Box::pin(part(target))),
        case(
            "sso-token.other-salt",
            "A token signed with an empty salt or with the password is refused.",
            refused,
            |target| Box::pin(other_salt(target)),
        ),
        case("sso-token.other-resource", "The token of one resource does not open another.", refused, |target| {
            Box::pin(other_resource(target))
        }),
        case("sso-token.other-time", "A token with another timestamp is refused.", refused, |target| {
            Box::pin(other_time(target))
        }),
        case(
            "sso-token.missing-resource",
            "A sign-on without a resource is refused.",
            Clause::practice("a token without its resource cannot be verified"),
            |target| Box::pin(missing_resource(target)),
        ),
        case(
            "sso-token.unknown-resource",
            "A valid token for an unknown resource is refused.",
            Clause::practice("a page with 404, and nothing is created"),
            |target| Box::pin(unknown_resource(target)),
        ),
        case(
            "sso-token.removed-resource",
            "A valid token for a deprovisioned resource is refused.",
            Clause::practice("the dashboard is deleted with the add-on"),
            |target| Box::pin(removed_resource(target)),
        ),
    ];
    if !M::CONTRACT.sso.is_link {
        cases.push(case(
            "sso-token.in-the-query",
            "A form in the query of the URL is refused.",
            Clause::practice("URLs, with their tokens, are stored in logs and browser histories"),
            |target| Box::pin(in_the_query(target)),
        ));
    }
    cases
}

/// Signs on at two ages: an add-on that hashes its own clock accepts at most one of them.
async fn lets_in<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let resource = target.shared_resource().await?;
    for age in [0, OLDER] {
        let signed_in = target.sign_in(&target.sign_on_at(&resource.name, -age)).await?;
        must_be_signed_in(&signed_in, M::CONTRACT.sso.formula)?;
    }
    Ok(())
}

async fn unknown_fields<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let change = |form: Form| form.set("action", "rotate").set("tab", "");
    variation(target, change, "unknown fields", "Ignore the fields that you do not know.").await.map(drop)
}

async fn redirects<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let advice = "Store the session, and redirect to the dashboard with 302 or 303.";
    let response = variation(target, |form| form, "a valid token", advice).await?;
    response.must_be(&[302, 303], advice).map(drop)
}

async fn wrong<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let resource = target.resource_to_sign_on().await?;
    let response = target.post(forged(M::CONTRACT.sso.token, target.sign_on_to(&resource))).await?;
    must_be_refused::<M>(&response.to("a wrong token"), super::VERIFY)
}

async fn part<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let token = M::CONTRACT.sso.token;
    for keep in [1, 8, 39] {
        let cut = |form: Form| {
            let part = field(&form, token).chars().take(keep).collect::<String>();
            form.set(token, part)
        };
        forgery(target, cut, &format!("the first {keep} characters of the token")).await?;
    }
    Ok(())
}

async fn other_salt<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let password = target.addon.password.clone();
    for (description, salt) in [("an empty salt", String::new()), ("the password as salt", password)] {
        if salt != target.addon.salt {
            forgery(target, |form| form.salt(salt), &format!("a token signed with {description}")).await?;
        }
    }
    Ok(())
}

async fn other_resource<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let other = target.new_resource().await?;
    let change = |form: Form| form.set(M::CONTRACT.sso.id, other.name.as_str());
    forgery(target, change, "the token of one resource with the id of another").await
}

async fn other_time<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let resource = target.resource_to_forge().await?;
    let later = field(&target.sign_on_at(&resource.name, -1), "timestamp");
    forgery(target, |form| form.set("timestamp", later), "a timestamp that was not signed").await
}

async fn missing_resource<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let resource = target.resource_to_forge().await?;
    let response = target.post(target.sign_on_to(&resource).without(M::CONTRACT.sso.id)).await?;
    must_not_be_signed_in::<M>(&response.to("a sign-on without a resource"), super::VERIFY)
}

async fn unknown_resource<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.resource_to_sign_on().await?;
    let form = target.sign_on_at(&target.market().new_key(), -1);
    must_not_be_signed_in::<M>(&target.post(form).await?.to("a valid token for an unknown resource"), NO_PAGE)
}

async fn removed_resource<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.resource_to_sign_on().await?;
    let resource = target.removed_resource().await?;
    let response = target.post(target.sign_on_to(&resource)).await?.to("a valid token for a deprovisioned resource");
    must_not_be_signed_in::<M>(&response, NO_PAGE)
}

async fn in_the_query<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let resource = target.resource_to_forge().await?;
    let form = target.sign_on_to(&resource);
    let query = String::from_utf8_lossy(form.request().body()).into_owned();
    let path = &target.addon.sso.path;
    let url = format!("{path}{}{query}", if path.contains('?') { '&' } else { '?' });
    let response = target.post(form.path(url).body("a=b")).await?.to("a form in the query");
    if response.is_server_error() {
        return Err(Stop::fault("A form in the query causes a server error.", "Read the fields from the body only."));
    }
    must_not_be_signed_in::<M>(&response, "Read the fields from the body of the POST only.")
}
