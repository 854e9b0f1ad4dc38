//! Delivery is at least once: the same provision twice is one resource.

use std::time::Duration;

use maitre_testkit::Call;
use maitre_testkit::heroku::Provision;
use serde_json::{Value, json};

use super::resource::Resource;
use super::target::Target;
use super::{citation, hang_up};
use crate::check::{Capability, Case, Citation};
use crate::cleanup::id_text;
use crate::response::Response;
use crate::rules::config;
use crate::verdict::{Stop, Verdict};

const ONCE: Citation = citation::reference("delivery is at least once: repeated POSTs of a uuid make one resource");
const REPLAY: Citation =
    citation::reference("a repeated uuid is answered with the id, config and message of the first time");
/// Heroku's own text does not say what becomes of a uuid after its deprovision.
const REMOVED: Citation = citation::vendor_code("azimuttapp/azimutt", "410 to a uuid that was deprovisioned");

const UNIQUE: &str = "Put the uuid under a unique constraint, and answer a repeated provision from what is stored: the \
                      same id, config and message as the first time.";

const MANY: usize = 32;

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "heroku.idempotency.same-uuid-again",
        "The same provision, sent again, succeeds again with the same id.",
        ONCE,
        |target| Box::pin(same_uuid(target)),
    ),
    Case::must(
        "heroku.idempotency.same-config",
        "The same provision, sent again, gets the same config vars.",
        REPLAY,
        |target| Box::pin(same_config(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::should(
        "heroku.idempotency.same-message",
        "The same provision, sent again, gets the same message.",
        REPLAY,
        |target| Box::pin(same_message(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::must(
        "heroku.idempotency.at-once",
        "The same provision, sent 32 times at once, makes one resource.",
        ONCE,
        |target| Box::pin(at_once(target)),
    ),
    Case::should(
        "heroku.idempotency.at-once-succeeds",
        "The same provision, sent 32 times at once, succeeds 32 times.",
        citation::practice("a duplicate waits for the first one and gets its answer"),
        |target| Box::pin(at_once_succeeds(target)),
    ),
    Case::must(
        "heroku.idempotency.lost-reply",
        "Whoever hangs up before the answer and asks again gets it.",
        ONCE,
        |target| Box::pin(lost_reply(target)),
    ),
    Case::should(
        "heroku.idempotency.stays-removed",
        "A provision that comes again after its resource was removed does not bring it back.",
        REMOVED,
        |target| Box::pin(stays_removed(target)),
    ),
    Case::should(
        "heroku.idempotency.removed-410",
        "A provision of a removed uuid is answered 410.",
        REMOVED,
        |target| Box::pin(removed_410(target)),
    ),
    Case::must(
        "heroku.idempotency.other-plan",
        "A known uuid with another plan does not make a second resource.",
        ONCE,
        |target| Box::pin(other_plan(target)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::should(
        "heroku.idempotency.newer-grant",
        "A known uuid with a newer grant, name or callback is still the same provision.",
        citation::practice("grants end after five minutes, so a late retry brings a newer one"),
        |target| Box::pin(newer_grant(target)),
    ),
    Case::should(
        "heroku.idempotency.after-plan-change",
        "A retry of the first provision that comes after a plan change succeeds.",
        citation::practice("retries are late, and come in any provision"),
        |target| Box::pin(after_plan_change(target)),
    )
    .needs(&[Capability::SecondPlan, Capability::Synchronous]),
];

fn id_of(response: &Response) -> Option<String> {
    response.json().and_then(|body| id_text(&body["id"]))
}

/// Insists on the success of a repeated provision, and on its id.
fn must_be_the_same(response: &Response, first: &Resource) -> Verdict {
    if !response.is_success() {
        return Err(response.wrong_status("the success of the first time", UNIQUE));
    }
    must_have_its_id(response, first)
}

fn must_have_its_id(response: &Response, first: &Resource) -> Verdict {
    match id_of(response) {
        Some(id) if id == first.id => Ok(()),
        Some(id) => Err(response.fault(
            format!("The first answer had the id {}, and this one has {id}: there are two resources now.", first.id),
            UNIQUE,
        )),
        None => Err(response.fault("The repeated answer holds no id.", UNIQUE)),
    }
}

async fn same_uuid(target: &Target) -> Verdict {
    let first = target.new_resource().await?;
    for _ in 0..2 {
        let response = target.wire.send(first.provision.clone()).await?.to("the same provision again");
        must_be_the_same(&response, &first)?;
    }
    Ok(())
}

async fn repeated(target: &Target) -> Result<(Resource, Response), Stop> {
    let first = target.new_resource().await?;
    let again = target.wire.send(first.provision.clone()).await?;
    if again.is_success() {
        return Ok((first, again));
    }
    Err(Stop::skipped("a repeated provision is not answered with success (see heroku.idempotency.same-uuid-again)"))
}

async fn same_config(target: &Target) -> Verdict {
    let (first, again) = repeated(target).await?;
    must_have_its_config(&again, &first)
}

fn must_have_its_config(response: &Response, first: &Resource) -> Verdict {
    let (before, after) = (config(&first.response)?, config(response)?);
    if before == after {
        return Ok(());
    }
    let names: Vec<_> =
        before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name)).collect();
    let name = names.first().map_or("a config var", |name| name.as_str());
    Err(response
        .fault(format!("{name} is another one than in the first answer: something was made a second time."), UNIQUE))
}

async fn same_message(target: &Target) -> Verdict {
    let (first, again) = repeated(target).await?;
    if first.response.object()?.get("message") == again.object()?.get("message") {
        return Ok(());
    }
    Err(again.fault("The message is another one than in the first answer.", UNIQUE))
}

async fn all_at_once(target: &Target) -> Result<(Call<Provision>, Vec<Response>), Stop> {
    target.new_resource().await?; // where one does not work, many say nothing
    let provision = target.provision();
    let answers = target.wire.send_all((0..MANY).map(|_| provision.clone())).await?;
    Ok((provision, answers))
}

async fn at_once(target: &Target) -> Verdict {
    let (provision, answers) = all_at_once(target).await?;
    // whoever could not be served may ask again, and so do we
    let later = settled(target, &provision).await?;
    let first = Resource::from_response(provision, later)?;
    for response in answers.iter().filter(|response| response.is_success()) {
        must_have_its_id(response, &first)?;
        if response.status() != 202 && first.response.status() != 202 {
            must_have_its_config(response, &first)?;
        }
    }
    Ok(())
}

/// The answer to an provision that may still be under way: 5xx, 409 and 429 are asked again a few times.
async fn settled(target: &Target, provision: &Call<Provision>) -> Result<Response, Stop> {
    for pause in [0, 50, 200, 500, 1_000] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let response = target.wire.send(provision.clone()).await?.to("the same provision once more");
        if response.is_success() {
            return Ok(response);
        }
        if !(response.is_server_error() || matches!(response.status(), 409 | 429)) || pause == 1_000 {
            return Err(response.wrong_status("a success", UNIQUE));
        }
    }
    Err(Stop::skipped("it was never tried"))
}

async fn at_once_succeeds(target: &Target) -> Verdict {
    let (_, answers) = all_at_once(target).await?;
    match answers.iter().find(|response| !response.is_success()) {
        None => Ok(()),
        Some(response) => {
            let failed = answers.iter().filter(|response| !response.is_success()).count();
            Err(response.fault(
                format!("{failed} of {MANY} are not answered with success, this one with {}.", response.status()),
                "Let duplicates wait for the first one, and answer them alike: Heroku shows the customer a failure.",
            ))
        }
    }
}

async fn lost_reply(target: &Target) -> Verdict {
    let first = target.new_resource().await?;
    for delay in hang_up::delays(first.response.duration()) {
        let provision = target.provision();
        let hang_up = provision.clone().send_and_hang_up(delay);
        target.wire.perform(&provision, &hang_up::description(delay), hang_up).await;
        let retry = settled(target, &provision).await?;
        let retried = Resource::from_response(provision.clone(), retry)?;
        let again = target.wire.send(provision).await?.to("the retry of a provision whose answer was lost, again");
        must_be_the_same(&again, &retried)?;
    }
    Ok(())
}

async fn removed(target: &Target) -> Result<Response, Stop> {
    let resource = target.deprovisioned_resource().await?;
    Ok(target.wire.send(resource.provision).await?.to("a provision whose resource was removed"))
}

async fn stays_removed(target: &Target) -> Verdict {
    let response = removed(target).await?;
    let advice = "Keep the uuids of removed resources, and answer 410: a late retry must not make what nobody removes.";
    if response.is_success() {
        Err(response.wrong_status("410", advice))
    } else {
        response.must_be_refused(advice).map(drop)
    }
}

async fn removed_410(target: &Target) -> Verdict {
    let response = removed(target).await?;
    response.must_be(&[410], "Answer 410: then the retries end.").map(drop)
}

async fn other_plan(target: &Target) -> Verdict {
    let first = target.new_resource().await?;
    let provision = first.provision.clone().set("plan", target.other_plan()?);
    let response = target.wire.send(provision).await?.to("a known uuid with another plan");
    if response.is_success() {
        must_have_its_id(&response, &first)
    } else {
        let advice = "Refuse with 422, or answer as the first time: the uuid says that it is the same resource.";
        response.must_be_refused(advice).map(drop)
    }
}

async fn newer_grant(target: &Target) -> Verdict {
    let first = target.new_resource().await?;
    let grant = json!({ "code": target.heroku.new_uuid(), "type": "authorization_code", "expires_at": "2036-03-04T05:11:07-0800" });
    let provision = first.provision.clone().set("oauth_grant", grant).set("name", "lantern-renamed-4821");
    let provision = provision.set("callback_url", Value::from("https://api.heroku.com/addons/renamed"));
    let response = target.wire.send(provision).await?.to("a known uuid with a newer grant");
    must_be_the_same(&response, &first)
}

async fn after_plan_change(target: &Target) -> Verdict {
    let first = target.ready_resource().await?;
    let change = target.wire.send(target.plan_change(&first, target.other_plan()?)).await?;
    if !change.is_success() {
        let status = change.status();
        return Err(Stop::skipped(format!("the plan change is answered {status} (see heroku.plan-change.succeeds)")));
    }
    let response = target.wire.send(first.provision.clone()).await?.to("the first provision, after a plan change");
    must_be_the_same(&response, &first)
}
