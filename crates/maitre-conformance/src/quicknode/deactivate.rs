//! Deactivations of one endpoint.

use serde_json::{Value, json};

use super::target::{Endpoint, Target};
use super::{checker, must_succeed, practice, skip_unless_ok};
use crate::check::{Case, Citation};
use crate::verdict::{Stop, Verdict};

const TIME: Citation = practice("deactivate-at is a number; a checker of 2023 sent text");
const REPEATED: Citation = practice("QuickNode does not document retries; its starters answer 404");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "quicknode.deactivate.succeeds",
        "A deactivation is answered 200.",
        checker("200 to a deactivation"),
        |target| Box::pin(succeeds(target)),
    ),
    Case::should("quicknode.deactivate.text-time", "The time deactivate-at may be text.", TIME, |target| {
        Box::pin(text_time(target))
    }),
    Case::should("quicknode.deactivate.future", "The time deactivate-at may be in the future.", TIME, |target| {
        Box::pin(future(target))
    }),
    Case::should("quicknode.deactivate.no-time", "The time deactivate-at may be missing.", TIME, |target| {
        Box::pin(with_time(target, None))
    }),
    Case::should("quicknode.deactivate.ends", "A deactivated endpoint no longer exists.", REPEATED, |target| {
        Box::pin(ends(target))
    }),
    Case::should(
        "quicknode.deactivate.repeated",
        "A repeated deactivation is answered 200 or 404.",
        REPEATED,
        |target| Box::pin(repeated(target)),
    ),
    Case::should("quicknode.deactivate.unknown", "A deactivation of an unknown endpoint is 404.", REPEATED, |target| {
        Box::pin(unknown(target))
    }),
    Case::must(
        "quicknode.deactivate.keeps-others",
        "A deactivation keeps the other endpoints of the account.",
        checker("deactivates one endpoint before it deprovisions the account"),
        |target| Box::pin(keeps_others(target)),
    ),
    Case::should(
        "quicknode.deactivate.no-body",
        "A deactivation without a body is a client error.",
        practice("ids are in the body"),
        |target| Box::pin(no_body(target)),
    ),
];

/// Deactivates an endpoint; skips the check if that fails.
pub(super) async fn deactivated(target: &Target, endpoint: &Endpoint) -> Result<(), Stop> {
    let response = target.wire.send(target.deactivate(endpoint)).await?;
    skip_unless_ok(&response, "a deactivation", "deactivate.succeeds")
}

async fn succeeds(target: &Target) -> Verdict {
    must_succeed(&target.wire.send(target.deactivate(&target.new_endpoint().await?)).await?)
}

async fn with_time(target: &Target, time: Option<Value>) -> Verdict {
    let call = target.deactivate(&target.new_endpoint().await?);
    let call = match time {
        Some(time) => call.set("deactivate-at", time),
        None => call.without("deactivate-at"),
    };
    must_succeed(&target.wire.send(call).await?)
}

async fn text_time(target: &Target) -> Verdict {
    with_time(target, Some(json!(Target::now().to_string()))).await
}

async fn future(target: &Target) -> Verdict {
    with_time(target, Some(json!(Target::now() + 86_400))).await
}

async fn ends(target: &Target) -> Verdict {
    target.require_updates().await?;
    let endpoint = target.new_endpoint().await?;
    deactivated(target, &endpoint).await?;
    target.must_exist(&endpoint, false, "after its deactivation").await
}

async fn repeated(target: &Target) -> Verdict {
    let endpoint = target.new_endpoint().await?;
    deactivated(target, &endpoint).await?;
    let response = target.wire.send(target.deactivate(&endpoint)).await?.to("a repeated deactivation");
    response.must_be(&[200, 404], "Answer 200: the endpoint is gone, as requested.").map(drop)
}

async fn unknown(target: &Target) -> Verdict {
    deactivated(target, &target.new_endpoint().await?).await?;
    target.wire.send(target.deactivate(&target.new_ids())).await?.must_be(&[404], "Answer 404.").map(drop)
}

async fn keeps_others(target: &Target) -> Verdict {
    target.require_updates().await?;
    let first = target.new_endpoint().await?;
    let second = target.second_endpoint(&first).await?;
    deactivated(target, &first).await?;
    target.must_exist(&second, true, "after the deactivation of another endpoint").await
}

async fn no_body(target: &Target) -> Verdict {
    let endpoint = target.new_endpoint().await?;
    target.wire.send(target.deactivate(&endpoint).body("")).await?.must_be_refused("Answer 400.")
}
