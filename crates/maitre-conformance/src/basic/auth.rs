//! Basic credentials.

use maitre_testkit::{Call, Json};

use super::case::case;
use super::contract::{BasicMarketplace, Clause};
use super::target::Target;
use crate::check::Case;
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const ADVICE: &str = "Compare user and password before anything else, on every route except single sign-on, and answer 401 if \
                      they differ.";
const NO_EFFECT: Clause = Clause::practice("a request without valid credentials has no effect");

/// Credentials that are not the add-on's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Password,
    User,
    /// No Authorization header.
    Missing,
}

/// Cases of wrong credentials for a route: `route_cases!("suspend", "A suspension", call)`, where `call` is a function that
/// returns the request for the id of a resource.
macro_rules! route_cases {
    ($route:literal, $request:literal, $call:expr) => {
        [
            case(
                concat!("auth.wrong-password-", $route),
                concat!($request, " with a wrong password is answered 401."),
                M::CONTRACT.clauses.unauthorized,
                |target| Box::pin(auth::refused(target, $call, auth::Wrong::Password)),
            ),
            case(
                concat!("auth.wrong-user-", $route),
                concat!($request, " with the correct password of another user is answered 401."),
                M::CONTRACT.clauses.unauthorized,
                |target| Box::pin(auth::refused(target, $call, auth::Wrong::User)),
            ),
            case(
                concat!("auth.no-credentials-", $route),
                concat!($request, " without credentials is answered 401."),
                M::CONTRACT.clauses.unauthorized,
                |target| Box::pin(auth::refused(target, $call, auth::Wrong::Missing)),
            ),
        ]
    };
}
pub(super) use route_cases;

pub(super) fn cases<M: BasicMarketplace>() -> Vec<Case<Target<M>>> {
    use super::auth;
    let clauses = &M::CONTRACT.clauses;
    let mut cases = vec![case(
        "auth.right-credentials",
        "The user and the password of the add-on are accepted.",
        clauses.authentication,
        |target| Box::pin(right(target)),
    )];
    cases.extend(route_cases!("provision", "A provision", |target: &Target<M>, _: &str| target.provision()));
    cases.extend(route_cases!("plan-change", "A plan change", |target: &Target<M>, id: &str| {
        target.market().plan_change(id, target.other_plan())
    }));
    cases.extend(route_cases!("deprovision", "A deprovision", |target: &Target<M>, id: &str| {
        target.market().deprovision(id)
    }));
    cases.extend([
        case(
            "auth.similar-password",
            "A password that is similar to the correct one is answered 401.",
            clauses.unauthorized,
            |target| Box::pin(similar_password(target)),
        ),
        case(
            "auth.malformed-header",
            "A malformed Authorization header is answered 401 or 400.",
            clauses.unauthorized.advised(),
            |target| Box::pin(malformed_header(target)),
        ),
        case("auth.challenge", "A 401 names the scheme in WWW-Authenticate.", clauses.challenge, |target| {
            Box::pin(challenge(target))
        }),
        case(
            "auth.before-the-body",
            "A wrong password is answered 401 before the body is read.",
            Clause::practice("a caller without credentials learns nothing about the add-on"),
            |target| Box::pin(before_the_body(target)),
        ),
        case("auth.refused-is-not-done", "A deprovision that is answered 401 has no effect.", NO_EFFECT, |target| {
            Box::pin(refused_is_not_done(target))
        }),
    ]);
    cases
}

fn must_be_401(response: &Response) -> Verdict {
    response.must_be(&[401], ADVICE).map(drop)
}

fn wrong_password<M: BasicMarketplace>(target: &Target<M>) -> String {
    format!("not-{}", target.addon.password)
}

