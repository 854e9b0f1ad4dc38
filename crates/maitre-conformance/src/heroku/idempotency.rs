//! Delivery is at least once: the same order twice is one resource.

use std::time::Duration;

use maitre_testkit::Call;
use maitre_testkit::heroku::Provision;
use serde_json::{Value, json};

use super::{Resource, Subject, clause, hung_up, moments};
use crate::check::{Capability, Case, Clause};
use crate::made;
use crate::rules::config;
use crate::seen::Seen;
use crate::verdict::{Stop, Verdict};

const ONCE: Clause = clause::reference("delivery is at least once: repeated POSTs of a uuid make one resource");
const REPLAY: Clause =
    clause::reference("a repeated uuid is answered with the id, config and message of the first time");
/// Heroku's own text does not say what becomes of a uuid after its deprovision.
const REMOVED: Clause = clause::seen_at("azimuttapp/azimutt", "410 to a uuid that was deprovisioned");

const UNIQUE: &str = "Put the uuid under a unique constraint, and answer a repeated provision from what is stored: the \
                      same id, config and message as the first time.";

const MANY: usize = 32;

pub(super) const CASES: &[Case<Subject>] = &[
    Case::must(
        "heroku.idempotency.same-uuid-again",
        "The same provision, sent again, succeeds again with the same id.",
        ONCE,
        |it| Box::pin(same_uuid(it)),
    ),
    Case::must(
        "heroku.idempotency.same-config",
        "The same provision, sent again, gets the same config vars.",
        REPLAY,
        |it| Box::pin(same_config(it)),
    )
    .needs(&[Capability::AnswersWhenDone]),
    Case::should(
        "heroku.idempotency.same-message",
        "The same provision, sent again, gets the same message.",
        REPLAY,
        |it| Box::pin(same_message(it)),
    )
    .needs(&[Capability::AnswersWhenDone]),
    Case::must(
        "heroku.idempotency.at-once",
        "The same provision, sent 32 times at once, makes one resource.",
        ONCE,
        |it| Box::pin(at_once(it)),
    ),
    Case::should(
        "heroku.idempotency.at-once-succeeds",
        "The same provision, sent 32 times at once, succeeds 32 times.",
        clause::practice("a duplicate waits for the first one and gets its answer"),
        |it| Box::pin(at_once_succeeds(it)),
    ),
    Case::must(
        "heroku.idempotency.lost-reply",
        "Whoever hangs up before the answer and asks again gets it.",
        ONCE,
        |it| Box::pin(lost_reply(it)),
    ),
    Case::should(
        "heroku.idempotency.stays-removed",
        "A provision that comes again after its resource was removed does not bring it back.",
        REMOVED,
        |it| Box::pin(stays_removed(it)),
    ),
    Case::should("heroku.idempotency.removed-410", "A provision of a removed uuid is answered 410.", REMOVED, |it| {
        Box::pin(removed_410(it))
    }),
    Case::must(
        "heroku.idempotency.other-plan",
        "A known uuid with another plan does not make a second resource.",
        ONCE,
        |it| Box::pin(other_plan(it)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::should(
        "heroku.idempotency.newer-grant",
        "A known uuid with a newer grant, name or callback is still the same order.",
        clause::practice("grants end after five minutes, so a late retry brings a newer one"),
        |it| Box::pin(newer_grant(it)),
    ),
    Case::should(
        "heroku.idempotency.after-plan-change",
        "A retry of the first provision that comes after a plan change succeeds.",
        clause::practice("retries are late, and come in any order"),
        |it| Box::pin(after_plan_change(it)),
    )
    .needs(&[Capability::SecondPlan, Capability::AnswersWhenDone]),
];

fn id_of(seen: &Seen) -> Option<String> {
    seen.value().and_then(|body| made::text(&body["id"]))
}

/// Insists on the success of a repeated order, and on its id.
fn must_be_the_same(seen: &Seen, first: &Resource) -> Verdict {
    if !seen.is_success() {
        return Err(seen.wrong_status("the success of the first time", UNIQUE));
    }
    must_have_its_id(seen, first)
}

fn must_have_its_id(seen: &Seen, first: &Resource) -> Verdict {
    match id_of(seen) {
        Some(id) if id == first.id => Ok(()),
        Some(id) => Err(seen.fault(
            format!("The first answer had the id {}, and this one has {id}: there are two resources now.", first.id),
            UNIQUE,
        )),
        None => Err(seen.fault("The repeated answer holds no id.", UNIQUE)),
    }
}

async fn same_uuid(it: &Subject) -> Verdict {
    let first = it.ordered().await?;
    for _ in 0..2 {
        let seen = it.wire.send(first.order.clone()).await?.to("the same provision again");
        must_be_the_same(&seen, &first)?;
    }
    Ok(())
}

async fn repeated(it: &Subject) -> Result<(Resource, Seen), Stop> {
    let first = it.ordered().await?;
    let again = it.wire.send(first.order.clone()).await?;
    if again.is_success() {
        return Ok((first, again));
    }
    Err(Stop::skipped("a repeated provision is not answered with success (see heroku.idempotency.same-uuid-again)"))
}

async fn same_config(it: &Subject) -> Verdict {
    let (first, again) = repeated(it).await?;
    must_have_its_config(&again, &first)
}

fn must_have_its_config(seen: &Seen, first: &Resource) -> Verdict {
    let (before, after) = (config(&first.seen)?, config(seen)?);
    if before == after {
        return Ok(());
    }
    let names: Vec<_> =
        before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name)).collect();
    let name = names.first().map_or("a config var", |name| name.as_str());
    Err(seen
        .fault(format!("{name} is another one than in the first answer: something was made a second time."), UNIQUE))
}

