//! Asynchronous operations and their state.

use maitre_testkit::osb::{BindingId, InstanceId};
use serde_json::{Value, json};

use super::citation;
use super::rules;
use super::target::{Polled, Target, operation_of};
use crate::check::{Capability, Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const ASYNC: &[Capability] = &[Capability::Asynchronous];
const ASYNC_FETCH: &[Capability] = &[Capability::Asynchronous, Capability::FetchInstance];
const ASYNC_BIND: &[Capability] = &[Capability::Bindings, Capability::AsynchronousBindings];

const BODY: Citation = citation::polling("the fields of success responses");
const SAME_OPERATION: &str = "the operation string must match that returned for the original request";
const GONE: Citation = citation::polling("200 with the state succeeded, or 410 after an asynchronous delete");

pub(super) const CASES: &[Case<Target>] = &[
    Case::should(
        "osb.polling.unknown-instance",
        "A poll of an unknown instance is answered with a client error.",
        citation::polling("the instance id must be that of a previously provisioned instance"),
        |target| Box::pin(unknown_instance(target)),
    ),
    Case::should(
        "osb.polling.synchronous",
        "A poll of an instance that was provisioned synchronously causes no server error.",
        citation::practice("platforms and operators poll at any time"),
        |target| Box::pin(synchronous(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::must(
        "osb.polling.operation",
        "The operation of a 202 is a string of at most 10,000 characters, or absent.",
        citation::provisioning("operation must not contain more than 10,000 characters"),
        |target| Box::pin(operation(target)),
    )
    .needs(ASYNC),
    Case::must(
        "osb.polling.state",
        "A poll is answered 200 with a state and, optionally, a description.",
        BODY,
        |target| Box::pin(state(target)),
    )
    .needs(ASYNC),
    Case::must(
        "osb.polling.completes",
        "A provision that was answered 202 ends with the state succeeded.",
        citation::polling("the platform polls until the operation has succeeded or failed"),
        |target| Box::pin(completes(target)),
    )
    .needs(ASYNC),
    Case::must(
        "osb.polling.hints",
        "A poll does not require service_id and plan_id.",
        citation::polling("the query parameters service_id and plan_id are not mandatory"),
        |target| Box::pin(hints(target)),
    )
    .needs(ASYNC),
    Case::should(
        "osb.polling.retry-after",
        "Retry-After is a number of seconds, if it is sent.",
        citation::polling("it is recommended that the header includes a duration rather than a timestamp"),
        |target| Box::pin(retry_after(target)),
    )
    .needs(ASYNC),
    Case::must(
        "osb.polling.repeated",
        "A provision that is repeated while it runs is answered 202 with the same operation.",
        citation::provisioning(SAME_OPERATION),
        |target| Box::pin(repeated(target)),
    )
    .needs(ASYNC),
    Case::must(
        "osb.polling.conflict",
        "A provision with other attributes is answered 409 while the first one runs.",
        citation::provisioning("409 if an instance with the same id is being provisioned with different attributes"),
        |target| Box::pin(conflict(target)),
    )
    .needs(ASYNC),
    Case::must(
        "osb.polling.fetch",
        "A fetch is answered 404 while the instance is being provisioned.",
        citation::fetching("404 must be returned if a provisioning operation is still in progress"),
        |target| Box::pin(fetch(target)),
    )
    .needs(ASYNC_FETCH),
    Case::must(
        "osb.polling.dashboard-url",
        "A 202 has the dashboard_url of the finished instance.",
        citation::provisioning("dashboard_url must be returned with the initial response, even if asynchronous"),
        |target| Box::pin(dashboard_url(target)),
    )
    .needs(ASYNC),
    Case::must(
        "osb.polling.update",
        "An update while the instance is being provisioned is accepted, or answered 422 ConcurrencyError.",
        citation::blocking("422 ConcurrencyError if a request cannot be processed due to a concurrency issue"),
        |target| Box::pin(update(target)),
    )
    .needs(&[Capability::Asynchronous, Capability::PlanChange]),
    Case::must(
        "osb.polling.delete",
        "A DELETE while the instance is being provisioned removes it, or is answered 422 ConcurrencyError.",
        citation::deprovisioning("it must have the net effect of halting the creation and beginning the deletion"),
        |target| Box::pin(delete(target)),
    )
    .needs(ASYNC),
    Case::must(
        "osb.polling.delete-completes",
        "An asynchronous DELETE ends with 410, or with the state succeeded.",
        GONE,
        |target| Box::pin(delete_completes(target)),
    )
    .needs(ASYNC),
    Case::must(
        "osb.polling.delete-repeated",
        "A DELETE that is repeated while it runs is answered 202 with the same operation.",
        citation::deprovisioning(SAME_OPERATION),
        |target| Box::pin(delete_repeated(target)),
    )
    .needs(ASYNC),
    Case::must(
        "osb.polling.binding-completes",
        "A bind that was answered 202 ends with the state succeeded.",
        citation::polling("the platform polls until the operation has succeeded or failed"),
        |target| Box::pin(binding_completes(target)),
    )
    .needs(ASYNC_BIND),
    Case::must(
        "osb.polling.binding-without-credentials",
        "The 202 to a bind has no credentials.",
        citation::binding("credentials must not be returned in this response"),
        |target| Box::pin(binding_without_credentials(target)),
    )
    .needs(ASYNC_BIND),
    Case::must(
        "osb.polling.binding-repeated",
        "A bind that is repeated while it runs is answered 202 with the same operation.",
        citation::binding(SAME_OPERATION),
        |target| Box::pin(binding_repeated(target)),
    )
    .needs(ASYNC_BIND),
    Case::must(
        "osb.polling.binding-retrievable",
        "A service whose bindings are asynchronous is bindings_retrievable.",
        citation::polling("information regarding the binding can be fetched after the state succeeded"),
        |target| Box::pin(std::future::ready(binding_retrievable(target))),
    )
    .needs(ASYNC_BIND),
    Case::must(
        "osb.polling.binding-fetch",
        "A fetch of a binding is answered 404 while the bind runs.",
        citation::fetching_binding("404 must be returned if a binding operation is still in progress"),
        |target| Box::pin(binding_fetch(target)),
    )
    .needs(&[Capability::Bindings, Capability::AsynchronousBindings, Capability::FetchBinding]),
];

/// Begins an asynchronous provision.
async fn begin(target: &Target) -> Result<(InstanceId, Response), Stop> {
    let instance = target.instance()?;
    let response = target.wire.send(target.osb.provision(&instance)).await?;
    match response.status() {
        202 => Ok((instance, response)),
        status => Err(Stop::skipped(format!("this provision is answered {status}, not 202"))),
    }
}

/// Returns whether the operation of a 202 still runs.
async fn is_running(target: &Target, instance: &InstanceId, accepted: &Response) -> Result<bool, Stop> {
    let poll = target.osb.last_operation(instance, operation_of(accepted).as_deref());
    let response = target.wire.send(poll).await?;
    Ok(response.json().is_some_and(|body| body["state"] == "in progress"))
}

const TOO_FAST: &str = "the operation was finished before it could be observed";

/// Requires 202 with the operation of the first response, unless the operation has ended.
fn is_same_operation(first: &Response, second: &Response, is_running: bool) -> Verdict {
    let advice =
        "Store the operation with the instance, and answer a repeated request with 202 and the same operation.";
    if second.status() != 202 {
        if is_running {
            return Err(second.wrong_status("202", advice));
        }
        return Err(Stop::skipped(TOO_FAST));
    }
    if operation_of(first) == operation_of(second) {
        return Ok(());
    }
    Err(second.fault("The operation differs from the first response.", advice))
}

async fn unknown_instance(target: &Target) -> Verdict {
    let response = target.wire.send(target.osb.last_operation(&target.instance()?, None)).await?;
    response.must_be_refused("Answer 404 with a description if the instance does not exist.")
}

async fn synchronous(target: &Target) -> Verdict {
    let instance = target.shared_instance().await?;
    rules::is_handled(&target.wire.send(target.osb.last_operation(&instance, None)).await?)
}

async fn operation(target: &Target) -> Verdict {
    let (_, accepted) = begin(target).await?;
    rules::has_valid_operation(&accepted).map(drop)
}

async fn state(target: &Target) -> Verdict {
    let (instance, accepted) = begin(target).await?;
    let poll = target.osb.last_operation(&instance, operation_of(&accepted).as_deref());
    let response = target.wire.send(poll).await?;
    let advice = "Answer {\"state\": \"in progress\", \"description\": \"…\"}; the state is `in progress`, `succeeded` or `failed`.";
    response.must_be(&[200], advice)?;
    let body = rules::object(&response)?;
    let states = ["in progress", "succeeded", "failed"];
    if !states.iter().any(|state| body.get("state").is_some_and(|found| found == state)) {
        let found = body.get("state").cloned().unwrap_or_default();
        return Err(response.fault(format!("The state is {found}."), advice));
    }
    match body.get("description") {
        None | Some(Value::Null | Value::String(_)) => Ok(()),
        Some(_) => Err(response.fault("The description is not a string.", advice)),
    }
}

async fn completes(target: &Target) -> Verdict {
    let (instance, accepted) = begin(target).await?;
    let advice = "Answer last_operation with the state succeeded when the instance can be used.";
    match target.poll(&instance, &accepted).await? {
        Polled::Succeeded => Ok(()),
        Polled::Failed(last) => Err(last.fault("The provision fails.", "Look in the broker's log for the reason.")),
        Polled::Gone(last) | Polled::Invalid(last) => Err(last.wrong_status("200 with a state", advice)),
        Polled::TimedOut(last) => {
            Err(last.fault("The provision is still in progress after the time for asynchronous operations.", advice))
        }
    }
}

async fn hints(target: &Target) -> Verdict {
    let (instance, accepted) = begin(target).await?;
    let poll = target.osb.last_operation(&instance, operation_of(&accepted).as_deref());
    let response = target.wire.send(poll.without_query("service_id").without_query("plan_id")).await?;
    response.must_be(&[200], "Find the operation by the instance: the other parameters are hints.").map(drop)
}

async fn retry_after(target: &Target) -> Verdict {
    let (instance, accepted) = begin(target).await?;
    let poll = target.osb.last_operation(&instance, operation_of(&accepted).as_deref());
    let response = target.wire.send(poll).await?;
    match response.header("retry-after") {
        None => Err(Stop::skipped("polls have no Retry-After")),
        Some(value) if value.parse::<u32>().is_ok() => Ok(()),
        Some(value) => {
            Err(response.fault(format!("Retry-After is {value}."), "Send a number of seconds, or omit the header."))
        }
    }
}

async fn repeated(target: &Target) -> Verdict {
    let (instance, first) = begin(target).await?;
    let second = target.wire.send(target.osb.provision(&instance)).await?.to("a repeated provision");
    let is_running = is_running(target, &instance, &first).await?;
    is_same_operation(&first, &second, is_running)
}

async fn conflict(target: &Target) -> Verdict {
    let (instance, first) = begin(target).await?;
    let other = target.osb.provision(&instance);
    let other = match target.other_plan() {
        Ok(plan) => other.set("plan_id", plan),
        Err(_) => other.set("parameters", json!({ "maitre_check": "other" })),
    };
    let response = target.wire.send(other).await?;
    if !is_running(target, &instance, &first).await? {
        return Err(Stop::skipped(TOO_FAST));
    }
    response.must_be(&[409], "Compare the attributes of a repeated provision also while the first one runs.").map(drop)
}

async fn fetch(target: &Target) -> Verdict {
    let (instance, first) = begin(target).await?;
    let response = target.wire.send(target.osb.fetch(&instance)).await?;
    if !is_running(target, &instance, &first).await? {
        return Err(Stop::skipped(TOO_FAST));
    }
    response.must_be(&[404], "Answer 404 until the instance is provisioned.").map(drop)
}

async fn dashboard_url(target: &Target) -> Verdict {
    let instance = target.instance()?;
    let first = target.create(target.osb.provision(&instance), &instance).await?;
    let repeated = target.wire.send(target.osb.provision(&instance)).await?;
    let url = |response: &Response| response.json().map(|body| body["dashboard_url"].clone()).unwrap_or_default();
    if url(&repeated).is_null() || url(&first) == url(&repeated) {
        return Ok(());
    }
    Err(first.fault(
        "The 202 has another dashboard_url than the response after completion.",
        "Decide on the URL before the provision begins, and send it with the 202: platforms do not read it later.",
    ))
}

async fn update(target: &Target) -> Verdict {
    target.require_update().await?;
    let (instance, first) = begin(target).await?;
    let response = target.wire.send(target.update(&instance).await?).await?;
    match response.status() {
        200 | 202 | 404 => Ok(()),
        _ if !is_running(target, &instance, &first).await? => Err(Stop::skipped(TOO_FAST)),
        _ => rules::has_code(&response, "ConcurrencyError", "while another operation of the instance runs"),
    }
}

async fn delete(target: &Target) -> Verdict {
    target.require_delete().await?;
    let (instance, first) = begin(target).await?;
    let response = target.wire.send(target.osb.deprovision(&instance)).await?;
    let advice = "Stop the provision, and delete what exists.";
    match response.status() {
        200 => {}
        202 => match target.poll(&instance, &response).await? {
            Polled::Succeeded | Polled::Gone(_) => {}
            Polled::Failed(last) | Polled::Invalid(last) | Polled::TimedOut(last) => {
                return Err(last.fault("The DELETE does not complete.", advice));
            }
        },
        _ if !is_running(target, &instance, &first).await? => return Err(Stop::skipped(TOO_FAST)),
        _ => return rules::has_code(&response, "ConcurrencyError", "if the provision cannot be stopped"),
    }
    let again = target.wire.send(target.osb.deprovision(&instance)).await?;
    again.to("a second DELETE after the first one has completed").must_be(&[410], advice).map(drop)
}

/// Begins an asynchronous DELETE of a new instance.
async fn begin_delete(target: &Target) -> Result<(InstanceId, Response), Stop> {
    let instance = target.new_instance().await?;
    let response = target.wire.send(target.osb.deprovision(&instance)).await?;
    match response.status() {
        202 => Ok((instance, response)),
        200 => Err(Stop::skipped("a DELETE is answered 200, synchronously")),
        status => Err(Stop::skipped(format!("a DELETE is answered {status} (see osb.deprovision.succeeds)"))),
    }
}

async fn delete_completes(target: &Target) -> Verdict {
    let (instance, accepted) = begin_delete(target).await?;
    let advice = "Answer last_operation with 410, or with 200 and the state succeeded, when the instance is deleted.";
    match target.poll(&instance, &accepted).await? {
        Polled::Succeeded => Ok(()),
        Polled::Gone(last) if last.status() == 410 => Ok(()),
        Polled::Gone(last) | Polled::Invalid(last) => Err(last.wrong_status("410 or 200", advice)),
        Polled::Failed(last) | Polled::TimedOut(last) => Err(last.fault("The DELETE does not complete.", advice)),
    }
}

async fn delete_repeated(target: &Target) -> Verdict {
    let (instance, first) = begin_delete(target).await?;
    let second = target.wire.send(target.osb.deprovision(&instance)).await?.to("a repeated DELETE");
    let is_running = is_running(target, &instance, &first).await?;
    is_same_operation(&first, &second, is_running)
}

/// Begins an asynchronous bind of a new instance.
async fn begin_bind(target: &Target) -> Result<(BindingId, Response), Stop> {
    let binding = target.new_instance().await?.new_binding();
    let response = target.wire.send(target.osb.bind(&binding)).await?;
    match response.status() {
        202 => Ok((binding, response)),
        status => Err(Stop::skipped(format!("this bind is answered {status}, not 202"))),
    }
}

/// Returns whether the bind of a 202 still runs.
async fn is_binding(target: &Target, binding: &BindingId, accepted: &Response) -> Result<bool, Stop> {
    let poll = target.osb.last_binding_operation(binding, operation_of(accepted).as_deref());
    Ok(target.wire.send(poll).await?.json().is_some_and(|body| body["state"] == "in progress"))
}

async fn binding_completes(target: &Target) -> Verdict {
    let (binding, accepted) = begin_bind(target).await?;
    match target.poll_binding(&binding, &accepted).await? {
        Polled::Succeeded => Ok(()),
        Polled::Failed(last) | Polled::Gone(last) | Polled::Invalid(last) | Polled::TimedOut(last) => Err(last.fault(
            "The bind does not end with the state succeeded.",
            "Answer last_operation of the binding with the state succeeded when the credentials can be fetched.",
        )),
    }
}

async fn binding_without_credentials(target: &Target) -> Verdict {
    let (_, accepted) = begin_bind(target).await?;
    if accepted.json().is_none_or(|body| body["credentials"].is_null()) {
        return Ok(());
    }
    Err(accepted.fault(
        "The 202 has credentials.",
        "Send only the operation: the platform fetches the binding when it is done.",
    ))
}

async fn binding_repeated(target: &Target) -> Verdict {
    let (binding, first) = begin_bind(target).await?;
    let second = target.wire.send(target.osb.bind(&binding)).await?.to("a repeated bind");
    let is_running = is_binding(target, &binding, &first).await?;
    is_same_operation(&first, &second, is_running)
}

fn binding_retrievable(target: &Target) -> Verdict {
    if target.offer()?.bindings_retrievable {
        return Ok(());
    }
    Err(Stop::fault(
        "A bind is answered 202, but the service is not bindings_retrievable: the platform never receives credentials.",
        "Implement the fetch of bindings, and declare bindings_retrievable in the catalog.",
    ))
}

async fn binding_fetch(target: &Target) -> Verdict {
    let (binding, first) = begin_bind(target).await?;
    let response = target.wire.send(target.osb.fetch_binding(&binding)).await?;
    if !is_binding(target, &binding, &first).await? {
        return Err(Stop::skipped(TOO_FAST));
    }
    response.must_be(&[404], "Answer 404 until the binding is complete.").map(drop)
}
