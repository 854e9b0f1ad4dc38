//! Delivery at least once: a repeated provision is the same resource.

use std::time::Duration;

use maitre_testkit::Call;
use maitre_testkit::heroku::Provision;
use serde_json::{Value, json};

use super::citation;
use super::resource::Resource;
use super::target::{PLAN_CHANGE, Target, must_be_deprovisioned};
use crate::check::{Capability, Case, Citation};
use crate::hang_up;
use crate::response::Response;
use crate::rules;
use crate::verdict::{Stop, Verdict};

const ONCE: Citation = citation::reference("delivery is at least once: repeated POSTs of a uuid make one resource");
const REPLAY: Citation =
    citation::reference("a repeated uuid is answered with the id, config and message of the first time");
/// Heroku's documentation does not say how a provision is answered after the deprovision of its uuid.
const REMOVED: Citation = citation::vendor_code("azimuttapp/azimutt", "410 to a uuid that was deprovisioned");

const REPEATED: &str = "Put a unique constraint on the uuid, and answer a repeated provision from the stored response.";

/// Number of concurrent requests.
const CONCURRENT: usize = 32;

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "heroku.idempotency.same-uuid-again",
        "A repeated provision succeeds again with the same id.",
        ONCE,
        |target| Box::pin(same_uuid(target)),
    ),
    Case::must(
        "heroku.idempotency.same-config",
        "A repeated provision is answered with the same config vars.",
        REPLAY,
        |target| Box::pin(same_config(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::must(
        "heroku.idempotency.removed-once",
        "One deprovision removes a resource whose provision was repeated.",
        ONCE,
        |target| Box::pin(removed_once(target)),
    )
    .needs(PLAN_CHANGE),
    Case::should(
        "heroku.idempotency.same-message",
        "A repeated provision is answered with the same message.",
        REPLAY,
        |target| Box::pin(same_message(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::must(
        "heroku.idempotency.at-once",
        "Thirty-two concurrent requests for the same provision create one resource.",
        ONCE,
        |target| Box::pin(concurrent(target)),
    )
    .alone(),
    Case::should(
        "heroku.idempotency.at-once-succeeds",
        "Thirty-two concurrent requests for the same provision all succeed.",
        citation::practice("a duplicate waits for the first request and gets its response"),
        |target| Box::pin(concurrent_succeeds(target)),
    )
    .alone(),
    Case::must(
        "heroku.idempotency.lost-reply",
        "A retry succeeds after the caller hung up before the response.",
        ONCE,
        |target| Box::pin(lost_reply(target)),
    ),
    Case::should(
        "heroku.idempotency.stays-removed",
        "A repeated provision does not recreate a deprovisioned resource.",
        REMOVED,
        |target| Box::pin(stays_removed(target)),
    ),
    Case::should(
        "heroku.idempotency.removed-410",
        "A provision of a deprovisioned uuid is answered 410.",
        REMOVED,
        |target| Box::pin(removed_410(target)),
    ),
    Case::must(
        "heroku.idempotency.other-plan",
        "A known uuid with another plan does not create a second resource.",
        ONCE,
        |target| Box::pin(other_plan(target)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::should(
        "heroku.idempotency.newer-grant",
        "A known uuid with a newer grant, name or callback is the same provision.",
        citation::practice("grants expire after five minutes, so a late retry has a newer one"),
        |target| Box::pin(newer_grant(target)),
    )
    .needs(&[Capability::Version3]),
    Case::should(
        "heroku.idempotency.after-plan-change",
        "A retry of the first provision succeeds after a plan change.",
        citation::practice("retries are late and arrive in any order"),
        |target| Box::pin(after_plan_change(target)),
    )
    .needs(&[Capability::PlanChange, Capability::SecondPlan, Capability::Synchronous]),
];

async fn same_uuid(target: &Target) -> Verdict {
    let first = target.new_resource().await?;
    for _ in 0..2 {
        let response = target.wire.send(first.provision.clone()).await?.to("a repeated provision");
        response.require(|parts| rules::is_same_resource(&first.id, parts))?;
    }
    Ok(())
}

/// Sends a provision twice; skips the check unless both have the same id.
async fn repeated(target: &Target) -> Result<(Resource, Response), Stop> {
    let first = target.new_resource().await?;
    let again = target.wire.send(first.provision.clone()).await?;
    let problem = match again.parts().id() {
        _ if !again.is_success() => "does not succeed",
        Some(id) if id == first.id => return Ok((first, again)),
        _ => "has another id",
    };
    Err(Stop::skipped(format!("a repeated provision {problem} (see heroku.idempotency.same-uuid-again)")))
}

async fn same_config(target: &Target) -> Verdict {
    let (first, again) = repeated(target).await?;
    if first.response.require(rules::config_is_strings).is_err() {
        return Err(Stop::skipped("the config vars are not an object of strings (see heroku.config.object)"));
    }
    again.require(|parts| rules::has_same_config(&first.response.parts(), parts))
}

async fn removed_once(target: &Target) -> Verdict {
    target.require_plan_change().await?;
    let (first, _) = repeated(target).await?;
    target.await_completion(&first).await?;
    let response = target.wire.send(target.deprovision(&first)).await?;
    if response.status() == 202 {
        return Err(Stop::skipped("a deprovision is answered 202, so its completion cannot be observed"));
    }
    must_be_deprovisioned(&response)?;
    let after = target.probe(&first).await?;
    if !after.is_success() {
        return Ok(());
    }
    Err(after.fault(
        "The resource was provisioned twice and deprovisioned once, and its plan can still be changed: the second \
         provision created another row, which is never deprovisioned.",
        REPEATED,
    ))
}

async fn same_message(target: &Target) -> Verdict {
    let (first, again) = repeated(target).await?;
    again.require(|parts| rules::has_same_message(&first.response.parts(), parts))
}

async fn send_concurrently(target: &Target) -> Result<(Call<Provision>, Vec<Response>), Stop> {
    repeated(target).await?; // if a second one does not succeed, many are meaningless
    let provision = target.provision();
    let responses = target.wire.send_all((0..CONCURRENT).map(|_| provision.clone())).await?;
    Ok((provision, responses))
}

async fn concurrent(target: &Target) -> Verdict {
    let (provision, responses) = send_concurrently(target).await?;
    // a request that failed may be retried
    let retried = retry(target, &provision).await?;
    let first = Resource::from_response(provision, retried)?;
    for response in responses.iter().filter(|response| response.is_success()) {
        response.require(|parts| rules::has_same_id(&first.id, parts))?;
        if response.status() != 202 && first.response.status() != 202 {
            response.require(|parts| rules::has_same_config(&first.response.parts(), parts))?;
        }
    }
    Ok(())
}

/// Sends a provision that may still be in progress; retries a few times on 5xx, 409 and 429.
async fn retry(target: &Target, provision: &Call<Provision>) -> Result<Response, Stop> {
    for delay in [0, 50, 200, 500, 1_000] {
        tokio::time::sleep(Duration::from_millis(delay)).await;
        let response = target.wire.send(provision.clone()).await?.to("a retry of the provision");
        if response.is_success() {
            return Ok(response);
        }
        if !(response.is_server_error() || matches!(response.status(), 409 | 429)) || delay == 1_000 {
            response.require(rules::repeated_succeeds)?;
        }
    }
    Err(Stop::skipped("the provision was not retried"))
}

async fn concurrent_succeeds(target: &Target) -> Verdict {
    let (_, responses) = send_concurrently(target).await?;
    match responses.iter().find(|response| !response.is_success()) {
        None => Ok(()),
        Some(response) => {
            let failed = responses.iter().filter(|response| !response.is_success()).count();
            Err(response.fault(
                format!("{failed} of {CONCURRENT} requests do not succeed, this one with {}.", response.status()),
                "Let duplicates wait for the first request, and send the same response: otherwise Heroku shows the \
                 customer a failure.",
            ))
        }
    }
}

async fn lost_reply(target: &Target) -> Verdict {
    let (first, _) = repeated(target).await?;
    for delay in hang_up::delays(first.response.duration()) {
        let provision = target.provision();
        let hang_up = provision.clone().send_and_hang_up(delay);
        target.wire.perform(&provision, &hang_up::description(delay), hang_up).await;
        let response = retry(target, &provision).await?;
        let retried = Resource::from_response(provision.clone(), response)?;
        let again = target.wire.send(provision).await?.to("a second retry of a provision whose response was lost");
        again.require(|parts| rules::is_same_resource(&retried.id, parts))?;
    }
    Ok(())
}

async fn provision_after_deprovision(target: &Target) -> Result<Response, Stop> {
    let resource = target.deprovisioned_resource().await?;
    Ok(target.wire.send(resource.provision).await?.to("a provision whose resource was deprovisioned"))
}

async fn stays_removed(target: &Target) -> Verdict {
    provision_after_deprovision(target).await?.require(rules::stays_deprovisioned)
}

async fn removed_410(target: &Target) -> Verdict {
    let response = provision_after_deprovision(target).await?;
    response.must_be(&[410], "Answer 410, which ends the retries.").map(drop)
}

async fn other_plan(target: &Target) -> Verdict {
    let (first, _) = repeated(target).await?;
    let provision = first.provision.clone().set("plan", target.other_plan()?);
    let response = target.wire.send(provision).await?.to("a known uuid with another plan");
    if response.is_success() {
        response.require(|parts| rules::has_same_id(&first.id, parts))
    } else {
        response.must_be_refused("Refuse with 422, or send the first response: the uuid identifies the same resource.")
    }
}

async fn newer_grant(target: &Target) -> Verdict {
    let (first, _) = repeated(target).await?;
    let code = target.heroku.new_uuid();
    let grant = json!({ "code": code, "type": "authorization_code", "expires_at": "2036-03-04T05:11:07-0800" });
    let provision = first.provision.clone().set("oauth_grant", grant).set("name", "lantern-renamed-4821");
    let provision = provision.set("callback_url", Value::from("https://api.heroku.com/addons/renamed"));
    let response = target.wire.send(provision).await?.to("a known uuid with a newer grant");
    response.require(|parts| rules::is_same_resource(&first.id, parts))
}

async fn after_plan_change(target: &Target) -> Verdict {
    repeated(target).await?;
    let first = target.ready_resource().await?;
    let change = target.wire.send(target.plan_change(&first, target.other_plan()?)).await?;
    if !change.is_success() {
        let status = change.status();
        return Err(Stop::skipped(format!("the plan change is answered {status} (see heroku.plan-change.succeeds)")));
    }
    let response = target.wire.send(first.provision.clone()).await?.to("the first provision after a plan change");
    response.require(|parts| rules::is_same_resource(&first.id, parts))
}
