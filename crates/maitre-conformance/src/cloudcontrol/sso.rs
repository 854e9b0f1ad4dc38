//! A person signs on from cloudControl.

use maitre_testkit::cloudcontrol::LaunchForm;
use maitre_testkit::{Call, SignOn};
use time::OffsetDateTime;

use super::{Resource, Subject, practice, sample};
use crate::check::{Capability, Case, Clause, Source};
use crate::sign_on::must_be_in;
use crate::verdict::{Stop, Verdict};

const NEEDS: &[Capability] = &[Capability::SingleSignOn];

/// The Ruby toolkit that vendors used is the only one whose sign-on by POST is known.
const fn toolkit(says: &'static str) -> Clause {
    Clause { source: Source::Code("maitre_d"), says }
}

pub(super) const CASES: &[Case<Subject>] = &[
    Case::must(
        "cloudcontrol.sso.lets-in",
        "A good token leads to the dashboard.",
        toolkit("302 to the listener's page"),
        |it| Box::pin(lets_in(it)),
    )
    .needs(NEEDS),
    Case::must("cloudcontrol.sso.wrong", "A wrong, empty or missing token is answered 403.", sample("403"), |it| {
        Box::pin(wrong(it))
    })
    .needs(NEEDS),
    Case::must(
        "cloudcontrol.sso.other-resource",
        "The token of one resource does not open another.",
        sample("403"),
        |it| Box::pin(other_resource(it)),
    )
    .needs(NEEDS),
    Case::must(
        "cloudcontrol.sso.six-minutes-old",
        "A token of six minutes ago is answered 403.",
        sample("more than 300 s old is answered 403"),
        |it| Box::pin(at(it, -360)),
    )
    .needs(NEEDS),
    Case::should(
        "cloudcontrol.sso.an-hour-ahead",
        "A token of the next hour lets nobody in.",
        practice("the window has two sides"),
        |it| Box::pin(at(it, 3_600)),
    )
    .needs(NEEDS),
    Case::should(
        "cloudcontrol.sso.one-use",
        "A form that was used lets nobody in a second time.",
        practice("a form in the browser's history is no key"),
        |it| Box::pin(one_use(it)),
    )
    .needs(NEEDS),
    Case::info(
        "cloudcontrol.sso.by-get",
        "A sign-on by GET on the resource lets in, as in the first years.",
        sample("GET base_url/id with the fields in the query"),
        |it| Box::pin(by_get(it)),
    )
    .needs(NEEDS),
];

type Form = Call<SignOn<LaunchForm>>;

fn form(it: &Subject, resource: &Resource) -> Result<Form, Stop> {
    Ok(it.browser.single_sign_on(&resource.id).path(&it.door()?.path))
}

/// A form that would let in. Each is for a resource of its own, as the same second could be refused as a replay.
async fn good(it: &Subject) -> Result<(Resource, Form), Stop> {
    let resource = it.ordered().await?;
    let probe = it.ordered().await?;
    let door = it.door()?;
    let entered = door.enter(&it.wire, door.visitor(), &form(it, &probe)?).await?;
    if must_be_in(&entered).is_err() {
        return Err(Stop::skipped("a good token does not let in (see cloudcontrol.sso.lets-in)"));
    }
    let form = form(it, &resource)?;
    Ok((resource, form))
}

const VERIFY: &str = "Compute SHA-1 of id, salt and timestamp, joined by colons, and answer 403 if it differs.";

async fn lets_in(it: &Subject) -> Verdict {
    let (resource, door) = (it.ordered().await?, it.door()?);
    must_be_in(&door.enter(&it.wire, door.visitor(), &form(it, &resource)?).await?)
}

async fn wrong(it: &Subject) -> Verdict {
    let (_, form) = good(it).await?;
    for (what, spoiled) in [
        ("a wrong token", form.clone().set("token", "0".repeat(40))),
        ("an empty token", form.clone().set("token", "")),
        ("a form without a token", form.clone().without("token")),
        ("a form without a timestamp", form.without("timestamp")),
    ] {
        it.wire.send(spoiled).await?.to(what).must_be(&[403], VERIFY)?;
    }
    Ok(())
}

async fn other_resource(it: &Subject) -> Verdict {
    let (_, form) = good(it).await?;
    let other = it.ordered().await?;
    let seen = it.wire.send(form.set("id", other.id)).await?.to("the token of one resource with the id of another");
    seen.must_be(&[403], VERIFY).map(drop)
}

async fn at(it: &Subject, ahead: i64) -> Verdict {
    let (_, form) = good(it).await?;
    let timestamp = OffsetDateTime::now_utc().unix_timestamp() + ahead;
    let seen = it.wire.send(form.timestamp(timestamp.to_string())).await?.to(format!("a token of {ahead} s from now"));
    seen.must_be(&[403], "Let a token in for five minutes after its timestamp, and no longer.").map(drop)
}

async fn one_use(it: &Subject) -> Verdict {
    let (resource, door) = (it.ordered().await?, it.door()?);
    let timestamp = OffsetDateTime::now_utc().unix_timestamp().to_string();
    let form = form(it, &resource)?.timestamp(timestamp);
    if must_be_in(&door.enter(&it.wire, door.visitor(), &form).await?).is_err() {
        return Err(Stop::skipped("a good token does not let in (see cloudcontrol.sso.lets-in)"));
    }
    let seen = it.wire.send(form).await?.to("the same form again");
    seen.must_be_refused("Remember the tokens that were used until they are too old, and answer 403 to them.").map(drop)
}

async fn by_get(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    let seen = it.wire.send(it.market.single_sign_on(&resource.id).by_get()).await?;
    if (300..400).contains(&seen.status()) || seen.status() == 200 {
        return Ok(());
    }
    let advice = "Nothing has to be done: the form is posted since 2015.";
    Err(seen.wrong_status("302", advice))
}
