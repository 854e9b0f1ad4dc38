//! When a token lets in, and how often.

use std::time::Duration;

use time::OffsetDateTime;

use super::{NEEDS, must_be_forbidden, must_be_out};
use crate::check::{Case, Clause};
use crate::heroku::{Subject, clause};
use crate::seen::Seen;
use crate::sign_on::must_be_in;
use crate::verdict::{Stop, Verdict};

const OLD: Clause = clause::kensa("a timestamp of six minutes ago is answered 403");

pub(in crate::heroku) const CASES: &[Case<Subject>] = &[
    Case::must("heroku.sso-window.six-minutes-old", "A token of six minutes ago is answered 403.", OLD, |it| {
        Box::pin(old(it, 360))
    })
    .needs(NEEDS),
    Case::must("heroku.sso-window.a-day-old", "A token of yesterday is answered 403.", OLD, |it| {
        Box::pin(old(it, 86_400))
    })
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.a-minute-old",
        "A token of a minute ago lets in.",
        clause::single_sign_on("a token is good for some minutes: five in the text, two in the sample"),
        |it| Box::pin(recent(it)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.clocks-differ",
        "A token of a clock that runs five seconds ahead lets in.",
        clause::practice("no two clocks agree"),
        |it| Box::pin(slightly_ahead(it)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.an-hour-ahead",
        "A token of the next hour lets nobody in.",
        clause::practice("a token that was signed ahead would be good until then"),
        |it| Box::pin(ahead(it, 3_600)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.ten-years-ahead",
        "A token of the next decade lets nobody in.",
        clause::practice("a token that was signed ahead would be good until then"),
        |it| Box::pin(ahead(it, 315_360_000)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.no-number",
        "A timestamp that is no number lets nobody in.",
        clause::practice("what cannot be compared with the clock is refused"),
        |it| Box::pin(no_number(it)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.junk-behind",
        "A number with junk behind it is no timestamp.",
        clause::practice("what is not all digits is refused, not read as far as it goes"),
        |it| Box::pin(junk(it)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.no-timestamp",
        "A form without a timestamp lets nobody in, and does not make the add-on stumble.",
        clause::practice("a token without its timestamp cannot be verified"),
        |it| Box::pin(none(it)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.one-use",
        "A form that was used lets nobody in a second time.",
        clause::practice("a form in the browser's history is no key"),
        |it| Box::pin(one_use(it)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.one-use-stripped",
        "A form that was used lets nobody in with its weaker tokens either.",
        clause::practice("all tokens of a form are used up together"),
        |it| Box::pin(one_use_stripped(it)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-window.one-use-lasts",
        "A form that was used lets nobody in a second time, even after 90 seconds.",
        clause::practice("what was used is remembered for as long as it would be good"),
        |it| Box::pin(one_use_lasts(it)),
    )
    .needs(NEEDS)
    .slow(),
];

const AGE: &str = "Refuse timestamps of more than five minutes ago, with 403.";
const DIGITS: &str = "A timestamp is digits alone; answer 403 to any other, and do not stumble over it.";

/// What is signed rightly for a moment, which may be none.
async fn signed(it: &Subject, timestamp: &str) -> Result<Seen, Stop> {
    let (resource, _) = it.good_form().await?;
    it.post(it.form_of(&resource, timestamp)?).await
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

async fn old(it: &Subject, seconds: i64) -> Verdict {
    let seen = signed(it, &(now() - seconds).to_string()).await?.to(format!("a token that is {seconds} s old"));
    must_be_forbidden(&seen, AGE)
}

async fn recent(it: &Subject) -> Verdict {
    let (resource, _) = it.good_form().await?;
    let seen = it.post(it.form_at(&resource, -60)?).await?.to("a token that is 60 s old");
    may_come_in(&seen, "Let a token in for some minutes: people are slow, and so are proxies.")
}

async fn slightly_ahead(it: &Subject) -> Verdict {
    let (resource, _) = it.good_form().await?;
    let seen = it.post(it.form_at(&resource, 5)?).await?.to("a token of 5 s ahead");
    may_come_in(&seen, "Allow for clocks that differ: up to a minute ahead is common.")
}

fn may_come_in(seen: &Seen, advice: &str) -> Verdict {
    if (200..400).contains(&seen.status()) { Ok(()) } else { Err(seen.wrong_status("302", advice)) }
}

async fn ahead(it: &Subject, seconds: i64) -> Verdict {
    let seen = signed(it, &(now() + seconds).to_string()).await?.to(format!("a token of {seconds} s ahead"));
    must_be_out(&seen, "Refuse timestamps that are more than a minute ahead, with 403: the window has two sides.")
}

async fn no_number(it: &Subject) -> Verdict {
    for timestamp in ["soon", "", "-1", "1.5e9", "NaN", "99999999999999999999999999"] {
        let seen = signed(it, timestamp).await?.to(format!("the timestamp {timestamp:?}"));
        if timestamp.starts_with('9') && !seen.is_server_error() {
            continue; // a number, and a future one: see heroku.sso-window.ten-years-ahead
        }
        must_be_out(&seen, DIGITS)?;
    }
    Ok(())
}

async fn junk(it: &Subject) -> Verdict {
    for junk in ["junk", " ", ".0"] {
        let seen = signed(it, &format!("{}{junk}", now())).await?.to(format!("a timestamp with {junk:?} behind it"));
        must_be_out(&seen, DIGITS)?;
    }
    Ok(())
}

async fn none(it: &Subject) -> Verdict {
    let (_, form) = it.good_form().await?;
    let seen = it.post(form.without("timestamp")).await?.to("a form without a timestamp");
    must_be_out(&seen, DIGITS)
}

const ONCE: &str = "Remember the tokens that were used until they are too old, and answer 403 to them.";

async fn one_use(it: &Subject) -> Verdict {
    let resource = it.shared().await?;
    let form = it.form(&resource)?;
    let entered = it.enter(it.visitor()?, form.clone()).await?;
    if must_be_in(&entered).is_err() {
        return Err(Stop::skipped("a good token does not let in (see heroku.sso-token.lets-in)"));
    }
    must_be_out(&it.post(form).await?.to("the same form again"), ONCE)
}

async fn one_use_stripped(it: &Subject) -> Verdict {
    let resource = it.shared().await?;
    let probe = it.enter(it.visitor()?, it.form(&resource)?.only_resource_token()).await?;
    if must_be_in(&probe).is_err() {
        return Err(Stop::skipped("the weaker token does not let in by itself"));
    }
    let form = it.form(&resource)?;
    must_be_in(&it.enter(it.visitor()?, form.clone()).await?)?;
    if must_be_out(&it.post(form.clone()).await?, ONCE).is_err() {
        return Err(Stop::skipped("forms are good more than once (see heroku.sso-window.one-use)"));
    }
    let stripped = it.post(form.only_resource_token()).await?.to("a used form without its SHA-256 token");
    must_be_out(&stripped, "Mark the weaker tokens of a form as used together with the one that decides.")
}

async fn one_use_lasts(it: &Subject) -> Verdict {
    let resource = it.own().await?;
    let form = it.form(&resource)?;
    if must_be_in(&it.enter(it.visitor()?, form.clone()).await?).is_err() {
        return Err(Stop::skipped("a good token does not let in (see heroku.sso-token.lets-in)"));
    }
    tokio::time::sleep(Duration::from_secs(90)).await;
    must_be_out(&it.post(form).await?.to("a form that was used 90 s ago"), ONCE)
}
