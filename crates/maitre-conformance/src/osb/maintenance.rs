//! Maintenance versions.

use serde_json::json;

use super::citation;
use super::rules;
use super::target::Target;
use crate::check::{Capability, Case};
use crate::verdict::{Stop, Verdict};

const MAINTENANCE: &[Capability] = &[Capability::MaintenanceInfo];

const WHEN: &str = "if maintenance_info.version is not the one of the plan in the catalog";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "osb.maintenance.matching",
        "A provision with the plan's maintenance version succeeds.",
        citation::provisioning("a platform may provide the same maintenance information"),
        |target| Box::pin(matching(target)),
    )
    .needs(MAINTENANCE),
    Case::must(
        "osb.maintenance.conflict",
        "A provision with another maintenance version is answered 422 MaintenanceInfoConflict.",
        citation::provisioning("422 if maintenance_info.version does not match the catalog"),
        |target| Box::pin(conflict(target)),
    )
    .needs(MAINTENANCE),
    Case::must(
        "osb.maintenance.update-conflict",
        "An update with another maintenance version is answered 422 MaintenanceInfoConflict.",
        citation::updating("422 if maintenance_info.version does not match the catalog"),
        |target| Box::pin(update_conflict(target)),
    )
    .needs(&[Capability::MaintenanceInfo, Capability::PlanChange]),
    Case::should(
        "osb.maintenance.undeclared",
        "A provision with a maintenance version is answered 422 MaintenanceInfoConflict, also if the plan has none.",
        citation::kotlin_checker("sends a version for plans without maintenance_info, and requires 422"),
        |target| Box::pin(undeclared(target)),
    ),
];

fn version(target: &Target) -> Result<&str, Stop> {
    let version = target.offer()?.plan.maintenance_version.as_deref();
    version.ok_or_else(|| Stop::skipped("the plan has no maintenance_info"))
}

async fn matching(target: &Target) -> Verdict {
    let call = target.provision().await?.set("maintenance_info", json!({ "version": version(target)? }));
    target.wire.send(call).await?.must_be(rules::DONE, "Compare the version with the one in the catalog.").map(drop)
}

async fn conflict(target: &Target) -> Verdict {
    let call = target.provision().await?.set("maintenance_info", json!({ "version": "999.999.999" }));
    rules::has_code(&target.wire.send(call).await?, "MaintenanceInfoConflict", WHEN)
}

async fn update_conflict(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let call = target.update(&instance).await?.set("maintenance_info", json!({ "version": "999.999.999" }));
    rules::has_code(&target.wire.send(call).await?, "MaintenanceInfoConflict", WHEN)
}

async fn undeclared(target: &Target) -> Verdict {
    if target.offer()?.plan.maintenance_version.is_some() {
        return Err(Stop::skipped("the plan has maintenance_info: see osb.maintenance.conflict"));
    }
    let call = target.provision().await?.set("maintenance_info", json!({ "version": "999.999.999" }));
    rules::has_code(&target.wire.send(call).await?, "MaintenanceInfoConflict", WHEN)
}
