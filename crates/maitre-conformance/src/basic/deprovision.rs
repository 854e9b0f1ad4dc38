//! Deprovisions.

use serde_json::json;

use super::case::case;
use super::contract::{BasicMarketplace, Clause};
use super::target::Target;
use crate::check::Case;
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const GONE: &str = "Answer that the resource does not exist: the deprovision is then complete.";

pub(super) fn cases<M: BasicMarketplace>() -> Vec<Case<Target<M>>> {
    let clauses = &M::CONTRACT.clauses;
    vec![
        case("deprovision.succeeds", "A deprovision succeeds.", clauses.deprovisioned, |target| {
            Box::pin(succeeds(target))
        }),
        case("deprovision.again", "A repeated deprovision is answered as documented.", clauses.gone, |target| {
            Box::pin(again(target))
        }),
        case(
            "deprovision.unknown",
            "A deprovision of an unknown resource is answered as documented.",
            clauses.gone,
            |target| Box::pin(unknown(target)),
        ),
        case("deprovision.empty-object", "A deprovision with the body {} succeeds.", clauses.delete_body, |target| {
            Box::pin(empty_object(target))
        }),
        case(
            "deprovision.after-plan-change",
            "A resource can be deprovisioned after a plan change.",
            clauses.deprovisioned,
            |target| Box::pin(after_plan_change(target)),
        ),
        case(
            "deprovision.leaves-others",
            "A deprovision does not affect other resources.",
            clauses.deprovisioned,
            |target| Box::pin(leaves_others(target)),
        )
        .alone(),
        case(
            "deprovision.concurrent",
            "Eight concurrent requests for the same deprovision cause no server error.",
            Clause::practice("a marketplace repeats a request whose response it did not get"),
            |target| Box::pin(concurrent(target)),
        ),
    ]
}

pub(super) fn must_succeed<M: BasicMarketplace>(response: &Response) -> Verdict {
    let advice = match response.status() {
        404 | 405 | 410 => "Find the resource by the id in the path, and serve DELETE.",
        400 | 411 | 415 | 422 => "A DELETE has neither a body nor a content type: require neither.",
        _ => "A deprovision must work in every state and without other services.",
    };
    response.must_be(M::CONTRACT.deprovisioned, advice).map(drop)
}

async fn succeeds<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let resource = target.new_resource().await?;
    must_succeed::<M>(&target.delete(&resource).await?)
}

async fn again<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let resource = target.removed_resource().await?;
    let response = target.delete(&resource).await?.to("a repeated deprovision");
    response.must_be(M::CONTRACT.gone, GONE).map(drop)
}

async fn unknown<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_deprovision().await?;
    let call = target.market().deprovision(&target.market().new_key());
    let response = target.send(call).await?.to("a deprovision of an unknown resource");
    response.must_be(M::CONTRACT.gone, GONE).map(drop)
}

async fn empty_object<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_deprovision().await?;
    let resource = target.new_resource().await?;
    let call = target.market().deprovision(&resource.name).header("content-type", "application/json");
    must_succeed::<M>(&target.send(call.body(json!({}).to_string())).await?.to("a deprovision with the body {}"))
}

async fn after_plan_change<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_deprovision().await?;
    target.require_plan_change().await?;
    let resource = target.new_resource().await?;
    target.change(&resource, target.other_plan()).await?;
    must_succeed::<M>(&target.delete(&resource).await?.to("a deprovision after a plan change"))
}

async fn leaves_others<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_plan_change().await?;
    let other = target.new_resource().await?;
    let removed = target.removed_resource().await?;
    if removed.name == other.name {
        let marketplace = M::CONTRACT.marketplace;
        return Err(Stop::skipped(format!("two resources have the same id (see {marketplace}.provision.ids-differ)")));
    }
    let response = target.change(&other, target.other_plan()).await?;
    if matches!(response.status(), 404 | 410) {
        return Err(response.fault(
            "After the deprovision of one resource, another one no longer exists.",
            "Deprovision only the resource that the path names.",
        ));
    }
    Ok(())
}

async fn concurrent<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_deprovision().await?;
    let resource = target.new_resource().await?;
    let call = target.market().deprovision(&resource.name);
    for response in target.wire.send_all((0..8).map(|_| call.clone())).await? {
        let response = response.to("one of eight concurrent deprovisions");
        // an add-on may ask for a retry during another deprovision
        if response.status() != 503 && response.is_server_error() {
            return Err(response.wrong_status("a success or a client error", GONE));
        }
    }
    Ok(())
}
