//! Plan changes.

use serde_json::json;

use super::case::case;
use super::contract::{BasicMarketplace, Clause};
use super::provision::must_be_refused_with_message;
use super::target::Target;
use crate::check::Case;
use crate::response::Response;
use crate::rules;
use crate::verdict::{Stop, Verdict};

const REFUSE: &str = "Answer 400, or 422 with a message.";

pub(super) fn cases<M: BasicMarketplace>() -> Vec<Case<Target<M>>> {
    let clauses = &M::CONTRACT.clauses;
    vec![
        case(
            "plan-change.succeeds",
            "A plan change succeeds, or is answered 422 with a message.",
            clauses.plan_changed,
            |target| Box::pin(succeeds(target)),
        ),
        case(
            "plan-change.body",
            "The response to a plan change is a JSON object with a message that is a string, or has no body if the contract \
             allows it.",
            clauses.change_body,
            |target| Box::pin(body(target)),
        ),
        case(
            "plan-change.same-plan",
            "A change to the current plan succeeds.",
            Clause::practice("a repeated change is not an error"),
            |target| Box::pin(same_plan(target)),
        ),
        case(
            "plan-change.unknown-plan",
            "A change to an unknown plan is answered 422 with a message.",
            clauses.change_refusal,
            |target| Box::pin(unknown_plan(target)),
        ),
        case(
            "plan-change.unknown-resource",
            "A plan change of an unknown resource is answered 404.",
            clauses.change_unknown,
            |target| Box::pin(unknown_resource(target)),
        ),
        case(
            "plan-change.removed-resource",
            "A plan change of a deprovisioned resource is answered 404 or 410.",
            Clause::practice("a deprovisioned resource does not exist"),
            |target| Box::pin(removed_resource(target)),
        ),
        case(
            "plan-change.missing-plan",
            "A plan change without a plan is refused with the documented status, or with 400 or 422.",
            clauses.change_missing_plan,
            |target| Box::pin(missing_plan(target)),
        ),
        case(
            "plan-change.no-json",
            "A plan change whose body is not JSON is answered with a client error.",
            clauses.malformed.advised(),
            |target| Box::pin(no_json(target)),
        ),
        case(
            "plan-change.unknown-fields",
            "Unknown fields of a plan change are ignored.",
            Clause::practice("a marketplace adds fields at any time"),
            |target| Box::pin(unknown_fields(target)),
        ),
        case(
            "plan-change.concurrent",
            "Eight concurrent plan changes of one resource cause no server error.",
            Clause::practice("a marketplace repeats a request whose response it did not get"),
            |target| Box::pin(concurrent(target)),
        ),
    ]
}

async fn succeeds<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let resource = target.new_resource().await?;
    let response = target.change(&resource, target.other_plan()).await?;
    match response.status() {
        422 => must_be_refused_with_message::<M>(&response),
        404 | 405 | 410 => {
            Err(response.wrong_status("a success", "Serve plan changes, and find the resource by the id in the path."))
        }
        _ => must_succeed::<M>(&response),
    }
}

fn must_succeed<M: BasicMarketplace>(response: &Response) -> Verdict {
    let advice = "Answer a plan change with the documented status; the body is optional or has a message.";
    response.must_be(M::CONTRACT.plan_changed, advice).map(drop)
}

async fn body<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.new_resource().await?;
    let response = target.change(&resource, target.other_plan()).await?;
    if response.status() == 204 {
        return Ok(()); // see plan-change.succeeds
    }
    response.require(rules::message_is_string)?;
    response.require(rules::config_is_strings)
}

async fn same_plan<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.new_resource().await?;
    must_succeed::<M>(&target.change(&resource, target.plan()).await?.to("a change to the current plan"))
}

async fn unknown_plan<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.new_resource().await?;
    let response = target.change(&resource, &target.unknown_plan()).await?.to("a change to an unknown plan");
    if response.is_success() {
        return Err(Stop::skipped("the add-on accepts any plan, so a refusal could not be observed"));
    }
    must_be_refused_with_message::<M>(&response)
}

async fn unknown_resource<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_plan_change().await?;
    let call = target.market().plan_change(&target.market().new_key(), target.other_plan());
    let response = target.send(call).await?.to("a plan change of an unknown resource");
    response.must_be(&[404], "Answer 404, and create nothing.").map(drop)
}

async fn removed_resource<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.removed_resource().await?;
    let response = target.change(&resource, target.other_plan()).await?.to("a plan change after a deprovision");
    response.must_be(&[404, 410], "Answer 404, and create nothing.").map(drop)
}

async fn missing_plan<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.new_resource().await?;
    let call = target.market().plan_change(&resource.name, target.plan()).without(M::CONTRACT.plan);
    let response = target.send(call).await?.to("a plan change without a plan");
    response.must_be(M::CONTRACT.without_plan, REFUSE).map(drop)
}

async fn no_json<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.new_resource().await?;
    let call = target.market().plan_change(&resource.name, target.plan()).body("{");
    target.send(call).await?.to("a plan change whose body is not JSON").must_be_refused(REFUSE)
}

async fn unknown_fields<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.new_resource().await?;
    let call = target.market().plan_change(&resource.name, target.other_plan());
    let call = call.set(M::CONTRACT.key, resource.key.as_str()).set("feature_of_next_year", json!([1]));
    must_succeed::<M>(&target.send(call).await?.to("a plan change with unknown fields"))
}

async fn concurrent<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.new_resource().await?;
    let plans = [target.plan(), target.other_plan()].into_iter().cycle().take(8);
    let calls: Vec<_> = plans.map(|plan| target.market().plan_change(&resource.name, plan)).collect();
    for response in target.wire.send_all(calls).await? {
        let response = response.to("one of eight concurrent plan changes");
        // an add-on may ask for a retry during another change
        if response.status() != 503 && response.is_server_error() {
            return Err(response.wrong_status("a success or a client error", "Serialize the changes of one resource."));
        }
    }
    Ok(())
}
