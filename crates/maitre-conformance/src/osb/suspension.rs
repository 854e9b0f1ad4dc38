//! IBM Cloud's routes by which it suspends and reinstates an instance.

use maitre_testkit::osb::InstanceId;
use serde_json::Value;

use super::citation;
use super::rules;
use super::target::Target;
use crate::check::{Capability, Case, Citation};
use crate::verdict::{Stop, Verdict};

const SUSPENSION: &[Capability] = &[Capability::Suspension];

const STATE: Citation = citation::ibm_client("reads active and enabled of GET /bluemix_v1/service_instances/{id}");
const CHANGE: Citation = citation::ibm_client("sends enabled, initiator_id and reason_code by PUT");

const ADVICE: &str = "Answer 200 with {\"active\": true, \"enabled\": …}.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::should(
        "osb.suspension.state",
        "The state of an instance has active and enabled, as booleans.",
        STATE,
        |target| Box::pin(state(target)),
    )
    .needs(SUSPENSION),
    Case::should("osb.suspension.disable", "A disabled instance is reported as not enabled.", CHANGE, |target| {
        Box::pin(disable(target))
    })
    .needs(SUSPENSION),
    Case::should(
        "osb.suspension.enable",
        "An instance that is enabled again is reported as enabled.",
        CHANGE,
        |target| Box::pin(enable(target)),
    )
    .needs(SUSPENSION),
    Case::should("osb.suspension.repeated", "A repeated disable succeeds.", CHANGE, |target| {
        Box::pin(repeated(target))
    })
    .needs(SUSPENSION),
    Case::should(
        "osb.suspension.unknown",
        "The state of an unknown instance is answered with a client error.",
        STATE,
        |target| Box::pin(unknown(target)),
    )
    .needs(SUSPENSION),
    Case::should(
        "osb.suspension.delete",
        "A disabled instance can be deprovisioned.",
        citation::practice("suspended accounts are closed some time later"),
        |target| Box::pin(delete(target)),
    )
    .needs(SUSPENSION),
];

/// Sets whether the instance is enabled, and requires a success.
async fn set_enabled(target: &Target, instance: &InstanceId, enabled: bool) -> Verdict {
    let reason = if enabled { "IBMCLOUD_ACCT_ACTIVATE" } else { "IBMCLOUD_ACCT_SUSPEND" };
    let response = target.wire.send(target.osb.set_enabled(instance, enabled, reason)).await?;
    response.must_be(&[200], ADVICE)?;
    rules::object(&response).map(drop)
}

async fn has_state(target: &Target, instance: &InstanceId, enabled: Option<bool>) -> Verdict {
    let response = target.wire.send(target.osb.state(instance)).await?;
    response.must_be(&[200], ADVICE)?;
    let body = rules::object(&response)?;
    for name in ["active", "enabled"] {
        if !body.get(name).is_some_and(Value::is_boolean) {
            return Err(response.fault(format!("{name} is missing or not a boolean."), ADVICE));
        }
    }
    if enabled.is_some_and(|enabled| body["enabled"] != enabled) {
        return Err(response.fault("enabled is not the value that was set.", "Store the value, and return it."));
    }
    Ok(())
}

async fn state(target: &Target) -> Verdict {
    has_state(target, &target.new_instance().await?, None).await
}

async fn disable(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    set_enabled(target, &instance, false).await?;
    has_state(target, &instance, Some(false)).await
}

async fn enable(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    if set_enabled(target, &instance, false).await.is_err() {
        return Err(Stop::skipped("an instance cannot be disabled (see osb.suspension.disable)"));
    }
    set_enabled(target, &instance, true).await?;
    has_state(target, &instance, Some(true)).await
}

async fn repeated(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    if set_enabled(target, &instance, false).await.is_err() {
        return Err(Stop::skipped("an instance cannot be disabled (see osb.suspension.disable)"));
    }
    set_enabled(target, &instance, false).await
}

async fn unknown(target: &Target) -> Verdict {
    let response = target.wire.send(target.osb.state(&target.instance()?)).await?;
    response.must_be_refused("Answer 404 if the instance does not exist.")
}

async fn delete(target: &Target) -> Verdict {
    target.require_delete().await?;
    let instance = target.new_instance().await?;
    if set_enabled(target, &instance, false).await.is_err() {
        return Err(Stop::skipped("an instance cannot be disabled (see osb.suspension.disable)"));
    }
    let response = target.wire.send(target.osb.deprovision(&instance)).await?.to("a DELETE of a disabled instance");
    response.must_be(&[200, 202], "A DELETE must work in every state.").map(drop)
}
