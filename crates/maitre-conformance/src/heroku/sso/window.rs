//! Validity period of tokens, and single use.

use std::time::Duration;

use time::OffsetDateTime;

use super::sign_in::{NEEDS, USER_TOKEN, must_be_forbidden, must_not_be_signed_in};
use crate::check::{Case, Citation};
use crate::heroku::citation;
use crate::heroku::target::Target;
use crate::response::Response;
use crate::rules;
use crate::sign_on::must_be_signed_in;
use crate::verdict::{Stop, Verdict};

const OLD: Citation = citation::kensa("a timestamp of six minutes ago is answered 403");

pub(in crate::heroku) const CASES: &[Case<Target>] = &[
    Case::must(
        "heroku.sso-window.six-minutes-old",
        "A token that is six minutes old is answered 403.",
        OLD,
        |target| Box::pin(old(target, 360)),
    )
    .needs(NEEDS),
    Case::must("heroku.sso-window.a-day-old", "A token that is one day old is answered 403.", OLD, |target| {
        Box::pin(old(target, 86_400))
    })
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.a-minute-old",
        "A token that is one minute old is accepted.",
        citation::single_sign_on("a token is valid for some minutes: five in the text, two in the sample"),
        |target| Box::pin(recent(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.clocks-differ",
        "A token that is five seconds in the future is accepted.",
        citation::practice("clocks differ"),
        |target| Box::pin(slightly_ahead(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.an-hour-ahead",
        "A token that is one hour in the future is refused.",
        citation::practice("a token with a future timestamp would be valid until then"),
        |target| Box::pin(ahead(target, 3_600)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.ten-years-ahead",
        "A token that is ten years in the future is refused.",
        citation::practice("a token with a future timestamp would be valid until then"),
        |target| Box::pin(ahead(target, 315_360_000)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.no-number",
        "A timestamp that is not a number is refused.",
        citation::practice("a timestamp that cannot be compared with the clock is invalid"),
        |target| Box::pin(not_a_number(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.junk-behind",
        "A timestamp with trailing garbage is refused.",
        citation::practice("a timestamp consists of digits only; do not parse a prefix"),
        |target| Box::pin(trailing_garbage(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.no-timestamp",
        "A form without a timestamp is refused, and does not cause a server error.",
        citation::practice("a token without its timestamp cannot be verified"),
        |target| Box::pin(none(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.one-use",
        "A form is refused when it is used a second time.",
        citation::practice("a form in the browser's history must not give access"),
        |target| Box::pin(one_use(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.one-use-stripped",
        "A used form is refused with only its weaker tokens, too.",
        citation::practice("all tokens of a form expire with its first use"),
        |target| Box::pin(one_use_stripped(target)),
    )
    .needs(USER_TOKEN),
    Case::should(
        "heroku.sso-window.one-use-lasts",
        "A used form is still refused after 90 seconds.",
        citation::practice("used tokens are stored for as long as they would be valid"),
        |target| Box::pin(one_use_lasts(target)),
    )
    .needs(NEEDS)
    .slow(),
];

const AGE: &str = "Answer 403 to timestamps more than five minutes old.";
const DIGITS: &str = "A timestamp consists of digits only; answer 403 to anything else.";

/// Posts a form that is correctly signed for a timestamp, which may be invalid.
async fn signed(target: &Target, timestamp: &str) -> Result<Response, Stop> {
    let (resource, _) = target.form_to_forge().await?;
    target.post(target.sso_form_with_timestamp(&resource, timestamp)?).await
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

async fn old(target: &Target, seconds: i64) -> Verdict {
    let response = signed(target, &(now() - seconds).to_string()).await?.to(format!("a token that is {seconds} s old"));
    must_be_forbidden(&response, AGE)
}

async fn recent(target: &Target) -> Verdict {
    let (resource, _) = target.valid_form().await?;
    let response = target.post(target.sso_form_at(&resource, -60)?).await?.to("a token that is 60 s old");
    must_be_accepted(&response, "Accept a token for some minutes: users and proxies are slow.")
}

async fn slightly_ahead(target: &Target) -> Verdict {
    let (resource, _) = target.valid_form().await?;
    let response = target.post(target.sso_form_at(&resource, 5)?).await?.to("a token that is 5 s in the future");
    must_be_accepted(&response, "Allow for clock skew: up to a minute is common.")
}

/// Requires a success or a redirect.
fn must_be_accepted(response: &Response, advice: &str) -> Verdict {
    if (200..400).contains(&response.status()) { Ok(()) } else { Err(response.wrong_status("302", advice)) }
}

async fn ahead(target: &Target, seconds: i64) -> Verdict {
    let response =
        signed(target, &(now() + seconds).to_string()).await?.to(format!("a token that is {seconds} s in the future"));
    must_not_be_signed_in(&response, "Answer 403 to timestamps more than a minute in the future.")
}

async fn not_a_number(target: &Target) -> Verdict {
    for timestamp in ["soon", "", "-1", "1.5e9", "NaN", "99999999999999999999999999"] {
        let response = signed(target, timestamp).await?.to(format!("the timestamp {timestamp:?}"));
        if timestamp.starts_with('9') && !response.is_server_error() {
            continue; // a number in the future: see heroku.sso-window.ten-years-ahead
        }
        must_not_be_signed_in(&response, DIGITS)?;
    }
    Ok(())
}

async fn trailing_garbage(target: &Target) -> Verdict {
    for garbage in ["junk", " ", ".0"] {
        let response =
            signed(target, &format!("{}{garbage}", now())).await?.to(format!("a timestamp followed by {garbage:?}"));
        must_not_be_signed_in(&response, DIGITS)?;
    }
    Ok(())
}

async fn none(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    let response = target.post(form.without("timestamp")).await?.to("a form without a timestamp");
    must_not_be_signed_in(&response, DIGITS)
}

async fn one_use(target: &Target) -> Verdict {
    let resource = target.shared_resource().await?;
    let form = target.sso_form(&resource)?;
    target.require_sign_in(form.clone()).await?;
    target.post(form).await?.to("a used form").require(rules::form_is_used_once)
}

async fn one_use_stripped(target: &Target) -> Verdict {
    let resource = target.shared_resource().await?;
    let probe = target.sign_in(target.browser()?, target.sso_form(&resource)?.only_resource_token()).await?;
    if must_be_signed_in(&probe, "").is_err() {
        return Err(Stop::skipped("the weaker token is not accepted on its own"));
    }
    let form = target.sso_form(&resource)?;
    target.require_sign_in(form.clone()).await?;
    if target.post(form.clone()).await?.require(rules::form_is_used_once).is_err() {
        return Err(Stop::skipped("a form is accepted more than once (see heroku.sso-window.one-use)"));
    }
    let stripped = target.post(form.only_resource_token()).await?.to("a used form without its SHA-256 token");
    must_not_be_signed_in(&stripped, "Mark the weaker tokens of a form as used together with the strongest one.")
}

async fn one_use_lasts(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    let form = target.sso_form(&resource)?;
    target.require_sign_in(form.clone()).await?;
    tokio::time::sleep(Duration::from_secs(90)).await;
    target.post(form).await?.to("a form that was used 90 s ago").require(rules::form_is_used_once)
}
