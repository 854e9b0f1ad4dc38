//! Unbinds.

use super::citation;
use super::rules;
use super::target::{Polled, Target};
use crate::check::{Capability, Case, Citation};
use crate::verdict::{Stop, Verdict};

const BINDABLE: &[Capability] = &[Capability::Bindings];

const MANDATORY: Citation = citation::unbinding("400 must be returned if the request is missing mandatory data");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "osb.unbind.succeeds",
        "An unbind is answered 200, or 202 if the platform accepts it, and completes.",
        citation::unbinding(
            "200 if the binding was deleted, 202 if this is in progress; any other status is a failure",
        ),
        |target| Box::pin(succeeds(target)),
    )
    .needs(BINDABLE),
    Case::must(
        "osb.unbind.body",
        "The response to an unbind is a JSON object.",
        citation::unbinding("the expected response body is {}"),
        |target| Box::pin(body(target)),
    )
    .needs(BINDABLE),
    Case::must(
        "osb.unbind.repeated",
        "A repeated unbind is answered 410.",
        citation::unbinding("410 must be returned if the binding does not exist"),
        |target| Box::pin(repeated(target)),
    )
    .needs(BINDABLE),
    Case::must("osb.unbind.missing-service", "An unbind without service_id is answered 400.", MANDATORY, |target| {
        Box::pin(missing(target, "service_id"))
    })
    .needs(BINDABLE),
    Case::must("osb.unbind.missing-plan", "An unbind without plan_id is answered 400.", MANDATORY, |target| {
        Box::pin(missing(target, "plan_id"))
    })
    .needs(BINDABLE),
    Case::must(
        "osb.unbind.synchronous",
        "An unbind without accepts_incomplete=true is answered 200, or 422 AsyncRequired.",
        citation::asynchronous("without accepts_incomplete=true, a broker must reject with 422 AsyncRequired"),
        |target| Box::pin(synchronous(target)),
    )
    .needs(BINDABLE),
    Case::must(
        "osb.unbind.leaves-others",
        "An unbind does not affect other bindings.",
        citation::unbinding("a broker deletes the resources associated with the binding"),
        |target| Box::pin(leaves_others(target)),
    )
    .needs(BINDABLE),
];

async fn succeeds(target: &Target) -> Verdict {
    let (binding, _) = target.bound().await?;
    let response = target.wire.send(target.osb.unbind(&binding)).await?;
    response
        .must_be(&[200, 202], "Answer 200 with {}: platforms read every other success, such as 204, as a failure.")?;
    if response.status() == 200 {
        return Ok(());
    }
    match target.poll_binding(&binding, &response).await? {
        Polled::Succeeded => Ok(()),
        Polled::Gone(last) if last.status() == 410 => Ok(()),
        Polled::Gone(last) | Polled::Failed(last) | Polled::Invalid(last) | Polled::TimedOut(last) => Err(last.fault(
            "The unbind does not complete.",
            "Answer last_operation with 410, or with 200 and the state succeeded, when it is done.",
        )),
    }
}

async fn body(target: &Target) -> Verdict {
    let (binding, _) = target.bound().await?;
    let response = target.wire.send(target.osb.unbind(&binding)).await?;
    if !response.is_success() {
        return Err(Stop::skipped(format!("an unbind is answered {} (see osb.unbind.succeeds)", response.status())));
    }
    rules::has_valid_operation(&response).map(drop)
}

async fn repeated(target: &Target) -> Verdict {
    let (binding, _) = target.bound().await?;
    target.remove_binding(&binding).await?;
    let response = target.wire.send(target.osb.unbind(&binding)).await?.to("a repeated unbind");
    response.must_be(&[410], "Answer 410 with {} if the binding no longer exists.").map(drop)
}

async fn missing(target: &Target, field: &str) -> Verdict {
    let (binding, _) = target.bound().await?;
    let response = target.wire.send(target.osb.unbind(&binding).without_query(field)).await?;
    rules::is_bad_request(&response, &format!("Answer 400 with a description if the query has no {field}."))
}

async fn synchronous(target: &Target) -> Verdict {
    target.require_unbind().await?;
    let (binding, _) = target.bound().await?;
    let response = target.wire.send(target.osb.unbind(&binding).accepts_incomplete(false)).await?;
    rules::is_synchronous(&response, &[200])
}

async fn leaves_others(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let ((one, _), (other, _)) = (target.new_binding(&instance).await?, target.new_binding(&instance).await?);
    target.remove_binding(&one).await?;
    let response = target.wire.send(target.osb.unbind(&other)).await?.to("an unbind of another binding");
    response.must_be(&[200, 202], "Delete only the binding that the path names.").map(drop)
}