async fn same_message(it: &Subject) -> Verdict {
    let (first, again) = repeated(it).await?;
    if first.seen.object()?.get("message") == again.object()?.get("message") {
        return Ok(());
    }
    Err(again.fault("The message is another one than in the first answer.", UNIQUE))
}

async fn all_at_once(it: &Subject) -> Result<(Call<Provision>, Vec<Seen>), Stop> {
    it.ordered().await?; // where one does not work, many say nothing
    let order = it.order();
    let answers = it.wire.send_all((0..MANY).map(|_| order.clone())).await?;
    Ok((order, answers))
}

async fn at_once(it: &Subject) -> Verdict {
    let (order, answers) = all_at_once(it).await?;
    // whoever could not be served may ask again, and so do we
    let later = settled(it, &order).await?;
    let first = super::resource(order, later)?;
    for seen in answers.iter().filter(|seen| seen.is_success()) {
        must_have_its_id(seen, &first)?;
        if seen.status() != 202 && first.seen.status() != 202 {
            must_have_its_config(seen, &first)?;
        }
    }
    Ok(())
}

/// The answer to an order that may still be under way: 5xx, 409 and 429 are asked again a few times.
async fn settled(it: &Subject, order: &Call<Provision>) -> Result<Seen, Stop> {
    for pause in [0, 50, 200, 500, 1_000] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let seen = it.wire.send(order.clone()).await?.to("the same provision once more");
        if seen.is_success() {
            return Ok(seen);
        }
        if !(seen.is_server_error() || matches!(seen.status(), 409 | 429)) || pause == 1_000 {
            return Err(seen.wrong_status("a success", UNIQUE));
        }
    }
    Err(Stop::skipped("it was never tried"))
}

async fn at_once_succeeds(it: &Subject) -> Verdict {
    let (_, answers) = all_at_once(it).await?;
    match answers.iter().find(|seen| !seen.is_success()) {
        None => Ok(()),
        Some(seen) => {
            let failed = answers.iter().filter(|seen| !seen.is_success()).count();
            Err(seen.fault(
                format!("{failed} of {MANY} are not answered with success, this one with {}.", seen.status()),
                "Let duplicates wait for the first one, and answer them alike: Heroku shows the customer a failure.",
            ))
        }
    }
}

async fn lost_reply(it: &Subject) -> Verdict {
    let first = it.ordered().await?;
    for moment in moments(first.seen.took()) {
        let order = it.order();
        let hang_up = order.clone().send_and_hang_up(moment);
        it.wire.disturb(&order, &hung_up(moment), hang_up).await;
        let retry = settled(it, &order).await?;
        let retried = super::resource(order.clone(), retry)?;
        let again = it.wire.send(order).await?.to("the retry of a provision whose answer was lost, again");
        must_be_the_same(&again, &retried)?;
    }
    Ok(())
}

async fn removed(it: &Subject) -> Result<Seen, Stop> {
    let resource = it.removed().await?;
    Ok(it.wire.send(resource.order).await?.to("a provision whose resource was removed"))
}

async fn stays_removed(it: &Subject) -> Verdict {
    let seen = removed(it).await?;
    let advice = "Keep the uuids of removed resources, and answer 410: a late retry must not make what nobody removes.";
    if seen.is_success() { Err(seen.wrong_status("410", advice)) } else { seen.must_be_refused(advice).map(drop) }
}

async fn removed_410(it: &Subject) -> Verdict {
    let seen = removed(it).await?;
    seen.must_be(&[410], "Answer 410: then the retries end.").map(drop)
}

async fn other_plan(it: &Subject) -> Verdict {
    let first = it.ordered().await?;
    let order = first.order.clone().set("plan", it.other_plan()?);
    let seen = it.wire.send(order).await?.to("a known uuid with another plan");
    if seen.is_success() {
        must_have_its_id(&seen, &first)
    } else {
        let advice = "Refuse with 422, or answer as the first time: the uuid says that it is the same resource.";
        seen.must_be_refused(advice).map(drop)
    }
}

async fn newer_grant(it: &Subject) -> Verdict {
    let first = it.ordered().await?;
    let grant =
        json!({ "code": it.market.new_uuid(), "type": "authorization_code", "expires_at": "2036-03-04T05:11:07-0800" });
    let order = first.order.clone().set("oauth_grant", grant).set("name", "lantern-renamed-4821");
    let order = order.set("callback_url", Value::from("https://api.heroku.com/addons/renamed"));
    let seen = it.wire.send(order).await?.to("a known uuid with a newer grant");
    must_be_the_same(&seen, &first)
}

async fn after_plan_change(it: &Subject) -> Verdict {
    let first = it.own().await?;
    let change = it.wire.send(it.plan_change(&first, it.other_plan()?)).await?;
    if !change.is_success() {
        let status = change.status();
        return Err(Stop::skipped(format!("the plan change is answered {status} (see heroku.plan-change.succeeds)")));
    }
    let seen = it.wire.send(first.order.clone()).await?.to("the first provision, after a plan change");
    must_be_the_same(&seen, &first)
}
