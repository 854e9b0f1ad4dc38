//! Deprovisions of an account with all of its endpoints.

use super::deactivate::deactivated;
use super::target::{Endpoint, Target};
use super::{checker, guide, must_succeed, practice, skip_unless_ok};
use crate::check::{Case, Citation};
use crate::verdict::{Stop, Verdict};

const REPEATED: Citation = practice("QuickNode does not document retries");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "quicknode.deprovision.succeeds",
        "A deprovision is answered 200.",
        checker("200 to a deprovision"),
        |target| Box::pin(succeeds(target)),
    ),
    Case::must(
        "quicknode.deprovision.no-endpoints",
        "An account without endpoints is deprovisioned.",
        checker("deactivates the endpoint first"),
        |target| Box::pin(no_endpoints(target)),
    ),
    Case::must(
        "quicknode.deprovision.all-endpoints",
        "A deprovision ends all endpoints of the account.",
        guide("the customer removes the add-on from the account"),
        |target| Box::pin(all_endpoints(target)),
    ),
    Case::should(
        "quicknode.deprovision.repeated",
        "A repeated deprovision is answered 200 or 404.",
        REPEATED,
        |target| Box::pin(repeated(target)),
    ),
    Case::should("quicknode.deprovision.unknown", "A deprovision of an unknown account is 404.", REPEATED, |target| {
        Box::pin(unknown(target))
    }),
    Case::must(
        "quicknode.deprovision.keeps-others",
        "A deprovision keeps other accounts.",
        guide("a deprovision concerns one account"),
        |target| Box::pin(keeps_others(target)),
    ),
    Case::should(
        "quicknode.deprovision.no-body",
        "A deprovision without a body is a client error.",
        practice("ids are in the body"),
        |target| Box::pin(no_body(target)),
    ),
];

/// Deprovisions an account; skips the check if that fails.
pub(super) async fn deprovisioned(target: &Target, endpoint: &Endpoint) -> Result<(), Stop> {
    let response = target.wire.send(target.deprovision(endpoint)).await?;
    skip_unless_ok(&response, "a deprovision", "deprovision.succeeds")
}

async fn succeeds(target: &Target) -> Verdict {
    must_succeed(&target.wire.send(target.deprovision(&target.new_endpoint().await?)).await?)
}

async fn no_endpoints(target: &Target) -> Verdict {
    let endpoint = target.new_endpoint().await?;
    deactivated(target, &endpoint).await?;
    must_succeed(&target.wire.send(target.deprovision(&endpoint)).await?.to("a deprovision without endpoints"))
}

async fn all_endpoints(target: &Target) -> Verdict {
    target.require_updates().await?;
    let first = target.new_endpoint().await?;
    let second = target.second_endpoint(&first).await?;
    deprovisioned(target, &first).await?;
    for endpoint in [first, second] {
        target.must_exist(&endpoint, false, "after the deprovision of its account").await?;
    }
    Ok(())
}

async fn repeated(target: &Target) -> Verdict {
    let endpoint = target.new_endpoint().await?;
    deprovisioned(target, &endpoint).await?;
    let response = target.wire.send(target.deprovision(&endpoint)).await?.to("a repeated deprovision");
    response.must_be(&[200, 404], "Answer 200: the account is gone, as requested.").map(drop)
}

async fn unknown(target: &Target) -> Verdict {
    deprovisioned(target, &target.new_endpoint().await?).await?;
    target.wire.send(target.deprovision(&target.new_ids())).await?.must_be(&[404], "Answer 404.").map(drop)
}

async fn keeps_others(target: &Target) -> Verdict {
    target.require_updates().await?;
    let (removed, kept) = (target.new_endpoint().await?, target.new_endpoint().await?);
    deprovisioned(target, &removed).await?;
    target.must_exist(&kept, true, "after the deprovision of another account").await
}

async fn no_body(target: &Target) -> Verdict {
    let endpoint = target.new_endpoint().await?;
    target.wire.send(target.deprovision(&endpoint).body("")).await?.must_be_refused("Answer 400.")
}
