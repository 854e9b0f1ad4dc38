//! Uninstallations, and the time for final invoices.

use serde_json::Value;

use super::citation::{billing, checklist, concepts, example, practice, reference};
use super::rules;
use super::skip_unless_ok;
use super::target::{Resource, Target};
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const DELETE: Citation = reference("DELETE of an installation is 200 with finalized, or 204");
const CASCADE: Citation = reference("cascadeResourceDeletion removes the resources, too");
const REPEATED: Citation = example("204 to a repeated uninstallation");
const CLOSED: Citation = concepts("an uninstalled installation never comes back");

const ADVICE: &str = "Answer 200 with {\"finalized\": true}, or {\"finalized\": false} to send final invoices, or 204.";

/// Number of concurrent uninstallations.
const MANY: usize = 4;

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "vercel.uninstall.succeeds",
        "An uninstallation is answered 200 with finalized, or 204.",
        DELETE,
        |target| Box::pin(succeeds(target)),
    ),
    Case::must("vercel.uninstall.no-body", "An uninstallation without a body succeeds.", DELETE, |target| {
        Box::pin(no_body(target))
    }),
    Case::must(
        "vercel.uninstall.cascade",
        "An uninstallation with cascade removes every resource.",
        CASCADE,
        |target| Box::pin(cascade(target)),
    ),
    Case::must("vercel.uninstall.keeps-others", "An uninstallation keeps other installations.", DELETE, |target| {
        Box::pin(keeps_others(target))
    }),
    Case::must("vercel.uninstall.repeated", "A repeated uninstallation succeeds.", REPEATED, |target| {
        Box::pin(repeated(target))
    }),
    Case::should(
        "vercel.uninstall.unknown",
        "An uninstallation of an unknown installation is 204 or 404.",
        practice("204, as for a repeated one"),
        |target| Box::pin(unknown(target)),
    ),
    Case::should(
        "vercel.uninstall.concurrent",
        "Concurrent uninstallations cause no server error.",
        practice("requests are repeated, also while the first one runs"),
        |target| Box::pin(concurrent(target)),
    ),
    Case::should(
        "vercel.uninstall.unbilled",
        "An installation that never had a resource is finalized immediately.",
        checklist("finalized is true when no time for final invoices is needed"),
        |target| Box::pin(unbilled(target)),
    ),
    Case::should(
        "vercel.uninstall.billed",
        "An installation with a paid plan is not finalized immediately.",
        billing("after finalized, no invoice can be sent"),
        |target| Box::pin(billed(target)),
    ),
    Case::must("vercel.uninstall.provision", "An uninstalled installation provisions nothing.", CLOSED, |target| {
        Box::pin(provision(target))
    }),
    Case::should("vercel.uninstall.finalizing", "During final invoices, nothing is provisioned.", CLOSED, |target| {
        Box::pin(finalizing(target))
    }),
    Case::should(
        "vercel.uninstall.deprovision",
        "A resource is deprovisioned after its uninstallation, too.",
        LATE,
        |target| Box::pin(late_deprovision(target)),
    ),
    Case::should(
        "vercel.uninstall.read",
        "A finalized installation is no longer read.",
        example("404 to an uninstalled installation"),
        |target| Box::pin(read(target)),
    ),
];

const LATE: Citation = practice("a deprovision is legal in every state");

/// Uninstalls; skips the check if that fails.
async fn uninstalled(target: &Target, resource: &Resource) -> Result<Response, Stop> {
    let response = target.wire.send(target.vercel.uninstall(&resource.installation)).await?;
    skip_unless_ok(&response, "an uninstallation", "uninstall.succeeds")?;
    Ok(response)
}

fn must_be_valid(response: &Response) -> Verdict {
    response.must_be(&[200, 204], ADVICE)?;
    if response.status() == 204 || response.json().unwrap_or_default()["finalized"].is_boolean() {
        return Ok(());
    }
    Err(response.fault("finalized is not true or false.", ADVICE))
}

async fn succeeds(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    must_be_valid(&target.wire.send(target.vercel.uninstall(&resource.installation)).await?)
}

async fn no_body(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    let call = target.vercel.uninstall(&installation).without("cascadeResourceDeletion").body("");
    must_be_valid(&target.wire.send(call.without_header("content-type")).await?)
}

