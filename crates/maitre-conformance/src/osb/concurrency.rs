//! Concurrent requests.

use std::collections::BTreeSet;

use serde_json::json;

use super::citation;
use super::rules;
use super::target::{Target, operation_of};
use crate::check::{Capability, Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

/// Number of concurrent requests.
const CALLERS: usize = 8;

const BLOCKING: Citation = citation::blocking("a request that cannot be processed is answered 422 ConcurrencyError");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "osb.concurrency.same-provision",
        "Eight concurrent requests for the same provision succeed, or are answered 422 ConcurrencyError.",
        BLOCKING,
        |target| Box::pin(same_provision(target)),
    ),
    Case::should(
        "osb.concurrency.one-instance",
        "Of eight concurrent requests for the same provision at most one is answered 201.",
        citation::provisioning("201 if the instance was provisioned as a result of this request"),
        |target| Box::pin(one_instance(target)),
    ),
    Case::must(
        "osb.concurrency.one-operation",
        "Eight concurrent requests for the same provision are answered 202 with the same operation.",
        citation::provisioning("the operation string must match that returned for the original request"),
        |target| Box::pin(one_operation(target)),
    )
    .needs(&[Capability::Asynchronous]),
    Case::must(
        "osb.concurrency.different-provisions",
        "Of two different concurrent provisions of one id at most one succeeds.",
        citation::provisioning("409 if an instance with the same id is being provisioned with different attributes"),
        |target| Box::pin(different_provisions(target)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "osb.concurrency.many-instances",
        "Sixteen different provisions succeed concurrently.",
        citation::provisioning("the instance id is used to correlate the resource"),
        |target| Box::pin(many_instances(target)),
    ),
    Case::must(
        "osb.concurrency.same-bind",
        "Eight concurrent requests for the same bind have the same credentials, or are answered 422 ConcurrencyError.",
        BLOCKING,
        |target| Box::pin(same_bind(target)),
    )
    .needs(&[Capability::Bindings]),
    Case::must(
        "osb.concurrency.many-bindings",
        "Eight binds of one instance succeed concurrently, or are answered 422 ConcurrencyError.",
        BLOCKING,
        |target| Box::pin(many_bindings(target)),
    )
    .needs(&[Capability::Bindings]),
    Case::must(
        "osb.concurrency.same-delete",
        "Eight concurrent DELETEs of one instance are answered 200, 202, 410, or 422 ConcurrencyError.",
        BLOCKING,
        |target| Box::pin(same_delete(target)),
    ),
    Case::must(
        "osb.concurrency.updates",
        "Concurrent changes of plan are answered with a success, or 422 ConcurrencyError.",
        BLOCKING,
        |target| Box::pin(updates(target)),
    )
    .needs(&[Capability::PlanChange, Capability::SecondPlan]),
];

const ONE_INSTANCE: &str =
    "Put a unique constraint on the instance id, and let only the request that inserts the row create anything.";

/// Requires one of these statuses, or 422 `ConcurrencyError`.
fn is_success_or_concurrency_error(response: &Response, statuses: &[u16]) -> Verdict {
    if statuses.contains(&response.status()) {
        return Ok(());
    }
    rules::has_code(response, "ConcurrencyError", "if another request about the same resource is in progress")
}

async fn provisions(target: &Target) -> Result<Vec<Response>, Stop> {
    target.shared_instance().await?;
    let instance = target.instance()?;
    let responses = target.wire.send_all((0..CALLERS).map(|_| target.osb.provision(&instance))).await?;
    Ok(responses.into_iter().map(|response| response.to("one of eight concurrent provisions of one id")).collect())
}

async fn same_provision(target: &Target) -> Verdict {
    for response in provisions(target).await? {
        is_success_or_concurrency_error(&response, &[200, 201, 202])?;
    }
    Ok(())
}

async fn one_instance(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    if target.wire.send(target.osb.provision(&instance)).await?.status() == 201 {
        return Err(Stop::skipped("a repeated provision is answered 201, so that instances cannot be counted"));
    }
    let responses = provisions(target).await?;
    let mut created = responses.iter().filter(|response| response.status() == 201);
    match (created.next(), created.next()) {
        (Some(_), Some(second)) => {
            Err(second.fault("Two of eight concurrent requests were answered 201.", ONE_INSTANCE))
        }
        _ => Ok(()),
    }
}

