//! Reads of instances and bindings.

use super::binding::fields;
use super::citation;
use super::rules;
use super::target::Target;
use crate::check::{Capability, Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const INSTANCE: &[Capability] = &[Capability::FetchInstance];
const BINDING: &[Capability] = &[Capability::Bindings, Capability::FetchBinding];

const ABSENT: Citation = citation::fetching("404 must be returned if the instance does not exist");
const ABSENT_BINDING: Citation = citation::fetching_binding("404 must be returned if the binding does not exist");

const ADVICE: &str = "Answer 404 with a description if it does not exist.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "osb.fetch.instance",
        "A fetch of an instance is answered 200 with its service and plan, if it has these fields.",
        citation::fetching("with instances_retrievable, brokers must support this endpoint"),
        |target| Box::pin(instance(target)),
    )
    .needs(INSTANCE),
    Case::should(
        "osb.fetch.instance-hints",
        "A fetch of an instance does not require service_id and plan_id in the query.",
        citation::fetching("service_id and plan_id are hints, which old platforms do not send"),
        |target| Box::pin(instance_without_hints(target)),
    )
    .needs(INSTANCE),
    Case::must("osb.fetch.unknown-instance", "A fetch of an unknown instance is answered 404.", ABSENT, |target| {
        Box::pin(unknown_instance(target))
    })
    .needs(INSTANCE),
    Case::must(
        "osb.fetch.deprovisioned-instance",
        "A fetch of a deprovisioned instance is answered 404.",
        ABSENT,
        |target| Box::pin(deprovisioned_instance(target)),
    )
    .needs(INSTANCE),
    Case::must(
        "osb.fetch.binding",
        "A fetch of a binding is answered 200 with a JSON object.",
        citation::fetching_binding("with bindings_retrievable, brokers must support this endpoint"),
        |target| Box::pin(binding(target)),
    )
    .needs(BINDING),
    Case::should(
        "osb.fetch.binding-credentials",
        "A fetch of a binding returns its credentials.",
        citation::fetching_binding("credentials of the binding"),
        |target| Box::pin(binding_credentials(target)),
    )
    .needs(BINDING),
    Case::must(
        "osb.fetch.unknown-binding",
        "A fetch of an unknown binding is answered 404.",
        ABSENT_BINDING,
        |target| Box::pin(unknown_binding(target)),
    )
    .needs(BINDING),
    Case::must("osb.fetch.unbound", "A fetch of a deleted binding is answered 404.", ABSENT_BINDING, |target| {
        Box::pin(unbound(target))
    })
    .needs(BINDING),
    Case::must(
        "osb.fetch.binding-of-another-instance",
        "A binding is not found under another instance.",
        citation::fetching_binding("the binding id must be that of a binding for that instance"),
        |target| Box::pin(binding_of_another_instance(target)),
    )
    .needs(BINDING),
];

fn is_absent(response: &Response) -> Verdict {
    response.must_be(&[404], ADVICE).map(drop)
}

async fn instance(target: &Target) -> Verdict {
    let instance = target.shared_instance().await?;
    let response = target.wire.send(target.osb.fetch(&instance)).await?;
    response
        .must_be(&[200], "Answer 200 with service_id, plan_id and dashboard_url, or remove instances_retrievable.")?;
    let body = rules::object(&response)?;
    rules::has_valid_dashboard_url(&response)?;
    for (field, expected) in [("service_id", instance.service_id()), ("plan_id", instance.plan_id())] {
        if body.get(field).is_some_and(|value| value != expected) {
            return Err(response.fault(
                format!("{field} is not the one of the provision."),
                "Return the ids that were provisioned, or after an update the new plan.",
            ));
        }
    }
    Ok(())
}

async fn instance_without_hints(target: &Target) -> Verdict {
    let instance = target.shared_instance().await?;
    let call = target.osb.fetch(&instance).without_query("service_id").without_query("plan_id");
    target.wire.send(call).await?.must_be(&[200], "Find the instance by its id.").map(drop)
}

async fn unknown_instance(target: &Target) -> Verdict {
    is_absent(&target.wire.send(target.osb.fetch(&target.instance()?)).await?)
}

async fn deprovisioned_instance(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    target.remove(&instance).await?;
    is_absent(&target.wire.send(target.osb.fetch(&instance)).await?)
}

async fn binding(target: &Target) -> Verdict {
    let (binding, _) = target.bound().await?;
    let response = target.wire.send(target.osb.fetch_binding(&binding)).await?;
    response.must_be(&[200], "Answer 200 with the credentials, or remove bindings_retrievable.")?;
    rules::object(&response).map(drop)
}

async fn binding_credentials(target: &Target) -> Verdict {
    let (binding, response) = target.bound().await?;
    let (_, bound) = fields(target, &binding, response).await?;
    let response = target.wire.send(target.osb.fetch_binding(&binding)).await?;
    if response.status() != 200 {
        let status = response.status();
        return Err(Stop::skipped(format!("a fetch of a binding is answered {status} (see osb.fetch.binding)")));
    }
    if rules::object(&response)?.get("credentials") == bound.get("credentials") {
        return Ok(());
    }
    Err(response.fault(
        "The credentials are not those of the bind.",
        "Return the stored credentials: platforms fetch them again when an app is moved.",
    ))
}

async fn unknown_binding(target: &Target) -> Verdict {
    let binding = target.binding().await?;
    is_absent(&target.wire.send(target.osb.fetch_binding(&binding)).await?)
}

async fn unbound(target: &Target) -> Verdict {
    let (binding, _) = target.bound().await?;
    target.remove_binding(&binding).await?;
    is_absent(&target.wire.send(target.osb.fetch_binding(&binding)).await?)
}

async fn binding_of_another_instance(target: &Target) -> Verdict {
    let (binding, _) = target.bound().await?;
    let other = target.new_instance().await?.binding(binding.id());
    is_absent(&target.wire.send(target.osb.fetch_binding(&other)).await?)
}
