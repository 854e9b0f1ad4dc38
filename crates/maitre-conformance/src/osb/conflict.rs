//! Provisions of an existing id with other attributes.

use serde_json::json;

use super::citation;
use super::target::Target;
use crate::check::{Capability, Case, Citation};
use crate::verdict::{Stop, Verdict};

const CONFLICT: Citation =
    citation::provisioning("409 if an instance with the same id exists but with different attributes");

const ADVICE: &str = "Compare every attribute of a repeated provision with the record, and answer 409 if one differs.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "osb.conflict.other-plan",
        "A provision of an existing id with another plan is answered 409.",
        CONFLICT,
        |target| Box::pin(other_plan(target)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "osb.conflict.other-parameters",
        "A provision of an existing id with other parameters is answered 409.",
        CONFLICT,
        |target| Box::pin(other_parameters(target)),
    ),
    Case::must(
        "osb.conflict.other-space",
        "A provision of an existing id in another organization and space is answered 409.",
        CONFLICT,
        |target| Box::pin(other_space(target)),
    ),
    Case::must(
        "osb.conflict.keeps-the-first",
        "After a conflict the first instance is as before.",
        citation::errors("a 4xx must result in the broker's resources being semantically unchanged"),
        |target| Box::pin(keeps_the_first(target)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "osb.conflict.after-deprovision",
        "A deprovisioned instance causes no server error when its id is provisioned again.",
        citation::provisioning("the status codes of a provision"),
        |target| Box::pin(after_deprovision(target)),
    ),
];

async fn other_plan(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let call = target.osb.provision(&instance).set("plan_id", target.other_plan()?);
    target.wire.send(call).await?.must_be(&[409], ADVICE).map(drop)
}

async fn other_parameters(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let call = target.osb.provision(&instance).set("parameters", json!({ "maitre_check": "other" }));
    let response = target.wire.send(call).await?;
    // a broker may refuse the parameters themselves
    response.must_be(&[409, 400], ADVICE).map(drop)
}

async fn other_space(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let other = "0b5f8c1e-94d7-4a26-b3e9-7c2d1f6a8e44";
    let context = json!({ "platform": "cloudfoundry", "organization_guid": other, "space_guid": other });
    let call = target.osb.provision(&instance).set("organization_guid", other).set("space_guid", other);
    target.wire.send(call.set("context", context)).await?.must_be(&[409], ADVICE).map(drop)
}

async fn keeps_the_first(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let conflict = target.wire.send(target.osb.provision(&instance).set("plan_id", target.other_plan()?)).await?;
    if conflict.is_success() {
        return Err(Stop::skipped("another plan is accepted (see osb.conflict.other-plan)"));
    }
    let response =
        target.wire.send(target.osb.provision(&instance)).await?.to("the first provision, repeated after a conflict");
    response.must_be(&[200, 201], "Do not change anything when answering 409.").map(drop)
}

async fn after_deprovision(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    target.remove(&instance).await?;
    let response = target.wire.send(target.osb.provision(&instance)).await?.to("a provision of a deprovisioned id");
    super::rules::is_handled(&response)
}