async fn one_operation(target: &Target) -> Verdict {
    let responses = provisions(target).await?;
    let mut accepted = responses.iter().filter(|response| response.status() == 202);
    let operations: BTreeSet<_> = accepted.clone().map(operation_of).collect();
    match accepted.next_back() {
        Some(last) if operations.len() > 1 => {
            Err(last.fault(format!("Eight requests began {} operations.", operations.len()), ONE_INSTANCE))
        }
        _ => Ok(()),
    }
}

async fn different_provisions(target: &Target) -> Verdict {
    target.shared_instance().await?;
    let instance = target.instance()?;
    let other = target.other_plan()?;
    let call = |number: usize| {
        let call = target.osb.provision(&instance);
        if number.is_multiple_of(2) { call } else { call.set("plan_id", other) }
    };
    let responses = target.wire.send_all((0..CALLERS).map(call)).await?;
    let succeeded = |parity: usize| {
        let of_plan = responses.iter().enumerate().filter(move |(number, _)| number % 2 == parity);
        of_plan.map(|(_, response)| response).find(|response| response.is_success())
    };
    if let (Some(_), Some(second)) = (succeeded(0), succeeded(1)) {
        return Err(second.fault(
            "Provisions of one id with two plans succeeded both.",
            "Store the attributes in the same statement that reserves the id, and compare them.",
        ));
    }
    for response in responses.iter().filter(|response| !response.is_success() && response.status() != 409) {
        is_success_or_concurrency_error(response, &[])?;
    }
    Ok(())
}

async fn many_instances(target: &Target) -> Verdict {
    target.shared_instance().await?;
    let instances = (0..2 * CALLERS).map(|_| target.instance()).collect::<Result<Vec<_>, _>>()?;
    for response in target.wire.send_all(instances.iter().map(|instance| target.osb.provision(instance))).await? {
        let response = response.to("one of sixteen concurrent provisions");
        response.must_be(rules::DONE, "Do not share state between provisions of different ids.")?;
    }
    Ok(())
}

async fn same_bind(target: &Target) -> Verdict {
    let binding = target.binding().await?;
    let responses = target.wire.send_all((0..CALLERS).map(|_| target.osb.bind(&binding))).await?;
    let mut first = None;
    for response in responses {
        let response = response.to("one of eight concurrent binds of one id");
        is_success_or_concurrency_error(&response, &[200, 201, 202])?;
        let body = response.json().unwrap_or_default();
        let Some(credentials) = body.get("credentials").filter(|_| response.is_success()).cloned() else { continue };
        match &first {
            Some(known) if *known != credentials => {
                return Err(response.fault(
                    "Two concurrent requests for the same binding have different credentials.",
                    "Put a unique constraint on the binding id, and answer duplicates from the record.",
                ));
            }
            _ => first = Some(credentials),
        }
    }
    Ok(())
}

async fn many_bindings(target: &Target) -> Verdict {
    target.require_bind().await?;
    let instance = target.new_instance().await?;
    let bindings: Vec<_> = (0..CALLERS).map(|_| instance.new_binding()).collect();
    for response in target.wire.send_all(bindings.iter().map(|binding| target.osb.bind(binding))).await? {
        is_success_or_concurrency_error(&response.to("one of eight concurrent binds of one instance"), rules::DONE)?;
    }
    Ok(())
}

async fn same_delete(target: &Target) -> Verdict {
    target.require_delete().await?;
    let instance = target.new_instance().await?;
    for response in target.wire.send_all((0..CALLERS).map(|_| target.osb.deprovision(&instance))).await? {
        is_success_or_concurrency_error(&response.to("one of eight concurrent DELETEs"), &[200, 202, 410])?;
    }
    Ok(())
}

async fn updates(target: &Target) -> Verdict {
    target.require_update().await?;
    let instance = target.new_instance().await?;
    let other = target.other_plan()?;
    let call = |number: usize| {
        let plan = if number.is_multiple_of(2) { other } else { instance.plan_id() };
        // parameters are absent, so that only the plan differs
        target.osb.update(&instance, plan).set("context", json!({ "platform": "cloudfoundry" }))
    };
    for response in target.wire.send_all((0..CALLERS).map(call)).await? {
        is_success_or_concurrency_error(&response.to("one of eight concurrent updates"), &[200, 202])?;
    }
    Ok(())
}
