//! Updates: of the plan, or of the endpoint.

use serde_json::json;

use super::target::{Endpoint, Target};
use super::{checker, guide, must_succeed, practice, skip_unless_ok};
use crate::check::{Case, Citation};
use crate::verdict::Verdict;

const UNKNOWN: Citation = practice("404 to an account or endpoint that does not exist, as in QuickNode's starters");
const NOT_FOUND: &str = "Answer 404.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("quicknode.update.succeeds", "An update is answered 200.", checker("200 to an update"), |target| {
        Box::pin(succeeds(target))
    }),
    Case::should(
        "quicknode.update.same",
        "An update that changes nothing succeeds.",
        practice("updates are repeated"),
        |target| Box::pin(same(target)),
    ),
    Case::must(
        "quicknode.update.urls",
        "An update of the endpoint's URLs succeeds.",
        guide("an update is sent when the plan or the endpoint changes"),
        |target| Box::pin(urls(target)),
    ),
    Case::should("quicknode.update.unknown-account", "An update of an unknown account is 404.", UNKNOWN, |target| {
        Box::pin(unknown_account(target))
    }),
    Case::should("quicknode.update.unknown-endpoint", "An update of an unknown endpoint is 404.", UNKNOWN, |target| {
        Box::pin(unknown_endpoint(target))
    }),
    Case::should("quicknode.update.no-body", "An update without a body is a client error.", NO_BODY, |target| {
        Box::pin(no_body(target))
    }),
];

const NO_BODY: Citation = practice("invalid input is a client error");

async fn succeeds(target: &Target) -> Verdict {
    must_succeed(&target.wire.send(target.update(&target.new_endpoint().await?)).await?)
}

async fn same(target: &Target) -> Verdict {
    let endpoint = target.new_endpoint().await?;
    for request in ["an update", "a repeated update"] {
        must_succeed(&target.wire.send(target.update(&endpoint)).await?.to(request))?;
    }
    Ok(())
}

async fn urls(target: &Target) -> Verdict {
    let endpoint = target.new_endpoint().await?;
    let call = target.provision(&endpoint).method("PUT").path("/update");
    let call = call.set("http-url", "https://y.quiknode.example/new/").set("referers", json!(["https://b.example"]));
    must_succeed(&target.wire.send(call).await?)
}

async fn unknown_account(target: &Target) -> Verdict {
    let response = target.wire.send(target.update(&target.new_endpoint().await?)).await?;
    skip_unless_ok(&response, "an update", "update.succeeds")?;
    target.wire.send(target.update(&target.new_ids())).await?.must_be(&[404], NOT_FOUND).map(drop)
}

async fn unknown_endpoint(target: &Target) -> Verdict {
    let endpoint = target.new_endpoint().await?;
    skip_unless_ok(&target.wire.send(target.update(&endpoint)).await?, "an update", "update.succeeds")?;
    let unknown = Endpoint { id: target.quicknode.new_endpoint(), ..endpoint };
    target.wire.send(target.update(&unknown)).await?.must_be(&[404], NOT_FOUND).map(drop)
}

async fn no_body(target: &Target) -> Verdict {
    let endpoint = target.new_endpoint().await?;
    target.wire.send(target.update(&endpoint).body("")).await?.must_be_refused("Answer 400.")
}