fn with_wrong<M: BasicMarketplace>(target: &Target<M>, call: Call<Json>, wrong: Wrong) -> Call<Json> {
    let (user, password) = (&target.addon.user, &target.addon.password);
    match wrong {
        Wrong::Password => call.credentials(user, &wrong_password(target)),
        Wrong::User => call.credentials(&format!("not-{user}"), password),
        Wrong::Missing => call.without_credentials(),
    }
}

async fn right<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let response = target.send(target.provision()).await?;
    match response.status() {
        401 | 403 => Err(response.wrong_status(
            "200",
            "Either the manifest belongs to another add-on, or the add-on reads another password.",
        )),
        _ => Ok(()),
    }
}

/// Sends a request to a route with wrong credentials; the right ones are known to work there.
pub(super) async fn refused<M: BasicMarketplace>(
    target: &Target<M>,
    call: fn(&Target<M>, &str) -> Call<Json>,
    wrong: Wrong,
) -> Verdict {
    let resource = target.new_resource().await?;
    must_be_401(&target.send(with_wrong(target, call(target, &resource.name), wrong)).await?)
}

/// Skips the check unless a provision with another password is answered 401.
async fn require_password<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let response = target.send(with_wrong(target, target.provision(), Wrong::Password)).await?;
    match response.status() {
        401 => Ok(()),
        _ => Err(Stop::skipped(format!(
            "a wrong password is not answered 401 (see {}.auth.wrong-password-provision)",
            M::CONTRACT.marketplace
        ))),
    }
}

async fn similar_password<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    require_password(target).await?;
    let password = &target.addon.password;
    let shorter: String = password.chars().take(password.chars().count().saturating_sub(1)).collect();
    let upper = password.to_uppercase();
    let other_case = if upper == *password { password.to_lowercase() } else { upper };
    for (candidate, description) in [
        (shorter, "the password without its last character"),
        (format!("{password}x"), "the password followed by another character"),
        (other_case, "the password in other letters"),
        (String::new(), "an empty password"),
    ] {
        if candidate != *password {
            let call = target.provision().credentials(&target.addon.user, &candidate);
            must_be_401(&target.send(call).await?.to(description))?;
        }
    }
    Ok(())
}

async fn malformed_header<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    require_password(target).await?;
    for value in ["Basic", "Basic %%%", "Basic dGFsbHk=", "Bearer abc", "nonsense"] {
        let response = target.send(target.provision().authorization(value)).await?;
        response.to(format!("the Authorization header {value:?}")).must_be(&[400, 401], "Answer 401.")?;
    }
    Ok(())
}

async fn challenge<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let response = target.send(target.provision().without_credentials()).await?;
    if response.status() != 401 {
        return Err(Stop::skipped(format!(
            "a provision without credentials is not answered 401 (see {}.auth.no-credentials-provision)",
            M::CONTRACT.marketplace
        )));
    }
    match response.header("www-authenticate") {
        Some(value) if value.to_ascii_lowercase().starts_with("basic") => Ok(()),
        _ => Err(response.fault(
            "The 401 has no WWW-Authenticate header with the scheme Basic.",
            "Send WWW-Authenticate: Basic realm=\"…\" with every 401.",
        )),
    }
}

async fn before_the_body<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    require_password(target).await?;
    let call = with_wrong(target, target.provision(), Wrong::Password).body("{").without_header("content-type");
    must_be_401(&target.send(call).await?.to("a body that is not JSON, with a wrong password"))
}

async fn refused_is_not_done<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.new_resource().await?;
    let refused = target.send(with_wrong(target, target.market().deprovision(&resource.name), Wrong::Password)).await?;
    if refused.status() != 401 {
        return Err(Stop::skipped(format!(
            "a wrong password is not answered 401 (see {}.auth.wrong-password-deprovision)",
            M::CONTRACT.marketplace
        )));
    }
    let response = target.change(&resource, target.other_plan()).await?;
    if matches!(response.status(), 404 | 410) {
        return Err(response.fault("The resource is gone after a deprovision that was answered 401.", ADVICE));
    }
    Ok(())
}
