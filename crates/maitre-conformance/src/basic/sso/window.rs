//! Validity period of tokens, and single use.

use time::OffsetDateTime;

use super::{must_be_accepted, must_be_refused, must_not_be_signed_in};
use crate::basic::case::case;
use crate::basic::contract::{BasicMarketplace, Clause};
use crate::basic::target::Target;
use crate::check::Case;
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

/// A day and a decade, in seconds.
const DAY: i64 = 86_400;
const DECADE: i64 = 315_360_000;

const AGE: &str = "Refuse tokens that are older than the contract allows.";
const AHEAD: &str = "Refuse timestamps that are some minutes in the future: such a token would be valid until then.";
const NUMBER: &str = "Refuse a timestamp that is not a number.";

pub(in crate::basic) fn cases<M: BasicMarketplace>() -> Vec<Case<Target<M>>> {
    let future = Clause::practice("a token with a future timestamp would be valid until then");
    let number = Clause::practice("a timestamp that cannot be compared with the clock is invalid");
    vec![
        case(
            "sso-window.expired",
            "A token that is older than the contract allows is refused.",
            M::CONTRACT.clauses.age,
            |target| Box::pin(old(target, M::CONTRACT.sso.max_age + 30)),
        ),
        case("sso-window.a-day-old", "A token that is one day old is refused.", M::CONTRACT.clauses.age, |target| {
            Box::pin(old(target, DAY))
        }),
        case(
            "sso-window.a-minute-old",
            "A token that is one minute old is accepted.",
            Clause::practice("users and proxies are slow"),
            |target| Box::pin(accepted(target, -60)),
        ),
        case(
            "sso-window.clocks-differ",
            "A token that is five seconds in the future is accepted.",
            Clause::practice("clocks differ"),
            |target| Box::pin(accepted(target, 5)),
        ),
        case("sso-window.an-hour-ahead", "A token that is one hour in the future is refused.", future, |target| {
            Box::pin(ahead(target, 3_600))
        }),
        case("sso-window.ten-years-ahead", "A token that is ten years in the future is refused.", future, |target| {
            Box::pin(ahead(target, DECADE))
        }),
        case("sso-window.no-number", "A timestamp that is not a number is refused.", number, |target| {
            Box::pin(no_number(target))
        }),
        case("sso-window.junk-behind", "A timestamp with trailing garbage is refused.", number, |target| {
            Box::pin(junk_behind(target))
        }),
        case("sso-window.no-timestamp", "A sign-on without a timestamp is refused.", number, |target| {
            Box::pin(no_timestamp(target))
        }),
        case(
            "sso-window.one-use",
            "A token is refused when it is used a second time.",
            Clause::practice("a request in the browser's history must not give access"),
            |target| Box::pin(one_use(target)),
        ),
    ]
}

async fn at<M: BasicMarketplace>(target: &Target<M>, offset: i64) -> Result<Response, Stop> {
    let resource = target.resource_to_forge().await?;
    let response = target.post(target.sign_on_at(&resource.name, offset)).await?;
    let time = if offset < 0 { "old" } else { "in the future" };
    Ok(response.to(format!("a token that is {} s {time}", offset.abs())))
}

async fn old<M: BasicMarketplace>(target: &Target<M>, seconds: i64) -> Verdict {
    must_be_refused::<M>(&at(target, -seconds).await?, AGE)
}

async fn accepted<M: BasicMarketplace>(target: &Target<M>, offset: i64) -> Verdict {
    must_be_accepted::<M>(&at(target, offset).await?, "Accept a token for some minutes, and allow for clock skew.")
}

async fn ahead<M: BasicMarketplace>(target: &Target<M>, seconds: i64) -> Verdict {
    must_not_be_signed_in::<M>(&at(target, seconds).await?, AHEAD)
}

async fn signed<M: BasicMarketplace>(target: &Target<M>, timestamp: &str) -> Verdict {
    let resource = target.resource_to_forge().await?;
    let form = target.sign_on_with_timestamp(&resource.name, timestamp);
    let response = target.post(form).await?.to(format!("the timestamp {timestamp:?}"));
    must_not_be_signed_in::<M>(&response, NUMBER)
}

async fn no_number<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    for timestamp in ["soon", "", "-1", "1.5e9", "NaN"] {
        signed(target, timestamp).await?;
    }
    Ok(())
}

async fn junk_behind<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let fraction = (!M::CONTRACT.sso.fractions).then_some(".0");
    for garbage in ["junk", " "].into_iter().chain(fraction) {
        signed(target, &format!("{now}{garbage}")).await?;
    }
    Ok(())
}

async fn no_timestamp<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let resource = target.resource_to_forge().await?;
    let response = target.post(target.sign_on_to(&resource).without("timestamp")).await?;
    must_not_be_signed_in::<M>(&response.to("a sign-on without a timestamp"), NUMBER)
}

async fn one_use<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let resource = target.shared_resource().await?;
    let form = target.sign_on_to(&resource);
    target.require_sign_in(&form).await?;
    let response = target.post(form).await?.to("a used token");
    must_not_be_signed_in::<M>(&response, "Store used tokens until they expire, and refuse them.")
}
