//! When a token lets in, and how often.

use std::time::Duration;

use time::OffsetDateTime;

use super::sign_in::{NEEDS, must_be_forbidden, must_not_be_signed_in};
use crate::check::{Case, Citation};
use crate::heroku::citation;
use crate::heroku::target::Target;
use crate::response::Response;
use crate::sign_on::must_be_signed_in;
use crate::verdict::{Stop, Verdict};

const OLD: Citation = citation::kensa("a timestamp of six minutes ago is answered 403");

pub(in crate::heroku) const CASES: &[Case<Target>] = &[
    Case::must("heroku.sso-window.six-minutes-old", "A token of six minutes ago is answered 403.", OLD, |target| {
        Box::pin(old(target, 360))
    })
    .needs(NEEDS),
    Case::must("heroku.sso-window.a-day-old", "A token of yesterday is answered 403.", OLD, |target| {
        Box::pin(old(target, 86_400))
    })
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.a-minute-old",
        "A token of a minute ago lets in.",
        citation::single_sign_on("a token is good for some minutes: five in the text, two in the sample"),
        |target| Box::pin(recent(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.clocks-differ",
        "A token of a clock that runs five seconds ahead lets in.",
        citation::practice("no two clocks agree"),
        |target| Box::pin(slightly_ahead(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.an-hour-ahead",
        "A token of the next hour lets nobody in.",
        citation::practice("a token that was signed ahead would be good until then"),
        |target| Box::pin(ahead(target, 3_600)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.ten-years-ahead",
        "A token of the next decade lets nobody in.",
        citation::practice("a token that was signed ahead would be good until then"),
        |target| Box::pin(ahead(target, 315_360_000)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.no-number",
        "A timestamp that is no number lets nobody in.",
        citation::practice("what cannot be compared with the clock is refused"),
        |target| Box::pin(no_number(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.junk-behind",
        "A number with junk behind it is no timestamp.",
        citation::practice("what is not all digits is refused, not read as far as it goes"),
        |target| Box::pin(junk(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.no-timestamp",
        "A form without a timestamp lets nobody in, and does not make the add-on stumble.",
        citation::practice("a token without its timestamp cannot be verified"),
        |target| Box::pin(none(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.one-use",
        "A form that was used lets nobody in a second time.",
        citation::practice("a form in the browser's history is no key"),
        |target| Box::pin(one_use(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.one-use-stripped",
        "A form that was used lets nobody in with its weaker tokens either.",
        citation::practice("all tokens of a form are used up together"),
        |target| Box::pin(one_use_stripped(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.one-use-lasts",
        "A form that was used lets nobody in a second time, even after 90 seconds.",
        citation::practice("what was used is remembered for as long as it would be good"),
        |target| Box::pin(one_use_lasts(target)),
    )
    .needs(NEEDS)
    .slow(),
];

const AGE: &str = "Refuse timestamps of more than five minutes ago, with 403.";
const DIGITS: &str = "A timestamp is digits alone; answer 403 to any other, and do not stumble over it.";

/// What is signed rightly for a delay, which may be none.
async fn signed(target: &Target, timestamp: &str) -> Result<Response, Stop> {
    let (resource, _) = target.valid_form().await?;
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
    must_be_accepted(&response, "Let a token in for some minutes: people are slow, and so are proxies.")
}

async fn slightly_ahead(target: &Target) -> Verdict {
    let (resource, _) = target.valid_form().await?;
    let response = target.post(target.sso_form_at(&resource, 5)?).await?.to("a token of 5 s ahead");
    must_be_accepted(&response, "Allow for clocks that differ: up to a minute ahead is common.")
}

fn must_be_accepted(response: &Response, advice: &str) -> Verdict {
    if (200..400).contains(&response.status()) { Ok(()) } else { Err(response.wrong_status("302", advice)) }
}

async fn ahead(target: &Target, seconds: i64) -> Verdict {
    let response = signed(target, &(now() + seconds).to_string()).await?.to(format!("a token of {seconds} s ahead"));
    must_not_be_signed_in(
        &response,
        "Refuse timestamps that are more than a minute ahead, with 403: the window has two sides.",
    )
}

async fn no_number(target: &Target) -> Verdict {
    for timestamp in ["soon", "", "-1", "1.5e9", "NaN", "99999999999999999999999999"] {
        let response = signed(target, timestamp).await?.to(format!("the timestamp {timestamp:?}"));
        if timestamp.starts_with('9') && !response.is_server_error() {
            continue; // a number, and a future one: see heroku.sso-window.ten-years-ahead
        }
        must_not_be_signed_in(&response, DIGITS)?;
    }
    Ok(())
}

async fn junk(target: &Target) -> Verdict {
    for junk in ["junk", " ", ".0"] {
        let response =
            signed(target, &format!("{}{junk}", now())).await?.to(format!("a timestamp with {junk:?} behind it"));
        must_not_be_signed_in(&response, DIGITS)?;
    }
    Ok(())
}

async fn none(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    let response = target.post(form.without("timestamp")).await?.to("a form without a timestamp");
    must_not_be_signed_in(&response, DIGITS)
}

const ONCE: &str = "Remember the tokens that were used until they are too old, and answer 403 to them.";

async fn one_use(target: &Target) -> Verdict {
    let resource = target.shared_resource().await?;
    let form = target.sso_form(&resource)?;
    let signed_in = target.sign_in(target.visitor()?, form.clone()).await?;
    if must_be_signed_in(&signed_in).is_err() {
        return Err(Stop::skipped("a good token does not let in (see heroku.sso-token.lets-in)"));
    }
    must_not_be_signed_in(&target.post(form).await?.to("the same form again"), ONCE)
}

async fn one_use_stripped(target: &Target) -> Verdict {
    let resource = target.shared_resource().await?;
    let probe = target.sign_in(target.visitor()?, target.sso_form(&resource)?.only_resource_token()).await?;
    if must_be_signed_in(&probe).is_err() {
        return Err(Stop::skipped("the weaker token does not let in by itself"));
    }
    let form = target.sso_form(&resource)?;
    must_be_signed_in(&target.sign_in(target.visitor()?, form.clone()).await?)?;
    if must_not_be_signed_in(&target.post(form.clone()).await?, ONCE).is_err() {
        return Err(Stop::skipped("forms are good more than once (see heroku.sso-window.one-use)"));
    }
    let stripped = target.post(form.only_resource_token()).await?.to("a used form without its SHA-256 token");
    must_not_be_signed_in(&stripped, "Mark the weaker tokens of a form as used together with the one that decides.")
}

async fn one_use_lasts(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    let form = target.sso_form(&resource)?;
    if must_be_signed_in(&target.sign_in(target.visitor()?, form.clone()).await?).is_err() {
        return Err(Stop::skipped("a good token does not let in (see heroku.sso-token.lets-in)"));
    }
    tokio::time::sleep(Duration::from_secs(90)).await;
    must_not_be_signed_in(&target.post(form).await?.to("a form that was used 90 s ago"), ONCE)
}