async fn cascade(target: &Target) -> Verdict {
    let first = target.new_resource().await?;
    let second = target.resource_of(&first.installation).await?;
    uninstalled(target, &first).await?;
    for resource in [&first, &second] {
        let is_gone = async || Ok(!target.exists(resource).await?.0);
        if !target.eventually(is_gone).await? {
            return target.must_exist(resource, false, "after the uninstallation of its installation").await;
        }
    }
    Ok(())
}

async fn keeps_others(target: &Target) -> Verdict {
    let (first, second) = (target.new_resource().await?, target.new_resource().await?);
    uninstalled(target, &first).await?;
    target.must_exist(&second, true, "after the uninstallation of another installation").await
}

async fn repeated(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    uninstalled(target, &resource).await?;
    let response = target.wire.send(target.vercel.uninstall(&resource.installation)).await?;
    must_be_valid(&response.to("a repeated uninstallation"))
}

async fn unknown(target: &Target) -> Verdict {
    target.installed().await?;
    let response = target.wire.send(target.vercel.uninstall(&target.new_installation())).await?;
    response.must_be(&[200, 204, 404], "Answer 204: the installation is gone, as requested.").map(drop)
}

async fn concurrent(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let calls = (0..MANY).map(|_| target.vercel.uninstall(&resource.installation));
    for response in target.wire.send_all(calls).await? {
        response.to("one of several concurrent uninstallations").must_be(&[200, 204, 409], ADVICE)?;
    }
    Ok(())
}

async fn unbilled(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    let response = target.wire.send(target.vercel.uninstall(&installation)).await?;
    skip_unless_ok(&response, "an uninstallation", "uninstall.succeeds")?;
    if response.json().unwrap_or_default()["finalized"] == true {
        return Ok(());
    }
    Err(response.fault("The installation is not finalized.", "Answer 200 with {\"finalized\": true}."))
}

/// Returns a resource on a plan that costs something; skips the check if there is no such plan.
async fn paid_resource(target: &Target) -> Result<Resource, Stop> {
    let response = target.wire.send(target.vercel.product_plans(&target.product, None)).await?;
    let plans = response.json().unwrap_or_default()["plans"].as_array().cloned().unwrap_or_default();
    let is_known = |plan: &&Value| rules::is_of_resource(plan) && rules::is_paid(plan);
    let is_chosen = |plan: &&Value| [target.plan(), target.other_plan()].iter().any(|name| plan["id"] == *name);
    let plan = plans.iter().filter(is_known).find(is_chosen).and_then(|plan| plan["id"].as_str());
    let plan = plan.ok_or_else(|| Stop::skipped("no plan of this run costs something"))?;
    let installation = target.installed().await?;
    target.resource_by(&installation, target.provision_on(&installation, plan)).await
}

async fn billed(target: &Target) -> Verdict {
    let resource = paid_resource(target).await?;
    let response = uninstalled(target, &resource).await?;
    if response.json().unwrap_or_default()["finalized"] != true {
        return Ok(());
    }
    Err(response.fault(
        "An installation with a paid plan is finalized immediately.",
        "Answer {\"finalized\": false}, send the final invoices within 24 hours, and finalize the installation.",
    ))
}

const CONFLICT: &str = "Answer 409: nothing can be provisioned in an installation that was uninstalled.";

async fn provision(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    uninstalled(target, &resource).await?;
    target.wire.send(target.provision(&resource.installation)).await?.must_be_refused(CONFLICT)
}

async fn finalizing(target: &Target) -> Verdict {
    let resource = paid_resource(target).await?;
    uninstalled(target, &resource).await?;
    target.wire.send(target.provision(&resource.installation)).await?.must_be_refused(CONFLICT)
}

async fn late_deprovision(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    uninstalled(target, &resource).await?;
    let response = target.wire.send(target.deprovision(&resource)).await?;
    response.must_be(&[204, 404], "Answer 204: the resource is gone, as requested.").map(drop)
}

async fn read(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    let known = target.wire.send(target.vercel.installation(&installation)).await?;
    skip_unless_ok(&known, "a read of an installation", "installation.read")?;
    let response = target.wire.send(target.vercel.uninstall(&installation)).await?;
    if response.json().unwrap_or_default()["finalized"] != true {
        return Err(Stop::skipped(
            "an installation without resources is not finalized (see vercel.uninstall.unbilled)",
        ));
    }
    target.wire.send(target.vercel.installation(&installation)).await?.must_be(&[404], "Answer 404.").map(drop)
}
